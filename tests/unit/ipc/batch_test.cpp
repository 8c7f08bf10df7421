#include "batch_reader.h"

#include <metricsd/ipc/batch.h>
#include <metricsd/models/json/document.h>
#include <metricsd/models/limits.h>
#include <metricsd/support/batch_text.h>
#include <metricsd/support/fuzz_cases.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

using support::fuzz_cases;
using support::fuzz_seed;
using support::text_of;

// The line of docs/wire-protocol.md. It stays as it is: senders of this version write it for ever.
constexpr std::string_view kGolden =
    R"({"type":"batch","stream":0,"first_seq":1,"count":3,)"
    R"("shared":[{"operation_type":"upload","workload_type":"s3","driver":"boto","success":true},)"
    R"({"operation_type":"upload","workload_type":"s3","driver":"boto","success":false,"error_code":"SlowDown"}],)"
    R"("fields":["duration_ns","object_size_bytes","retry_count"],)"
    R"("rows":[[0,112500000,1048576,0],[1,90000000,0,2],null]})";

std::string read_as_document(std::string_view line) {
  const auto document = parse_json(line);
  if (!document) return "no document";
  if (!document->is_object()) return "no object";
  BatchReader reader;
  const auto refusal = reader.read(document->get_object());
  if (refusal) return "!" + std::string(reason(refusal->reason)) + ":" + refusal->detail;
  return text_of(reader.batch());
}

std::string with_rows(std::string_view count, std::string_view rows,
                      std::string_view fields = R"(["duration_ns","object_size_bytes","retry_count"])") {
  return R"({"type":"batch","stream":7,"first_seq":10,"count":)" + std::string(count) +
         R"(,"shared":[{"operation_type":"get","success":true}],"fields":)" + std::string(fields) +
         R"(,"rows":)" + std::string(rows) + "}";
}

TEST(Batch, GoldenLineReadsTheSameBothWays) {
  const std::string expected =
      "0/1+3 ?0 {upload|s3|boto|+} {upload|s3|boto|-SlowDown} [0 112500000 1048576 0] [1 90000000 0 2] "
      "nothing";
  EXPECT_EQ(read_as_document(kGolden), expected);
  BatchReader reader;
  ASSERT_TRUE(reader.read_usual(kGolden));
  EXPECT_EQ(text_of(reader.batch()), expected);
}

TEST(BatchEncoder, WritesTheGoldenLine) {
  BatchEncoder encoder;
  encoder.begin(0, 1);
  const SharedFieldsView upload{.operation_type = "upload", .workload_type = "s3", .driver = "boto"};
  SharedFieldsView slow_down = upload;
  slow_down.success = false;
  slow_down.error_code = "SlowDown";
  encoder.add(encoder.shared(upload), 112'500'000, 1'048'576, 0);
  encoder.add(encoder.shared(slow_down), 90'000'000, 0, 2);
  encoder.add_nothing();
  std::string line;
  encoder.finish(line);
  EXPECT_EQ(line, std::string(kGolden) + "\n");
}

TEST(BatchEncoder, KeepsItsDictionaryFromBatchToBatch) {
  BatchEncoder encoder;
  BatchReader reader;
  for (std::uint64_t first = 1; first < 40; first += 10) {
    encoder.begin(3, first);
    for (int i = 0; i < 10; ++i) encoder.add(encoder.shared({.operation_type = "get"}), i, 0, 0);
    std::string line;
    encoder.finish(line);
    line.pop_back();
    ASSERT_TRUE(reader.read_usual(line)) << line;
    EXPECT_EQ(reader.batch().first_seq, first);
    EXPECT_EQ(reader.batch().shared_version, 1U) << "what did not change is recognised";
  }
}

TEST(BatchEncoder, BeginsItsDictionaryAnewBeforeItIsLarge) {
  BatchEncoder encoder;
  const std::uint64_t version = encoder.dictionary_version();
  for (int i = 0; i < 1000; ++i) {
    encoder.begin(0, static_cast<std::uint64_t>(i) + 1);
    encoder.add(encoder.shared({.operation_type = "op" + std::to_string(i)}), 1, 1, 1);
    std::string line;
    encoder.finish(line);
    ASSERT_LT(line.size(), 10'000U);
    line.pop_back();
    ASSERT_TRUE(BatchReader().read_usual(line)) << line;
  }
  EXPECT_GT(encoder.dictionary_version(), version);
}

TEST(BatchEncoder, IsFullBeforeADaemonWouldRefuse) {
  BatchEncoder encoder;
  encoder.begin(4095, limits::kWhole - limits::kBatchRows);
  const std::uint32_t shared = encoder.shared({.operation_type = "get"});
  while (!encoder.is_full()) {
    encoder.add(shared, limits::kDurationNs, limits::kWhole, limits::kWhole);
  }
  std::string line;
  encoder.finish(line);
  EXPECT_LT(line.size(), limits::kBatchLine);
  line.pop_back();
  BatchReader reader;
  ASSERT_TRUE(reader.read_usual(line));
  EXPECT_EQ(reader.batch().rows.size(), encoder.count());
}

TEST(BatchEncoder, ADictionaryOfTheLargestEntriesFitsToo) {
  BatchEncoder encoder;
  encoder.begin(0, 1);
  for (int i = 0; !encoder.is_full(); ++i) {
    const std::string code(limits::kErrorCode - 4, '\x01');
    encoder.add(encoder.shared({.operation_type = "get",
                                .driver = std::string(limits::kDriver, '"'),
                                .success = false,
                                .error_code = code + std::to_string(i)}),
                1, 1, 1);
  }
  std::string line;
  encoder.finish(line);
  EXPECT_LT(line.size(), limits::kBatchLine);
  line.pop_back();
  EXPECT_TRUE(read_as_document(line).starts_with("0/1+")) << read_as_document(line).substr(0, 200);
}

TEST(Batch, AnEmptyOneIsOne) {
  EXPECT_EQ(read_as_document(with_rows("0", "[]")), "7/10+0 ?0 {get|||+}");
}

TEST(Batch, ABadRowRefusesThatRow) {
  EXPECT_EQ(read_as_document(with_rows("4", R"([[0,1,2,3],[0,-1,2,3],[0,"1",2,3],[0,1.5,2,3]])")),
            "7/10+4 ?0 {get|||+} [0 1 2 3] !out_of_range !wrong_type !out_of_range");
  EXPECT_EQ(read_as_document(with_rows("3", "[[0,null,2,3],[0,1,null,null],[0,1000000000000001,0,0]]")),
            "7/10+3 ?0 {get|||+} !missing_field [0 1 0 0] !out_of_range");
}

TEST(Batch, ALieAboutItsStructureRefusesAllOfIt) {
  const std::vector<std::string> lies{
      with_rows("2", "[[0,1,2,3]]"),            // fewer rows than told
      with_rows("1", "[[0,1,2,3],[0,1,2,3]]"),  // more
      with_rows("1", "[[0,1,2]]"),              // arity
      with_rows("1", "[[0,1,2,3,4]]"),          //
      with_rows("1", "[[]]"),                   //
      with_rows("1", "[[1,1,2,3]]"),            // no such entry
      with_rows("1", "[[-1,1,2,3]]"),           //
      with_rows("1", "[[null,1,2,3]]"),         //
  };
  for (const std::string& lie : lies) {
    const std::string read = read_as_document(lie);
    EXPECT_TRUE(read.ends_with("inconsistent_batch:rows")) << lie << "\n" << read;
    EXPECT_TRUE(read.starts_with("7/10+")) << "its sequence is known all the same: " << read;
    EXPECT_FALSE(BatchReader().read_usual(lie)) << lie;
  }
  EXPECT_EQ(read_as_document(with_rows("1", "[1]")), "7/10+1 ?0 wrong_type:rows");
  EXPECT_EQ(read_as_document(with_rows("1", "{}")), "7/10+1 ?0 wrong_type:rows");
}

TEST(Batch, ColumnsMayComeInAnyOrderAndBeUnknown) {
  EXPECT_EQ(read_as_document(with_rows("1", R"([[0,"x",4,9]])", R"(["colour","retry_count","duration_ns"])")),
            "7/10+1 ?1 {get|||+} [0 9 0 4]");
  EXPECT_EQ(read_as_document(with_rows("0", "[]", R"(["retry_count"])")), "7/10+0 ?0 missing_field:fields");
  EXPECT_EQ(read_as_document(with_rows("0", "[]", R"(["duration_ns","duration_ns"])")),
            "7/10+0 ?0 duplicate_field:fields");
  EXPECT_EQ(read_as_document(with_rows("0", "[]", "7")), "7/10+0 ?0 wrong_type:fields");
}

TEST(Batch, AHeaderThatDoesNotSayItsRecordsIsRefusedAsALine) {
  EXPECT_EQ(read_as_document(R"({"type":"batch"})"), "!missing_field:stream");
  EXPECT_EQ(read_as_document(R"({"type":"batch","stream":4096,"first_seq":1,"count":0})"),
            "!out_of_range:stream");
  EXPECT_EQ(read_as_document(R"({"type":"batch","stream":0,"first_seq":0,"count":0})"),
            "!out_of_range:first_seq");
  EXPECT_EQ(read_as_document(R"({"type":"batch","stream":0,"first_seq":9007199254740992,"count":1})"),
            "!out_of_range:first_seq");
  EXPECT_EQ(read_as_document(R"({"type":"batch","stream":0,"first_seq":1,"count":16385})"),
            "!out_of_range:count");
}

// A changed dictionary must never be taken for the one before.
TEST(BatchReader, NoticesEveryChangeOfTheDictionary) {
  const auto line = [](std::string_view type) {
    return R"({"type":"batch","stream":0,"first_seq":1,"count":1,"shared":[{"operation_type":")" +
           std::string(type) +
           R"(","success":true}],"fields":["duration_ns","object_size_bytes","retry_count"],"rows":[[0,1,2,3]]})";
  };
  BatchReader reader;
  std::uint64_t version = 0;
  for (const std::string_view type : {"get", "put", "getx", "get"}) {
    ASSERT_TRUE(reader.read_usual(line(type)));
    EXPECT_EQ(reader.batch().shared.at(0).operation_type, type);
    EXPECT_GT(reader.batch().shared_version, version);
    version = reader.batch().shared_version;
  }
  ASSERT_TRUE(reader.read_usual(line("get")));
  EXPECT_EQ(reader.batch().shared_version, version);
  // A line that is not usual after all leaves nothing behind that a later one could be mistaken for.
  EXPECT_FALSE(reader.read_usual(line("put").substr(0, 120)));
  ASSERT_TRUE(reader.read_usual(line("get")));
  EXPECT_EQ(reader.batch().shared.at(0).operation_type, "get");
}

TEST(BatchReader, GivesBackTheMemoryOfALargeBatch) {
  BatchEncoder encoder;
  encoder.begin(0, 1);
  const std::uint32_t shared = encoder.shared({.operation_type = "get"});
  for (int i = 0; i < 10'000; ++i) encoder.add(shared, 1, 1, 1);
  std::string line;
  encoder.finish(line);
  line.pop_back();
  BatchReader reader;
  ASSERT_TRUE(reader.read_usual(line));
  reader.recycle();
  EXPECT_LE(reader.batch().rows.capacity(), 1024U);
}

// Makes lines that are nearly usual, and breaks some of them.
class LineMaker {
 public:
  explicit LineMaker(std::uint32_t seed) : random_(seed) {}

  std::string make() {
    std::string line =
        R"({"type":"batch","stream":)" + number() + R"(,"first_seq":)" + number() + R"(,"count":)";
    const int rows = pick(6);
    line += (one_in(20) ? number() : std::to_string(rows)) + R"(,"shared":[)";
    const int entries = 1 + pick(3);
    for (int i = 0; i < entries; ++i) line += (i == 0 ? "" : ",") + entry();
    line += one_in(30) ? R"(],"fields":["duration_ns","retry_count"],"rows":[)"
                       : R"(],"fields":["duration_ns","object_size_bytes","retry_count"],"rows":[)";
    for (int i = 0; i < rows; ++i) line += (i == 0 ? "" : ",") + row(entries);
    line += "]}";
    for (int breaks = one_in(3) ? pick(4) : 0; breaks > 0; --breaks) change(line);
    return line;
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<std::uint32_t>(below)); }
  bool one_in(int n) { return pick(n) == 0; }
  std::string any_of(const std::vector<std::string>& choices) {
    return choices[static_cast<std::size_t>(pick(static_cast<int>(choices.size())))];
  }
  std::string number() {
    if (!one_in(8)) return std::to_string(pick(2) == 0 ? pick(4000) : static_cast<int>(random_() >> 2));
    return any_of({"0",
                   "00",
                   "01",
                   "-1",
                   "1.0",
                   "1e3",
                   "12345678",
                   "123456789",
                   "1234567890123456",
                   "12345678901234567",
                   "9007199254740992",
                   "9007199254740993",
                   "1000000000000000",
                   "1000000000000001",
                   "18446744073709551616",
                   "null",
                   "true",
                   "\"1\"",
                   "",
                   " 1",
                   "4095",
                   "4096"});
  }
  std::string text() {
    return any_of({"get", "put", "S3", "a.b:c-d_e", "", "a b", "\\u0061", "\\\"", "\xC3\xA4", "\xFF", "~",
                   std::string(64, 'x'), std::string(65, 'x'), std::string(128, 'y'), std::string(129, 'y')});
  }
  std::string entry() {
    std::string out = R"({"operation_type":")" + (one_in(4) ? text() : "get") + "\"";
    if (one_in(2)) out += R"(,"workload_type":")" + text() + "\"";
    if (one_in(2)) out += R"(,"driver":")" + text() + "\"";
    out += one_in(2) ? R"(,"success":true)" : R"(,"success":false)";
    if (one_in(2)) out += R"(,"error_code":")" + text() + "\"";
    return out + "}";
  }
  std::string row(int entries) {
    if (one_in(10)) return "null";
    return "[" + (one_in(10) ? number() : std::to_string(pick(entries))) + "," + number() + "," + number() +
           "," + number() + "]";
  }
  void change(std::string& line) {
    if (line.empty()) return;
    const auto at = static_cast<std::size_t>(pick(static_cast<int>(line.size())));
    switch (pick(5)) {
      case 0: line[at] = static_cast<char>(random_()); break;
      case 1: line.erase(at, 1); break;
      case 2: line.insert(at, 1, static_cast<char>(random_())); break;
      case 3: line.insert(at, any_of({" ", ",", "[", "]", "0", "1", "null", "\"", "{}", "\t", "\\"})); break;
      default: line.resize(at + 1); break;
    }
  }

  std::mt19937 random_;
};

TEST(BatchReader, FastWayAndCarefulWaySayTheSameOfEveryLine) {
  const std::uint64_t cases = fuzz_cases(100'000);
  LineMaker maker(static_cast<std::uint32_t>(fuzz_seed(20240601)));
  BatchReader reader;  // one for all, as a connection has it
  std::uint64_t usual = 0;
  for (std::uint64_t i = 0; i < cases; ++i) {
    const std::string line = maker.make();
    if (!reader.read_usual(line)) continue;
    ++usual;
    ASSERT_EQ(text_of(reader.batch()), read_as_document(line)) << line;
  }
  EXPECT_GT(usual, cases / 50) << "the fast way must have been tried";
}

}  // namespace
}  // namespace metricsd::ipc
