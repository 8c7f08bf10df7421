#include "profile_choice.h"

#include <metricsd/support/temporary_directory.h>

#include <fstream>
#include <map>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

using std::chrono::seconds;

Variables variables(const std::map<std::string, std::string>& values) {
  return [values](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

TaskFile task(std::string_view text) {
  std::string why;
  const auto read = parse_task_file(text, why);
  EXPECT_TRUE(read) << why;
  return read.value_or(TaskFile{});
}

Profile chosen(const ProfileFlags& flags, const TaskFile* file = nullptr,
               const std::map<std::string, std::string>& environment = {}) {
  std::string why;
  const auto profile = choose_profile(flags, file, variables(environment), why);
  EXPECT_TRUE(profile) << why;
  return profile.value_or(Profile{});
}

std::string fault_of(const ProfileFlags& flags, const TaskFile* file = nullptr,
                     const std::map<std::string, std::string>& environment = {}) {
  std::string why;
  EXPECT_FALSE(choose_profile(flags, file, variables(environment), why));
  return why;
}

ProfileFlags profile_flag(const std::string& text) {
  ProfileFlags flags;
  flags.profile = text;
  return flags;
}

TEST(ProfileChoice, ByItselfACommandGetsStandardAndAServiceDaemon) {
  EXPECT_EQ(chosen({}), *find_profile("standard"));
  ProfileFlags service;
  service.service = true;
  EXPECT_EQ(chosen(service), *find_profile("daemon"));
  const TaskFile by_file = task(R"({"daemon": true})");
  EXPECT_EQ(chosen({}, &by_file), *find_profile("daemon"));
}

TEST(ProfileChoice, EnvironmentSwitchesGlobally) {
  EXPECT_FALSE(chosen({}, nullptr, {{"METRICSD_ENABLE_MONITORING", "false"}}).enabled);
  EXPECT_FALSE(chosen({}, nullptr, {{"METRICSD_ENABLE_MONITORING", "OFF"}}).enabled);
  EXPECT_TRUE(chosen({}, nullptr, {{"METRICSD_ENABLE_MONITORING", "1"}}).enabled);
  EXPECT_EQ(chosen({}, nullptr, {{"METRICSD_MONITORING_INTERVAL", "2.5"}}).interval,
            std::chrono::milliseconds(2500));
}

TEST(ProfileChoice, TaskBeatsEnvironmentKeyByKey) {
  const TaskFile file = task(R"({"monitoringProfile": {"interval": 7}})");
  const Profile profile =
      chosen({}, &file, {{"METRICSD_MONITORING_INTERVAL", "3"}, {"METRICSD_ENABLE_MONITORING", "false"}});
  EXPECT_EQ(profile.interval, seconds(7));
  EXPECT_FALSE(profile.enabled);
}

TEST(ProfileChoice, TaskNamesABuiltInOne) {
  const TaskFile file = task(R"({"daemon": true, "monitoringProfile": "batch"})");
  EXPECT_EQ(chosen({}, &file, {{"METRICSD_MONITORING_INTERVAL", "3"}}), *find_profile("batch"));
}

TEST(ProfileChoice, FlagsBeatTheTask) {
  const TaskFile file =
      task(R"({"monitoringProfile": {"interval": 7, "enabled": false, "collect_disk_io": false}})");
  ProfileFlags flags = profile_flag(R"({"collect_threads": false})");
  flags.interval_seconds = 0.5;
  flags.enabled = true;
  const Profile profile = chosen(flags, &file);
  EXPECT_EQ(profile.interval, std::chrono::milliseconds(500));
  EXPECT_TRUE(profile.enabled);
  EXPECT_FALSE(profile.collect.disk_io);  // what the flags do not say, the task does
  EXPECT_FALSE(profile.collect.threads);
  EXPECT_EQ(chosen(profile_flag("intensive"), &file, {{"METRICSD_ENABLE_MONITORING", "false"}}),
            *find_profile("intensive"));
}

TEST(ProfileChoice, ByFile) {
  const support::TemporaryDirectory directory;
  const auto path = directory.path() / "profile.json";
  std::ofstream(path) << R"({"interval": 4})";
  EXPECT_EQ(chosen(profile_flag(path.string())).interval, seconds(4));
  std::ofstream(path) << R"({"intervall": 4})";
  EXPECT_EQ(fault_of(profile_flag(path.string())),
            "--profile " + path.string() + ": there is no key \"intervall\"");
}

TEST(ProfileChoice, AVariableIsNotReadWhereItDoesNotMatter) {
  const std::map<std::string, std::string> rubbish{{"METRICSD_ENABLE_MONITORING", "maybe"},
                                                   {"METRICSD_MONITORING_INTERVAL", "0"}};
  ProfileFlags flags;
  flags.enabled = false;
  EXPECT_FALSE(chosen(flags, nullptr, rubbish).enabled);
  flags.enabled = true;
  EXPECT_TRUE(fault_of(flags, nullptr, rubbish).starts_with("METRICSD_MONITORING_INTERVAL"));
  flags.interval_seconds = 1;
  EXPECT_EQ(chosen(flags, nullptr, rubbish).interval, seconds(1));
  const std::map<std::string, std::string> off{{"METRICSD_ENABLE_MONITORING", "false"},
                                               {"METRICSD_MONITORING_INTERVAL", "0"}};
  EXPECT_FALSE(chosen({}, nullptr, off).enabled);
  const TaskFile on_again = task(R"({"monitoringProfile": {"enabled": true}})");
  EXPECT_TRUE(fault_of({}, &on_again, off).starts_with("METRICSD_MONITORING_INTERVAL"));
}

TEST(ProfileChoice, JsonMayBeginWithWhiteSpace) {
  EXPECT_EQ(chosen(profile_flag(" \n\t{\"interval\": 4}")).interval, seconds(4));
}

TEST(ProfileChoice, FaultsOfATasksFileNameTheFile) {
  const support::TemporaryDirectory directory;
  const auto path = directory.path() / "task.json";
  std::ofstream(path) << R"({"monitoringProfile": {"interval": 0}})";
  std::string why;
  const auto file = read_task_file(path, why);
  ASSERT_TRUE(file) << why;
  EXPECT_TRUE(fault_of({}, &*file).starts_with(path.string() + ": monitoringProfile: interval must be"));
}

TEST(ProfileChoice, FaultsSayWhere) {
  EXPECT_EQ(fault_of(profile_flag(R"({"interval": -1})")),
            "--profile: interval must be a number of seconds from 0.01 to 86400");
  EXPECT_EQ(
      fault_of(profile_flag("fast")),
      "--profile: there is no profile \"fast\"; there are standard minimal intensive batch realtime daemon, "
      "and no such file");
  const TaskFile unknown = task(R"({"monitoringProfile": "fast"})");
  EXPECT_TRUE(fault_of({}, &unknown).starts_with("monitoringProfile: there is no profile \"fast\""));
  const TaskFile wrong = task(R"({"monitoringProfile": {"collect_cpu": 1}})");
  EXPECT_EQ(fault_of({}, &wrong), "monitoringProfile: collect_cpu must be true or false");
  EXPECT_EQ(fault_of({}, nullptr, {{"METRICSD_ENABLE_MONITORING", "maybe"}}),
            "METRICSD_ENABLE_MONITORING must be true or false");
  for (const char* text : {"0", "-1", "ten", "1s", "nan"}) {
    EXPECT_EQ(fault_of({}, nullptr, {{"METRICSD_MONITORING_INTERVAL", text}}),
              "METRICSD_MONITORING_INTERVAL must be a number of seconds from 0.01 to 86400");
  }
  ProfileFlags flags;
  flags.interval_seconds = 0;
  EXPECT_EQ(fault_of(flags), "--interval must be a number of seconds from 0.01 to 86400");
}

TEST(TaskFile, OtherKeysAreSomebodyElses) {
  const TaskFile file = task(R"({"id": "t1", "name": "x", "image_url": "u", "env": {"A": "1"}})");
  EXPECT_EQ(file.id, "t1");
  EXPECT_FALSE(file.daemon);
  EXPECT_FALSE(file.monitoring_profile);
}

TEST(TaskFile, NullIsAsIfAbsent) {
  const TaskFile file = task(R"({"id": null, "daemon": null, "monitoringProfile": null})");
  EXPECT_EQ(file.id, "");
  EXPECT_FALSE(file.daemon);
  EXPECT_FALSE(file.monitoring_profile);
}

TEST(TaskFile, FaultsNameTheKey) {
  const auto fault = [](std::string_view text) {
    std::string why;
    EXPECT_FALSE(parse_task_file(text, why)) << text;
    return why;
  };
  EXPECT_EQ(fault(R"({"id": 5})"), "id must be 1 to 200 bytes of text");
  EXPECT_EQ(fault(R"({"id": ""})"), "id must be 1 to 200 bytes of text");
  EXPECT_EQ(fault(R"({"daemon": "yes"})"), "daemon must be true or false");
  EXPECT_EQ(fault(R"({"monitoringProfile": 3})"), "monitoringProfile must be a profile or the name of one");
  EXPECT_EQ(fault("[]"), "a task must be a JSON object");
  EXPECT_TRUE(fault("{").starts_with("a task must be a JSON object: "));
  EXPECT_EQ(fault(R"({"id": "a", "id": "b"})"), "a task must be a JSON object: \"id\": duplicate field");
  std::string why;
  EXPECT_FALSE(read_task_file("/nowhere/task.json", why));
  EXPECT_TRUE(why.starts_with("/nowhere/task.json: ")) << why;
}

}  // namespace
}  // namespace metricsd::tools
