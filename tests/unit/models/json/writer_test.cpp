#include <metricsd/models/json/writer.h>

#include <cmath>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

TEST(JsonWriter, WritesCompact) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().field("a", 1).field("b", "x").key("c").begin_array().value(true).null().value(0.5);
  writer.end_array()
      .key("d")
      .begin_object()
      .end_object()
      .field("e", -7L)
      .field("f", std::string("y"))
      .end_object();
  EXPECT_EQ(out, R"({"a":1,"b":"x","c":[true,null,0.5],"d":{},"e":-7,"f":"y"})");
}

TEST(JsonWriter, WritesPretty) {
  std::string out;
  JsonWriter writer(out, JsonWriter::Style::pretty);
  writer.begin_object().field("a", 1).key("b").begin_array().value(1).value(2).end_array();
  writer.key("c").begin_array().end_array().end_object();
  EXPECT_EQ(out, "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": []\n}");
}

TEST(JsonWriter, EscapesWhatMustBe) {
  std::string out;
  append_json_string(out, std::string_view("q\"b\\n\n\t\r\b\f\x01\x1f\0\x7f\xC3\xA9", 16));
  EXPECT_EQ(out, "\"q\\\"b\\\\n\\n\\t\\r\\b\\f\\u0001\\u001f\\u0000\x7f\xC3\xA9\"");
}

TEST(JsonWriter, SaysNullForWhatJsonCannotSay) {
  std::string out;
  JsonWriter(out).begin_array().value(std::nan("")).value(HUGE_VAL).value(-HUGE_VAL).end_array();
  EXPECT_EQ(out, "[null,null,null]");
}

}  // namespace
}  // namespace metricsd
