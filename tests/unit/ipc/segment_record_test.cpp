#include <metricsd/ipc/segment_record.h>

#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

std::vector<std::byte> bytes_of(const RecordHeader& header, std::size_t size) {
  std::vector<std::byte> bytes(size, std::byte{'x'});
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

RecordHeader header_of(std::uint32_t size) {
  RecordHeader header{};
  header.size = size;
  return header;
}

TEST(SegmentRecord, IsItsHeaderWhereItHasNoTexts) {
  RecordHeader plain = header_of(64);
  plain.handle = 3;
  plain.duration = 7;
  Record record;
  ASSERT_TRUE(decode_record(bytes_of(plain, 64), record));
  EXPECT_EQ(record.header.handle, 3U);
  EXPECT_EQ(record.header.duration, 7);
  EXPECT_TRUE(record.text(RecordText::operation_type).empty());
}

TEST(SegmentRecord, MayBeFollowedByOthers) {
  Record record;
  ASSERT_TRUE(decode_record(bytes_of(header_of(64), 200), record));
  EXPECT_EQ(record.header.size, 64U);
}

TEST(SegmentRecord, IsRefusedWhereItLies) {
  Record record;
  EXPECT_FALSE(decode_record({}, record));
  EXPECT_FALSE(decode_record(std::vector<std::byte>(63), record));
  EXPECT_FALSE(decode_record(bytes_of(header_of(0), 64), record));    // would never end
  EXPECT_FALSE(decode_record(bytes_of(header_of(56), 64), record));   // smaller than its header
  EXPECT_FALSE(decode_record(bytes_of(header_of(68), 128), record));  // not padded
  EXPECT_FALSE(decode_record(bytes_of(header_of(128), 64), record));  // leads out of the ring
  EXPECT_FALSE(decode_record(bytes_of(header_of(0xFFFFFFF8), 64), record));
  RecordHeader text_beyond_end = header_of(64);
  text_beyond_end.lengths[0] = 1;
  EXPECT_FALSE(decode_record(bytes_of(text_beyond_end, 128), record));
  RecordHeader start_beyond_end = header_of(64);
  start_beyond_end.flags = record_flags::kIntendedStart;
  EXPECT_FALSE(decode_record(bytes_of(start_beyond_end, 128), record));
  RecordHeader long_texts = header_of(72);
  long_texts.lengths.fill(0xFFFF);
  EXPECT_FALSE(decode_record(bytes_of(long_texts, 128), record));
}

// Whatever the bytes are, what is taken lies within them.
TEST(SegmentRecord, NeverLeadsOutOfItsBytes) {
  std::mt19937 random(7);  // NOLINT: the same sequence each time
  for (int i = 0; i < 200'000; ++i) {
    std::vector<std::byte> bytes(random() % 256);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % 4 == 0 ? random() : 0);
    if (bytes.size() >= 4 && random() % 2 == 0) {
      const auto size = static_cast<std::uint32_t>(random() % 32 * 8);
      std::memcpy(bytes.data(), &size, sizeof size);
    }
    Record record;
    if (!decode_record(bytes, record)) continue;
    ASSERT_LE(record.header.size, bytes.size());
    const auto* const begin = reinterpret_cast<const char*>(bytes.data());
    for (const std::string_view text : record.texts) {
      ASSERT_GE(text.data(), begin);
      ASSERT_LE(text.data() + text.size(), begin + record.header.size);
    }
  }
}

}  // namespace
}  // namespace metricsd::ipc
