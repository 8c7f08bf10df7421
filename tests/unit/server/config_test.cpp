#include "config.h"

#include <cstdlib>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ipc::Environment environment(std::map<std::string, std::string> variables = {}, uid_t uid = 1000) {
  return {
      .variable = [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(std::string(name));
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      .uid = uid};
}

CommandLine parse(const std::vector<std::string>& arguments) {
  return parse_command_line(arguments, environment());
}

// Sets a variable of the process for one test.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~ScopedVariable() { ::unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
};

TEST(Config, DefaultsAreTheContracts) {
  const auto line = parse({});
  ASSERT_TRUE(line.config) << line.output;
  const Config& config = *line.config;
  EXPECT_EQ(config.socket_mode, 0660U);
  EXPECT_THAT(config.socket_allow_uids, ElementsAre());
  EXPECT_THAT(config.socket_allow_groups, ElementsAre());
  EXPECT_EQ(config.user_connections, std::nullopt);
  EXPECT_EQ(config.user_bytes_per_second, std::nullopt);
  EXPECT_THAT(config.web_listen_addresses, ElementsAre(ListenAddress{"127.0.0.1", 8090}));
  EXPECT_EQ(config.web_telemetry_path, "/metrics");
  EXPECT_EQ(config.metrics_namespace, "workload");
  EXPECT_EQ(config.max_series, 10'000U);
  EXPECT_EQ(config.series_expiry_ns, 0);
  EXPECT_EQ(config.process_expiry_ns, 300 * kNsPerSecond);
  EXPECT_EQ(config.duration_bounds, default_duration_bounds());
  EXPECT_EQ(config.size_bounds, default_size_bounds());
  EXPECT_EQ(config.ingest_threads, 1U);
  EXPECT_TRUE(config.data_dir_is_default);
  EXPECT_EQ(config.checkpoint_interval_ns, kNsPerSecond);
  EXPECT_EQ(config.log_format, LogFormat::logfmt);
}

TEST(Config, TakesEveryFlag) {
  const auto line = parse({"--socket",
                           "/x/y.sock",
                           "--socket.mode",
                           "0600",
                           "--socket.group",
                           "root",
                           "--socket.allow-uid",
                           "root",
                           "--socket.allow-uid=1001",
                           "--socket.allow-group",
                           "root,4711",
                           "--socket.max-user-connections",
                           "100",
                           "--socket.max-user-rate",
                           "16MiB",
                           "--web.listen-address",
                           "127.0.0.1:0",
                           "--web.listen-address=[::1]:9",
                           "--web.telemetry-path",
                           "/m",
                           "--metrics.namespace",
                           "chopsticks",
                           "--metrics.max-series",
                           "5",
                           "--metrics.series-expiry",
                           "90s",
                           "--metrics.process-expiry",
                           "10s",
                           "--metrics.duration-buckets",
                           "0.5,1",
                           "--metrics.size-buckets",
                           "10",
                           "--ingest.threads",
                           "4",
                           "--data-dir",
                           "/d",
                           "--data.checkpoint-interval",
                           "250ms",
                           "--log.level",
                           "debug",
                           "--log.format",
                           "json"});
  ASSERT_TRUE(line.config) << line.output;
  const Config& config = *line.config;
  EXPECT_EQ(config.socket, "/x/y.sock");
  EXPECT_EQ(config.socket_mode, 0600U);
  EXPECT_EQ(config.socket_group, "root");
  EXPECT_THAT(config.socket_allow_uids, ElementsAre("root", "1001"));
  EXPECT_THAT(config.socket_allow_groups, ElementsAre("root", "4711"));
  EXPECT_EQ(config.user_connections, 100U);
  EXPECT_EQ(config.user_bytes_per_second, 16U << 20);
  EXPECT_THAT(config.web_listen_addresses,
              ElementsAre(ListenAddress{"127.0.0.1", 0}, ListenAddress{"::1", 9}));
  EXPECT_EQ(config.web_telemetry_path, "/m");
  EXPECT_EQ(config.metrics_namespace, "chopsticks");
  EXPECT_EQ(config.max_series, 5U);
  EXPECT_EQ(config.series_expiry_ns, 90 * kNsPerSecond);
  EXPECT_EQ(config.process_expiry_ns, 10 * kNsPerSecond);
  EXPECT_THAT(config.duration_bounds, ElementsAre(0.5, 1));
  EXPECT_THAT(config.size_bounds, ElementsAre(10));
  EXPECT_EQ(config.ingest_threads, 4U);
  EXPECT_EQ(config.data_dir, "/d");
  EXPECT_FALSE(config.data_dir_is_default);
  EXPECT_EQ(config.checkpoint_interval_ns, 250 * kNsPerMs);
  EXPECT_EQ(config.log_level, LogLevel::debug);
  EXPECT_EQ(config.log_format, LogFormat::json);
}

TEST(Config, EnvironmentServesAndFlagsBeatIt) {
  const ScopedVariable threads("METRICSD_INGEST_THREADS", "3");
  const ScopedVariable web("METRICSD_WEB_LISTEN_ADDRESS", "127.0.0.1:1,127.0.0.1:2");
  EXPECT_EQ(parse({}).config->ingest_threads, 3U);
  EXPECT_THAT(parse({}).config->web_listen_addresses,
              ElementsAre(ListenAddress{"127.0.0.1", 1}, ListenAddress{"127.0.0.1", 2}));
  EXPECT_EQ(parse({"--ingest.threads", "5"}).config->ingest_threads, 5U);
  EXPECT_THAT(parse({"--web.listen-address", "127.0.0.1:7"}).config->web_listen_addresses,
              ElementsAre(ListenAddress{"127.0.0.1", 7}));
}

TEST(Config, TheSocketsTwinIsBeatenByItsFlag) {
  const auto variables = environment({{"METRICSD_SOCKET", "/from/env.sock"}});
  EXPECT_EQ(parse_command_line({}, variables).config->socket, "/from/env.sock");
  EXPECT_EQ(parse_command_line({"--socket", "/from/flag.sock"}, variables).config->socket, "/from/flag.sock");
}

TEST(Config, BadEnvironmentIsAMistakeToo) {
  const ScopedVariable threads("METRICSD_INGEST_THREADS", "many");
  EXPECT_EQ(parse({}).exit_code, 2);
}

TEST(Config, AnEmptyVariableIsAnUnsetOne) {
  const ScopedVariable threads("METRICSD_INGEST_THREADS", "");
  const ScopedVariable web("METRICSD_WEB_LISTEN_ADDRESS", "");
  const ScopedVariable path("METRICSD_WEB_TELEMETRY_PATH", "");
  const ScopedVariable bounds("METRICSD_METRICS_SIZE_BUCKETS", "");
  const ScopedVariable directory("METRICSD_DATA_DIR", "");
  const ScopedVariable users("METRICSD_SOCKET_ALLOW_UID", "");
  const ScopedVariable rate("METRICSD_SOCKET_MAX_USER_RATE", "");
  const auto line = parse({});
  ASSERT_TRUE(line.config) << line.output;
  EXPECT_EQ(line.config->ingest_threads, 1U);
  EXPECT_THAT(line.config->web_listen_addresses, ElementsAre(ListenAddress{"127.0.0.1", 8090}));
  EXPECT_EQ(line.config->web_telemetry_path, "/metrics");
  EXPECT_EQ(line.config->size_bounds, default_size_bounds());
  EXPECT_TRUE(line.config->data_dir_is_default);
  EXPECT_THAT(line.config->socket_allow_uids, ElementsAre());
  EXPECT_EQ(line.config->user_bytes_per_second, std::nullopt);
}

class Mistakes : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Mistakes, AreOneLineAndExitCodeTwo) {
  const auto line = parse(GetParam());
  EXPECT_FALSE(line.config);
  EXPECT_EQ(line.exit_code, 2);
  EXPECT_THAT(line.output, ::testing::StartsWith("metricsd: "));
  EXPECT_EQ(line.output.find('\n'), line.output.size() - 1) << line.output;
}

INSTANTIATE_TEST_SUITE_P(
    All, Mistakes,
    ::testing::Values(std::vector<std::string>{"--nonsense"}, std::vector<std::string>{"extra"},
                      std::vector<std::string>{"--socket"}, std::vector<std::string>{"--socket.mode", "999"},
                      std::vector<std::string>{"--socket.mode", "07777"},
                      std::vector<std::string>{"--socket.max-user-connections", "0"},
                      std::vector<std::string>{"--socket.max-user-connections", "many"},
                      std::vector<std::string>{"--socket.max-user-rate", "1KiB"},
                      std::vector<std::string>{"--socket.max-user-rate", "1MB"},
                      std::vector<std::string>{"--web.listen-address", "nowhere"},
                      std::vector<std::string>{"--web.telemetry-path", "metrics"},
                      std::vector<std::string>{"--web.telemetry-path", "/"},
                      std::vector<std::string>{"--web.telemetry-path", "/a?b"},
                      std::vector<std::string>{"--web.telemetry-path", "//"},
                      std::vector<std::string>{"--web.telemetry-path", "//metrics"},
                      std::vector<std::string>{"--web.telemetry-path", "/-/ready"},
                      std::vector<std::string>{"--web.telemetry-path", "/-/healthy"},
                      std::vector<std::string>{"--web.telemetry-path", "/api/v1/status"},
                      std::vector<std::string>{"--web.telemetry-path", "/api/v1/summary"},
                      std::vector<std::string>{"--web.telemetry-path", "/api/v1/runs"},
                      std::vector<std::string>{"--metrics.namespace", "9x"},
                      std::vector<std::string>{"--metrics.namespace", "metricsd"},
                      std::vector<std::string>{"--metrics.namespace", "metricsd_ingest"},
                      std::vector<std::string>{"--metrics.namespace", "process"},
                      std::vector<std::string>{"--metrics.namespace", "process_cpu"},
                      std::vector<std::string>{"--metrics.max-series", "0"},
                      std::vector<std::string>{"--metrics.max-series", "-1"},
                      std::vector<std::string>{"--metrics.series-expiry", "soon"},
                      std::vector<std::string>{"--metrics.process-expiry", "-1s"},
                      std::vector<std::string>{"--web.telemetry-path", "/api/v1/processes"},
                      std::vector<std::string>{"--web.telemetry-path", "/api/v1/tasks/t/metrics"},
                      std::vector<std::string>{"--metrics.duration-buckets", "1,1"},
                      std::vector<std::string>{"--metrics.size-buckets", "2,1"},
                      std::vector<std::string>{"--ingest.threads", "0"},
                      std::vector<std::string>{"--log.level", "loud"},
                      std::vector<std::string>{"--log.format", "xml"}));

TEST(Config, WhatOnlyLooksLikeTheDaemonsOwnIsTaken) {
  EXPECT_EQ(parse({"--metrics.namespace", "metricsdx"}).config->metrics_namespace, "metricsdx");
  EXPECT_EQ(parse({"--metrics.namespace", "processes"}).config->metrics_namespace, "processes");
  EXPECT_EQ(parse({"--web.telemetry-path", "/api/v1/metrics"}).config->web_telemetry_path, "/api/v1/metrics");
}

TEST(Config, HelpNamesEveryFlagItsTwinAndItsDefault) {
  const auto line = parse({"--help"});
  EXPECT_EQ(line.exit_code, 0);
  EXPECT_FALSE(line.config);
  for (const char* text : {"--socket",
                           "METRICSD_SOCKET",
                           "--socket.mode",
                           "0660",
                           "METRICSD_SOCKET_MODE",
                           "--web.listen-address",
                           "127.0.0.1:8090",
                           "METRICSD_WEB_LISTEN_ADDRESS",
                           "METRICSD_WEB_TELEMETRY_PATH",
                           "METRICSD_METRICS_NAMESPACE",
                           "METRICSD_METRICS_MAX_SERIES",
                           "METRICSD_METRICS_SERIES_EXPIRY",
                           "METRICSD_METRICS_PROCESS_EXPIRY",
                           "5m",
                           "METRICSD_INGEST_THREADS",
                           "METRICSD_DATA_DIR",
                           "METRICSD_DATA_CHECKPOINT_INTERVAL",
                           "METRICSD_LOG_LEVEL",
                           "METRICSD_LOG_FORMAT",
                           "0.0001,0.0005"}) {
    EXPECT_THAT(line.output, HasSubstr(text));
  }
}

TEST(Config, NothingIsKeptWhereThatIsAskedFor) {
  const auto line = parse({"--data-dir", "none"});
  EXPECT_TRUE(line.config->data_dir.empty());
  EXPECT_FALSE(line.config->data_dir_is_default);
}

TEST(Config, TheDirectoryOfStateHasADefault) {
  EXPECT_EQ(default_data_dir(environment({{"STATE_DIRECTORY", "/s/one:/s/two"}, {"HOME", "/h"}})), "/s/one");
  EXPECT_EQ(default_data_dir(environment({{"HOME", "/h"}}, 0)), "/var/lib/metricsd");
  EXPECT_EQ(default_data_dir(environment({{"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}})), "/x/metricsd");
  EXPECT_EQ(default_data_dir(environment({{"XDG_STATE_HOME", "x"}, {"HOME", "/h"}})),
            "/h/.local/state/metricsd");
  EXPECT_TRUE(default_data_dir(environment()).empty());
}

TEST(Config, CheckpointsHaveAnInterval) {
  for (const char* text : {"0", "off", "-1s", "fast", "1"}) {
    EXPECT_EQ(parse({"--data.checkpoint-interval", text}).exit_code, 2) << text;
  }
}

TEST(Config, VersionIsOneLine) {
  EXPECT_THAT(parse({"--version"}).output, ::testing::MatchesRegex("metricsd [0-9.]+\n"));
}

}  // namespace
}  // namespace metricsd::server
