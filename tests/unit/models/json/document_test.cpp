#include <metricsd/models/json/document.h>

#include <string>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace metricsd {
namespace {

Errc refusal(std::string_view text) {
  const auto value = parse_json(text);
  return value ? Errc{} : static_cast<Errc>(value.error().value());
}

TEST(Json, ReadsADocument) {
  const auto value =
      parse_json(R"( {"a":[1,-2,2.5,"x\u00e9\n",null,true],"b":{"c":{}},"b2":18446744073709551615} )");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->at("a").at(1).as_int64(), -2);
  EXPECT_EQ(value->at("a").at(3).as_string(), "x\xC3\xA9\n");
  EXPECT_EQ(value->at("b2").as_uint64(), 18446744073709551615u);
}

TEST(Json, ReadsNumbersToTheLastDigit) {
  EXPECT_EQ(parse_json("[9007199254740993.0e-3]").value().at(0).as_double(), 9007199254740.993);
  EXPECT_EQ(parse_json("[1e-400]").value().at(0).as_double(), 0);
}

TEST(Json, SaysWhichKeyAFaultWasAt) {
  std::string key;
  EXPECT_FALSE(parse_json(R"({"a":1,"b":{"c":2,"c":3}})", key));
  EXPECT_EQ(key, "c");
  EXPECT_FALSE(parse_json(R"({"a":1,"b":1e400})", key));
  EXPECT_EQ(key, "b");
  EXPECT_FALSE(parse_json("[1e400]", key));
  EXPECT_EQ(key, "");
}

TEST(Json, RefusesWhatIsAmbiguousOrBeyondDoubles) {
  EXPECT_EQ(refusal(R"({"a":1,"a":2})"), Errc::duplicate_field);
  EXPECT_EQ(refusal(R"({"x":[{"a":1,"\u0061":2}]})"), Errc::duplicate_field);
  EXPECT_EQ(refusal("[1e400]"), Errc::out_of_range);
  EXPECT_EQ(refusal("[-1e400]"), Errc::out_of_range);
  EXPECT_EQ(refusal(R"([{"a":1},{"a":2}])"), Errc{});
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", " ", "{", "{}x", "[1,]", "{\"a\":NaN}", "\"\xFF\"", "\"\\ud800\"", "01", "nul", "'a'"}) {
    EXPECT_EQ(refusal(text), Errc::malformed_json) << text;
  }
  EXPECT_EQ(refusal(std::string_view("\"a\0b\"", 5)), Errc::malformed_json);
}

TEST(Json, BoundsItsDepth) {
  EXPECT_EQ(refusal(std::string(32, '[') + std::string(32, ']')), Errc{});
  EXPECT_EQ(refusal(std::string(33, '[') + std::string(33, ']')), Errc::too_deep);
  EXPECT_EQ(refusal(std::string(100'000, '[')), Errc::too_deep);
}

}  // namespace
}  // namespace metricsd
