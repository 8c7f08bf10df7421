#include <metricsd/ipc/decoder.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What a decoder says of a stream, a word a step: "upload" for an operation, "#1" for a message and its
// alternative's number, "!reason:field" for a refusal.
class Listener {
 public:
  explicit Listener(std::size_t max_line = limits::kPlainLine) : decoder_(max_line) {}

  void feed(std::string_view bytes) {
    std::string copy(bytes);
    decoder_.feed(copy);
    for (auto step = decoder_.next(); step != Decoder::Step::need_more; step = decoder_.next())
      told_.push_back(say(step));
    copy.assign(copy.size(), '#');
  }
  void finish() {
    if (const auto step = decoder_.finish(); step != Decoder::Step::need_more) told_.push_back(say(step));
  }

  [[nodiscard]] const std::vector<std::string>& told() const { return told_; }
  [[nodiscard]] const Decoder& decoder() const { return decoder_; }

 private:
  std::string say(Decoder::Step step) {
    switch (step) {
      case Decoder::Step::operation: return std::string(decoder_.operation().operation_type);
      case Decoder::Step::batch: return "batch of " + std::to_string(decoder_.batch().count);
      case Decoder::Step::message: return "#" + std::to_string(decoder_.message().index());
      case Decoder::Step::refusal:
        return "!" + std::string(reason(decoder_.refusal().reason)) + ":" + decoder_.refusal().detail;
      case Decoder::Step::need_more: break;
    }
    return "?";
  }

  Decoder decoder_;
  std::vector<std::string> told_;
};

std::vector<std::string> told_of(const std::vector<std::string>& feeds) {
  Listener listener;
  for (const std::string& bytes : feeds) listener.feed(bytes);
  listener.finish();
  return listener.told();
}

const std::string kStream =
    "{\"operation_type\":\"upload\",\"duration_ms\":112.5,\"success\":true}\n"
    "\r\n"
    "{\"type\":\"users\",\"count\":3}\r\n"
    "no json\n"
    "{\"operation_type\":\"up\\u00e4\",\"duration_ms\":1,\"success\":true}\n"
    "{\"operation_type\":\"list\",\"duration_ms\":\"1\",\"success\":true}\n"
    "{\"type\":\"users\",\"count\":-1}\n"
    "[1]\n"
    "{\"operation_type\":\"delete\",\"duration_ms\":1,\"success\":false,\"object_key\":\"\xC3\xA4\"}\n"
    "{\"operation_type\":\"read\",\"duration_ms\":1,\"success\":true}";

const std::vector<std::string> kTold{"upload",
                                     "#0",
                                     "!malformed_json:",
                                     "!invalid_characters:operation_type",
                                     "!wrong_type:duration_ms",
                                     "!out_of_range:count",
                                     "!not_an_object:",
                                     "delete",
                                     "!half_line:"};

TEST(Decoder, TellsOperationsMessagesAndRefusalsInOrder) {
  EXPECT_EQ(told_of({kStream}), kTold);
}

TEST(Decoder, IsRightByteByByte) {
  std::vector<std::string> bytes;
  for (const char c : kStream) bytes.emplace_back(1, c);
  EXPECT_EQ(told_of(bytes), kTold);
}

TEST(Decoder, IsRightAtEverySplit) {
  for (std::size_t split = 0; split <= kStream.size(); ++split) {
    ASSERT_EQ(told_of({kStream.substr(0, split), kStream.substr(split)}), kTold) << "split at " << split;
  }
}

TEST(Decoder, RefusesAHalfLineEvenIfItIsAWholeObject) {
  EXPECT_THAT(told_of({R"({"type":"status"})"}), ElementsAre("!half_line:"));
  EXPECT_THAT(told_of({"{\"type\":\"status\"}\n"}), ElementsAre("#3"));
}

TEST(Decoder, HasNothingToSayOfNothing) {
  EXPECT_THAT(told_of({}), IsEmpty());
  EXPECT_THAT(told_of({"", "\n\n", "\r\n"}), IsEmpty());
}

TEST(Decoder, RefusesALineOverItsLimitOnceAndGoesOn) {
  Listener listener(64);
  listener.feed(std::string(100, ' '));
  listener.feed(std::string(100, ' ') + "\n{\"type\":\"status\"}\n");
  EXPECT_THAT(listener.told(), ElementsAre("!line_too_long:", "#3"));
}

TEST(Decoder, TakesAnOperationOfExactlyTheLimit) {
  const std::string operation = R"({"operation_type":"upload","duration_ms":112.5,"success":true})";
  for (const std::string end : {"\n", "\r\n"}) {
    for (const bool more : {false, true}) {
      const std::string stream = operation + end + (more ? operation + end : "");
      const std::size_t lines = more ? 2 : 1;
      Listener enough(operation.size());
      enough.feed(stream);
      EXPECT_EQ(enough.told(), std::vector<std::string>(lines, "upload"));
      Listener too_little(operation.size() - 1);
      too_little.feed(stream);
      EXPECT_EQ(too_little.told(), std::vector<std::string>(lines, "!line_too_long:"));
    }
  }
}

std::string hello_of(std::size_t bytes) {
  std::string line =
      R"({"type":"hello","protocol":1,"client_id":"00112233445566778899aabbccddeeff","streams":[],"x":")";
  line.append(bytes - line.size() - 2, 'x').append("\"}");
  return line;
}

TEST(Decoder, TakesALongHelloAsTheFirstLineOnly) {
  const std::string hello = hello_of(limits::kHelloLine);
  const std::string took = "#" + std::to_string(Message(HelloMessage()).index());
  EXPECT_EQ(told_of({hello + "\n"}), (std::vector<std::string>{took}));
  EXPECT_EQ(told_of({hello.substr(0, 100'000), hello.substr(100'000) + "\n"}),
            (std::vector<std::string>{took}));
  EXPECT_EQ(told_of({hello_of(limits::kHelloLine + 1) + "\n"}),
            (std::vector<std::string>{"!line_too_long:"}));
  EXPECT_EQ(told_of({"\n" + hello + "\n"}), (std::vector<std::string>{"!line_too_long:"}));
  EXPECT_EQ(told_of({hello_of(200) + "\n" + hello + "\n"}),
            (std::vector<std::string>{took, "!line_too_long:"}));
}

TEST(Decoder, RefusesAnyOtherFirstLineOverTheLimit) {
  std::string users = R"({"type":"users","count":1,"x":")";
  users.append(limits::kPlainLine + 1 - users.size() - 2, 'x').append("\"}");
  EXPECT_EQ(told_of({users + "\n" + hello_of(200) + "\n"}).front(), "!line_too_long:");
}

TEST(Decoder, ForgetsATooLongLineAtTheEnd) {
  Listener listener(4);
  listener.feed("12345");
  listener.finish();
  EXPECT_THAT(listener.told(), ElementsAre("!line_too_long:"));
}

TEST(Decoder, CountsTheUnknownFieldsOfAnOperation) {
  Listener listener;
  listener.feed("{\"operation_type\":\"a\",\"duration_ms\":1,\"success\":true,\"x\":1,\"y\":{}}\n");
  EXPECT_THAT(listener.told(), ElementsAre("a"));
  EXPECT_EQ(listener.decoder().unknown_fields(), 2U);
}

TEST(Decoder, HandsOutWhatAMessageSays) {
  Decoder decoder;
  decoder.feed("{\"type\":\"users\",\"count\":7}\n");
  ASSERT_EQ(decoder.next(), Decoder::Step::message);
  EXPECT_EQ(std::get<UsersMessage>(decoder.message()).count, 7U);
  EXPECT_EQ(decoder.next(), Decoder::Step::need_more);
}

TEST(Decoder, KeepsNoMessageWhileItWaits) {
  Decoder decoder;
  decoder.feed("{\"type\":\"samples\",\"rows\":[[1,[\"a\"],1.5]]}\n");
  ASSERT_EQ(decoder.next(), Decoder::Step::message);
  ASSERT_TRUE(std::holds_alternative<SamplesMessage>(decoder.message()));
  ASSERT_EQ(decoder.next(), Decoder::Step::need_more);
  EXPECT_FALSE(std::holds_alternative<SamplesMessage>(decoder.message()));
}

// Every line that is one byte away from a good one is taken or refused, and the line behind it is not
// touched.
TEST(Decoder, OutlivesEveryFlippedByte) {
  const std::string good =
      R"({"type":"define","id":1,"name":"queue_seconds","kind":"histogram","unit":"seconds","labels":["disk"],"bounds":[0.1,1]})";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char flip : {'\0', '"', '\\', '{', ']', '9', '\x80', '\xFF'}) {
      std::string bad = good;
      bad[at] = flip;
      Listener listener;
      listener.feed(bad + "\n{\"type\":\"status\"}\n");
      ASSERT_EQ(listener.told().size(), 2U) << bad;
      ASSERT_EQ(listener.told().back(), "#3") << bad;
    }
  }
}

TEST(Decoder, RefusesEveryPrefixOfAMessage) {
  const std::string good = R"({"type":"samples","rows":[[1,["a"],1.5],[2,[],[1,2]]]})";
  for (std::size_t size = 1; size < good.size(); ++size) {
    const auto told = told_of({good.substr(0, size) + "\n"});
    ASSERT_EQ(told.size(), 1U) << size;
    ASSERT_TRUE(told.front().starts_with("!malformed_json"))
        << told.front() << " of " << good.substr(0, size);
  }
}

}  // namespace
}  // namespace metricsd::ipc
