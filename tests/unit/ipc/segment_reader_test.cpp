#include <metricsd/ipc/file_completion.h>
#include <metricsd/ipc/queue_reader.h>
#include <metricsd/ipc/ring_reader.h>
#include <metricsd/ipc/segment_lines.h>
#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/limits.h>
#include <metricsd/support/segment_image.h>

#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace metricsd::ipc {
namespace {

using support::SegmentImage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What a reader gets out of a segment.
struct Contents {
  std::vector<std::string> records;  // type:ordinal, of those that the queue did not take
  std::uint64_t unread = 0;
  std::vector<std::string> queued;  // stream:first-last
  std::uint64_t bytes = 0;          // of the lines
  std::string definitions;
};

void read_rings(const SegmentReader& segment, Contents& contents) {
  for (const SegmentRing& ring : segment.rings()) {
    RingReader records(segment, ring, RingReader::From::queue);
    Record record;
    while (true) {
      const auto more = records.next(record);
      if (!more || !*more) break;
      contents.records.push_back(std::string(record.text(RecordText::operation_type)) + ":" +
                                 std::to_string(records.ordinal()));
    }
    contents.unread += records.unread();
  }
}

void read_queue(const SegmentReader& segment, Contents& contents) {
  QueueReader queue(segment);
  QueuedLine line;
  while (true) {
    const auto more = queue.next(line);
    if (!more || !*more) break;
    contents.bytes += line.line.size();
    contents.queued.push_back(std::to_string(line.stream) + ":" + std::to_string(line.first_seq) + "-" +
                              std::to_string(line.last_seq));
  }
}

Contents read(const SegmentReader& segment) {
  Contents contents;
  read_rings(segment, contents);
  read_queue(segment, contents);
  for (std::size_t part = 0; part < segment.definition_parts(); ++part) {
    if (const auto lines = segment.read_definitions(part)) contents.definitions += *lines;
  }
  return contents;
}

SegmentImage::RingOptions ring_of(std::vector<std::string> records) {
  SegmentImage::RingOptions ring;
  ring.records = std::move(records);
  return ring;
}

// Something of everything.
SegmentImage full_image() {
  SegmentImage image;
  image.add_dictionary({{"", "", ""}, {"", "", ""}, {"upload", "s3", "boto"}});
  image.add_run({"{\"type\":\"run_start\",\"run\":{\"test_run_id\":\"r\",\"test_name\":\"t\"}}\n", "/nowhere",
                 "s3", "boto", "0123456789abcdef"});
  image.add_definitions("{\"type\":\"define\",\"id\":1,\"name\":\"x\",\"kind\":\"counter\"}\n");
  SegmentImage::RingOptions ring = ring_of({SegmentImage::record("upload"), SegmentImage::record("download"),
                                            SegmentImage::record(2, 5), SegmentImage::record("list")});
  ring.taken = 1;
  ring.sequence = 1;
  image.add_ring(ring);
  image.add_queue(2, {SegmentImage::batch(0, 3, 2), SegmentImage::batch(1, 1, 1)});
  image.add_queue(1, {SegmentImage::batch(0, 1, 2)});
  image.add_append(AppendState::appending, 0, "{\"a\":1}\n{\"b\":2}\n",
                   {{.stream = 0, .lines = 1, .first = 1}});
  image.set_loss(0, "ring", "full", 7);
  image.header().turn.set = 1;
  image.header().turn.stream = 0;
  image.header().turn.taken = 99;
  return image;
}

TEST(SegmentReader, ReadsWhatAClientLeft) {
  SegmentImage image = full_image();
  const UniqueFd file = image.file();
  const auto segment = SegmentReader::open(file.get());
  ASSERT_TRUE(segment) << segment.error().message();
  EXPECT_EQ(segment->client_id(), SegmentImage::kClient);
  EXPECT_EQ(segment->pid(), 4711U);
  EXPECT_EQ(segment->store_id(), "");
  EXPECT_EQ(segment->run().directory, "/nowhere");
  EXPECT_EQ(segment->run().workload_type, "s3");
  EXPECT_EQ(segment->losses(), (DropCounts{{"ring", {{"full", 7}}}}));
  const Contents contents = read(*segment);
  EXPECT_THAT(contents.records, ElementsAre("download:2", ":3", "list:4"));
  EXPECT_THAT(contents.queued, ElementsAre("0:1-2", "0:3-4", "1:1-1"));
  EXPECT_EQ(contents.unread, 0U);
  EXPECT_THAT(contents.definitions, ::testing::HasSubstr("\"define\""));
  const auto names = segment->read_names();
  ASSERT_TRUE(names);
  std::vector<const RecordNames*> entries;
  names->refresh(entries);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_FALSE(entries[1]->valid);
  EXPECT_EQ(entries[2]->operation_type, "upload");
}

TEST(SegmentReader, FollowsRecordsAcrossTheEndOfARing) {
  SegmentImage image;
  SegmentImage::RingOptions ring = ring_of({});
  ring.start = 3 * SegmentImage::kPage - 40;
  ring.written = 1000;
  for (int i = 0; i < 40; ++i) ring.records.push_back(SegmentImage::record("t" + std::to_string(i)));
  image.add_ring(ring);
  const UniqueFd file = image.file();
  const auto segment = SegmentReader::open(file.get());
  ASSERT_TRUE(segment);
  const Contents contents = read(*segment);
  ASSERT_EQ(contents.records.size(), 40U);
  EXPECT_EQ(contents.records.front(), "t0:1001");
  EXPECT_EQ(contents.records.back(), "t39:1040");
}

TEST(SegmentReader, ReadsARingThatIsLargerThanItsBuffer) {
  SegmentImage image;
  SegmentImage::RingOptions ring = ring_of({});
  ring.capacity = 4 * RingReader::kBuffer;
  ring.start = 2 * ring.capacity - (std::uint64_t{1} << 20);
  const std::string id(30'000, 'x');
  for (int i = 0; i < 100; ++i) ring.records.push_back(SegmentImage::record("t", 1, 0, id));
  image.add_ring(ring);
  const UniqueFd file = image.file();
  const auto segment = SegmentReader::open(file.get());
  ASSERT_TRUE(segment);
  EXPECT_EQ(read(*segment).records.size(), 100U);
}

// A thread that was killed in record() has counted one that is not there yet.
TEST(SegmentReader, TakesARecordForThereOnceTheHeadHasPassedIt) {
  SegmentImage image;
  const std::size_t ring = image.add_ring(ring_of({SegmentImage::record("a"), SegmentImage::record("b")}));
  image.at<RingBlock>(ring).committed = 3;
  const UniqueFd file = image.file();
  const auto segment = SegmentReader::open(file.get());
  ASSERT_TRUE(segment);
  const Contents contents = read(*segment);
  EXPECT_THAT(contents.records, ElementsAre("a:1", "b:2"));
  EXPECT_EQ(contents.unread, 0U);
}

// The other position is being written while one is read.
TEST(SegmentReader, BelievesThePositionThatCounts) {
  SegmentImage image;
  const std::size_t ring = image.add_ring(ring_of({SegmentImage::record("a")}));
  image.at<RingBlock>(ring).positions[0] = {
      .taken_to = ~std::uint64_t{0}, .taken = 0, .sequence = 5, .written_to = 3, .written = 9};
  const UniqueFd file = image.file();
  const auto segment = SegmentReader::open(file.get());
  ASSERT_TRUE(segment);
  EXPECT_THAT(read(*segment).records, ElementsAre("a:1"));
}

TEST(SegmentReader, TellsHowManyRecordsAreBeyondReach) {
  SegmentImage image;
  const std::size_t ring = image.add_ring(
      ring_of({SegmentImage::record("a"), SegmentImage::record("b"), SegmentImage::record("c")}));
  image.at<RecordHeader>(ring + SegmentImage::kPage + SegmentImage::record("a").size()).size = 1;
  const UniqueFd file = image.file();
  const auto segment = SegmentReader::open(file.get());
  ASSERT_TRUE(segment);
  const Contents contents = read(*segment);
  EXPECT_THAT(contents.records, ElementsAre("a:1"));
  EXPECT_EQ(contents.unread, 2U);
}

// A kill between the counting of a loss and the move of the ring's cursor.
TEST(SegmentReader, TakesBackLossesWhoseRecordsAreStillThere) {
  SegmentImage image;
  SegmentImage::RingOptions ring = ring_of({SegmentImage::record("a"), SegmentImage::record("b")});
  ring.taken = 1;
  ring.sequence = 1;
  image.add_ring(ring);
  image.set_loss(0, "socket", "no_daemon", 12);
  SegmentTurn& turn = image.header().turn;
  turn.set = 1;
  turn.stream = 0;
  turn.taken = 1;
  for (SegmentLossMark& mark : turn.marks) mark.loss = kNoLoss;
  turn.marks[0] = {.loss = 0, .reserved = 0, .operations = 11};
  EXPECT_EQ(SegmentReader::open(image.file().get())->losses(), (DropCounts{{"socket", {{"no_daemon", 11}}}}));
  turn.taken = 0;  // the cursor has moved since
  EXPECT_EQ(SegmentReader::open(image.file().get())->losses(), (DropCounts{{"socket", {{"no_daemon", 12}}}}));
  turn.taken = 1;
  turn.set = 0;
  EXPECT_EQ(SegmentReader::open(image.file().get())->losses(), (DropCounts{{"socket", {{"no_daemon", 12}}}}));
}

TEST(SegmentReader, PassesOverFreePartsOfTheQueue) {
  SegmentImage image;
  const std::size_t part = image.add_queue(0, {SegmentImage::batch(0, 1, 2)});
  image.at<QueueBlock>(part).begin = ~std::uint64_t{0};
  image.add_queue(9, {SegmentImage::batch(0, 3, 1)});
  const UniqueFd file = image.file();
  const auto segment = SegmentReader::open(file.get());
  ASSERT_TRUE(segment);
  EXPECT_THAT(read(*segment).queued, ElementsAre("0:3-3"));
}

// Its memory is not allocated before its block is there.
TEST(SegmentReader, PassesOverARingInTheMaking) {
  SegmentImage image;
  const std::size_t ring = image.add_ring(ring_of({SegmentImage::record("a")}));
  image.at<RingBlock>(ring).capacity = 0;
  EXPECT_TRUE(SegmentReader::open(image.file().get())->rings().empty());
}

// Blocks that are being made lie behind the end, and kinds of a later version mean nothing.
TEST(SegmentReader, PassesOverWhatItDoesNotKnow) {
  SegmentImage image;
  const std::size_t unknown = image.add_definitions("x");
  image.at<BlockHeader>(unknown).kind = static_cast<BlockKind>(77);
  const std::size_t ring = image.add_ring(ring_of({SegmentImage::record("a")}));
  const UniqueFd file = image.file();
  EXPECT_THAT(read(*SegmentReader::open(file.get())).records, ElementsAre("a:1"));
  image.header().end = ring;
  const UniqueFd shorter = image.file();
  EXPECT_THAT(read(*SegmentReader::open(shorter.get())).records, IsEmpty());
}

TEST(SegmentReader, RefusesWhatIsNoSegment) {
  const auto error_of = [](const std::function<void(SegmentImage&)>& change) {
    SegmentImage image = full_image();
    change(image);
    const UniqueFd file = image.file();
    return SegmentReader::open(file.get()).error();
  };
  EXPECT_EQ(error_of([](auto& image) { image.header().magic = 1; }), Errc::corrupt_state);
  EXPECT_EQ(error_of([](auto& image) { image.header().version = 99; }), Errc::unsupported_protocol);
  EXPECT_EQ(error_of([](auto& image) { image.header().page_bytes = 0; }), Errc::corrupt_state);
  EXPECT_EQ(error_of([](auto& image) { image.header().end = 1 << 30; }), Errc::corrupt_state);
  EXPECT_EQ(error_of([](auto& image) { image.header().identities[0].client_id[3] = '/'; }),
            Errc::corrupt_state);
  EXPECT_EQ(error_of([](auto& image) { image.add_ring({}); }), Errc::corrupt_state);  // a second stream 0
  EXPECT_EQ(error_of([](auto& image) {
              SegmentImage::RingOptions ring;
              ring.stream = 1;
              image.template at<RingBlock>(image.add_ring(ring)).head = std::uint64_t{1} << 40;
            }),
            Errc::corrupt_state);
  EXPECT_EQ(error_of([](auto& image) { image.template at<BlockHeader>(SegmentImage::kPage).bytes = 0; }),
            Errc::corrupt_state);
}

TEST(SegmentReader, RefusesWhatIsNoFileOfMemoryOrDisk) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  EXPECT_EQ(SegmentReader::open(pipe_ends[0]).error(), Errc::endpoint_unusable);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  const UniqueFd served(::open("/proc/self/status", O_RDONLY));
  EXPECT_EQ(SegmentReader::open(served.get()).error(), Errc::endpoint_unusable);
}

// All that can be asked of a segment, whatever it is: nothing but errors, and no more than it has room for.
void use(int file) {
  const auto segment = SegmentReader::open(file);
  if (!segment) return;
  const Contents contents = read(*segment);
  EXPECT_LE(contents.records.size(), std::size_t{64});
  EXPECT_LE(contents.bytes, std::uint64_t{1} << 20);
  EXPECT_LE(contents.unread, std::uint64_t{64});
  static_cast<void>(segment->read_names());
  static_cast<void>(complete_file(*segment, "/nowhere", ::geteuid()));
  const auto names = segment->read_names();
  if (!names) return;
  SegmentLines lines(*segment, *names);
  std::string line;
  for (auto more = lines.next(line); more && *more; more = lines.next(line)) {
    EXPECT_TRUE(line.ends_with('\n'));
  }
}

TEST(SegmentReader, BearsEveryTruncation) {
  SegmentImage image = full_image();
  const UniqueFd file = image.file();
  for (std::size_t size = image.bytes().size(); size > 0; size -= std::min<std::size_t>(size, 61)) {
    ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(size)), 0);
    use(file.get());
  }
}

TEST(SegmentReader, BearsEveryFlippedBit) {
  SegmentImage image = full_image();
  const UniqueFd file = image.file();
  const std::vector<std::byte> whole = image.bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (whole[at] == std::byte{0} && at % 8 != 0) continue;  // most of a page is padding
    for (const unsigned bit : {0U, 3U, 7U}) {
      const std::byte flipped = whole[at] ^ static_cast<std::byte>(1U << bit);
      ASSERT_EQ(::pwrite(file.get(), &flipped, 1, static_cast<off_t>(at)), 1);
      use(file.get());
      ASSERT_EQ(::pwrite(file.get(), whole.data(), whole.size(), 0), static_cast<ssize_t>(whole.size()));
    }
  }
}

TEST(SegmentReader, BearsNumbersThatAreAnything) {
  SegmentImage image = full_image();
  const UniqueFd file = image.file();
  const std::vector<std::byte> whole = image.bytes();
  std::mt19937_64 random(1);
  constexpr std::uint64_t kEdges[] = {0, 1, 7, 8, 4095, 4096, 4097, UINT32_MAX, INT64_MAX, UINT64_MAX};
  for (int i = 0; i < 20'000; ++i) {
    for (int changes = 0; changes < 3; ++changes) {
      const std::uint64_t value = i % 2 == 0 ? kEdges[random() % std::size(kEdges)] : random();
      const std::size_t at = random() % (whole.size() / 8) * 8;
      ASSERT_EQ(::pwrite(file.get(), &value, sizeof value, static_cast<off_t>(at)), 8);
    }
    use(file.get());
    if (i % 4 == 3) {
      ASSERT_EQ(::pwrite(file.get(), whole.data(), whole.size(), 0), static_cast<ssize_t>(whole.size()));
    }
  }
}

// Blocks may be holes, which cost nothing to make and much to read.
TEST(SegmentReader, BoundsWhatIsReadAtOnce) {
  constexpr std::size_t kBlock = limits::kSegmentText + 4096;
  constexpr std::size_t kBlocks = limits::kSegmentTexts / limits::kSegmentText;
  const auto of_holes = [](std::size_t blocks) {
    SegmentImage image;
    image.header().end = 4096 + blocks * kBlock;
    const UniqueFd file = image.file();
    EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(image.header().end)), 0);
    for (std::size_t i = 0; i < blocks; ++i) {
      DefinitionsBlock block{};
      block.block = {BlockKind::definitions, static_cast<std::uint32_t>(i), kBlock};
      block.used = limits::kSegmentText;
      const auto place = static_cast<off_t>(4096 + i * kBlock);
      EXPECT_EQ(::pwrite(file.get(), &block, sizeof block, place), static_cast<ssize_t>(sizeof block));
    }
    const auto segment = SegmentReader::open(file.get());
    return segment ? error_code() : segment.error();
  };
  EXPECT_EQ(of_holes(kBlocks), error_code());
  EXPECT_EQ(of_holes(kBlocks + 1), Errc::corrupt_state);
}

TEST(SegmentReader, TakesOneRunAndNoFileLongerThanAClientMakes) {
  SegmentImage twice;
  twice.add_run({"", "/a", "", "", ""});
  twice.add_run({"", "/b", "", "", ""});
  EXPECT_EQ(SegmentReader::open(twice.file().get()).error(), Errc::corrupt_state);
  SegmentImage image;
  image.header().end = limits::kSegmentBytes + 4096;
  const UniqueFd file = image.file();
  ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(image.header().end)), 0);
  EXPECT_EQ(SegmentReader::open(file.get()).error(), Errc::corrupt_state);
}

}  // namespace
}  // namespace metricsd::ipc
