#include <metricsd/models/run.h>
#include <metricsd/models/run_json.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

TEST(Run, KnowsAnIdByItsRule) {
  EXPECT_TRUE(is_run_id("a"));
  EXPECT_TRUE(is_run_id("Nightly-2026.01_x"));
  EXPECT_TRUE(is_run_id(random_id()));
  EXPECT_TRUE(is_run_id(std::string(64, 'a')));
  for (const std::string& id : {std::string(), std::string(".hidden"), std::string(".."), std::string("a/b"),
                                std::string("a b"), std::string(65, 'a'), std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_run_id(id)) << id;
  }
}

TEST(Run, IdsDiffer) {
  EXPECT_NE(random_id(), random_id());
}

TEST(Run, ItsDirectoryCannotLeaveItsParent) {
  metricsd::Run run;
  run.test_run_id = "0123456789abcdef";
  run.start_time = parse_timestamp("2026-01-02T03:04:05Z").value();
  run.test_name = "nightly";
  EXPECT_EQ(run_directory_name(run), "nightly_20260102T030405Z_01234567");
  run.test_name = "../../etc/passwd \n\xC3\xA9";
  EXPECT_EQ(run_directory_name(run), ".._.._etc_passwd_____20260102T030405Z_01234567");
  run.test_name = std::string(1000, 'x');
  EXPECT_EQ(run_directory_name(run).size(), 255u);
}

TEST(Run, WritesWhatItReads) {
  const std::string text =
      R"({"test_run_id":"id","test_name":"n","start_time":"2026-01-01T00:00:00.000000Z","end_time":"2026-01-01T00:00:01.500000Z",)"
      R"("duration_seconds":1.5,"scenario":"s","workload_type":"s3","driver":"d","num_users":3,"spawn_rate":0.5,)"
      R"("test_config":{"a":[1]},"environment":{},"client_info":{},"tags":{"t":"x"}})";
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  write_run_fields(writer, parse_run(text).value());
  writer.end_object();
  EXPECT_EQ(out, text);
}

TEST(Run, RefusesWhatIsNotARun) {
  const auto refusal = [](std::string_view text) {
    return static_cast<Errc>(parse_run(text).error().value());
  };
  EXPECT_EQ(refusal("[]"), Errc::not_an_object);
  EXPECT_EQ(refusal(R"({"test_run_id":"../x"})"), Errc::invalid_characters);
  EXPECT_EQ(refusal(R"({"test_name":5})"), Errc::wrong_type);
  EXPECT_EQ(refusal(R"({"num_users":-1})"), Errc::out_of_range);
  EXPECT_EQ(refusal(R"({"num_users":1.5})"), Errc::out_of_range);
  EXPECT_EQ(refusal(R"({"start_time":"yesterday"})"), Errc::invalid_timestamp);
  EXPECT_EQ(refusal(R"({"tags":[]})"), Errc::wrong_type);
  EXPECT_EQ(refusal(R"({"driver":")" + std::string(129, 'x') + "\"}"), Errc::too_long);
  EXPECT_TRUE(parse_run(R"({"end_time":null,"unknown":{}})"));
}

}  // namespace
}  // namespace metricsd
