#include "profile.h"

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Profile& named(std::string_view name) {
  return *find_profile(name);
}

std::string fault_of(std::string_view text) {
  std::string why;
  EXPECT_FALSE(parse_profile(text, named("standard"), why)) << text;
  return why;
}

TEST(Profile, BuiltInOnesAreAsDocumented) {
  struct Row {
    std::string_view name;
    int interval;
    Collect collect;
    bool mqtt;
    bool history;
    std::uint32_t size;
  };
  constexpr Collect kAll{};
  constexpr Collect kMinimal{true, true, false, false, false, false};
  constexpr Collect kBatch{true, true, true, false, false, false};
  constexpr Collect kRealtime{true, true, false, true, true, true};
  for (const Row& row :
       {Row{"standard", 10, kAll, true, true, 100}, Row{"minimal", 60, kMinimal, false, false, 0},
        Row{"intensive", 1, kAll, true, true, 1000}, Row{"batch", 30, kBatch, true, true, 200},
        Row{"realtime", 5, kRealtime, true, true, 500}, Row{"daemon", 120, kAll, true, true, 500}}) {
    const Profile* const profile = find_profile(row.name);
    ASSERT_NE(profile, nullptr) << row.name;
    EXPECT_TRUE(profile->enabled);
    EXPECT_EQ(profile->interval, seconds(row.interval)) << row.name;
    EXPECT_EQ(profile->collect, row.collect) << row.name;
    EXPECT_EQ(profile->export_to_mqtt, row.mqtt) << row.name;
    EXPECT_EQ(profile->retain_history, row.history) << row.name;
    EXPECT_EQ(profile->samples_kept(), row.size) << row.name;
  }
  EXPECT_EQ(built_in_profiles().size(), 6U);
  EXPECT_EQ(find_profile("Standard"), nullptr);
}

TEST(Profile, EachIsWhatItsJsonSays) {
  for (const NamedProfile& each : built_in_profiles()) {
    std::string why;
    const auto read = parse_profile(render_profile(each.profile), Profile{}, why);
    ASSERT_TRUE(read) << why;
    EXPECT_EQ(*read, each.profile) << each.name;
  }
  EXPECT_EQ(
      render_profile(named("minimal")),
      R"({"enabled":true,"interval":60,"collect_cpu":true,"collect_memory":true,"collect_disk_io":false,)"
      R"("collect_network_io":false,"collect_threads":false,"collect_file_descriptors":false,)"
      R"("export_to_mqtt":false,"retain_history":false,"history_size":0})");
}

TEST(Profile, MissingKeysStayAsTheyAre) {
  std::string why;
  const auto read = parse_profile(R"({"interval": 0.25, "collect_threads": false})", named("batch"), why);
  ASSERT_TRUE(read) << why;
  Profile wanted = named("batch");
  wanted.interval = milliseconds(250);
  wanted.collect.threads = false;
  EXPECT_EQ(*read, wanted);
}

TEST(Profile, WithoutHistoryNothingIsKept) {
  Profile profile = named("standard");
  profile.retain_history = false;
  EXPECT_EQ(profile.samples_kept(), 0U);
}

TEST(Profile, UnknownKeysAreRefusedByName) {
  EXPECT_EQ(fault_of(R"({"intervall": 1})"), "there is no key \"intervall\"");
  EXPECT_EQ(fault_of(R"({"Interval": 1})"), "there is no key \"Interval\"");
}

TEST(Profile, WrongTypesAreRefusedByName) {
  for (const char* key :
       {"enabled", "collect_cpu", "collect_memory", "collect_disk_io", "collect_network_io",
        "collect_threads", "collect_file_descriptors", "export_to_mqtt", "retain_history"}) {
    for (const char* value : {"1", "\"true\"", "null", "[]"}) {
      EXPECT_EQ(fault_of("{\"" + std::string(key) + "\":" + value + "}"),
                std::string(key) + " must be true or false");
    }
  }
  for (const char* value : {"0", "-1", "\"10\"", "null", "true", "86400.5", "0.009", "1e300"}) {
    EXPECT_EQ(fault_of("{\"interval\":" + std::string(value) + "}"),
              "interval must be a number of seconds from 0.01 to 86400")
        << value;
  }
  for (const char* value : {"-1", "1.5", "10001", "\"1\"", "null"}) {
    EXPECT_EQ(fault_of("{\"history_size\":" + std::string(value) + "}"),
              "history_size must be a whole number from 0 to 10000")
        << value;
  }
}

TEST(Profile, FaultsOfItsJsonNameTheKey) {
  EXPECT_EQ(fault_of(R"({"enabled": true, "interval": 1e400})"),
            "a profile must be JSON: \"interval\": out of range");
  EXPECT_EQ(fault_of(R"({"interval": 1, "interval": 2})"),
            "a profile must be JSON: \"interval\": duplicate field");
}

TEST(Profile, WhatIsNoObjectIsRefused) {
  EXPECT_EQ(fault_of("[]"), "a profile must be a JSON object");
  EXPECT_EQ(fault_of("\"standard\""), "a profile must be a JSON object");
  EXPECT_TRUE(fault_of("{").starts_with("a profile must be JSON: "));
  EXPECT_TRUE(fault_of(R"({"interval":1,"interval":2})").starts_with("a profile must be JSON: "));
}

}  // namespace
}  // namespace metricsd::tools
