#include "sample_json.h"

#include "system_json.h"

#include <metricsd/models/json/writer.h>

#include <limits>
#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

std::string json_of(const ProcessSample& sample, const Collect& collect) {
  std::string text;
  JsonWriter json(text);
  append_sample_json(json, sample, collect);
  return text;
}

ProcessSample full_sample() {
  ProcessSample sample;
  sample.timestamp = {1'767'225'600 * kNsPerSecond};
  sample.cpu_usage_percent = 12.5;
  sample.cpu_user_seconds = 1.25;
  sample.cpu_system_seconds = 0.5;
  sample.memory_usage_bytes = 1;
  sample.virtual_memory_bytes = 2;
  sample.memory_usage_percent = 3;
  sample.disk_read_bytes = 4;
  sample.disk_write_bytes = 5;
  sample.network_rx_bytes = 6;
  sample.network_tx_bytes = 7;
  sample.thread_count = 8;
  sample.file_descriptor_count = 9;
  sample.uptime_seconds = 10.5;
  return sample;
}

TEST(SampleJson, HasExactlyTheseNames) {
  EXPECT_EQ(
      json_of(full_sample(), {}),
      R"({"timestamp":"2026-01-01T00:00:00.000000Z","cpu_usage_percent":12.5,"cpu_user_seconds":1.25,)"
      R"("cpu_system_seconds":0.5,"memory_usage_bytes":1,"virtual_memory_bytes":2,"memory_usage_percent":3,)"
      R"("disk_read_bytes":4,"disk_write_bytes":5,"network_rx_bytes":6,"network_tx_bytes":7,)"
      R"("thread_count":8,"file_descriptor_count":9,"uptime_seconds":10.5})");
}

TEST(SampleJson, SaysNullForWhatCouldNotBeRead) {
  EXPECT_EQ(
      json_of({}, {}),
      R"({"timestamp":"1970-01-01T00:00:00.000000Z","cpu_usage_percent":null,"cpu_user_seconds":0,)"
      R"("cpu_system_seconds":0,"memory_usage_bytes":null,"virtual_memory_bytes":0,"memory_usage_percent":null,)"
      R"("disk_read_bytes":null,"disk_write_bytes":null,"network_rx_bytes":null,"network_tx_bytes":null,)"
      R"("thread_count":0,"file_descriptor_count":null,"uptime_seconds":0})");
}

TEST(SampleJson, LeavesOutWhatIsNotCollected) {
  const Collect nothing{false, false, false, false, false, false};
  EXPECT_EQ(json_of(full_sample(), nothing),
            R"({"timestamp":"2026-01-01T00:00:00.000000Z","uptime_seconds":10.5})");
}

TEST(SampleCsv, HasAColumnForEachName) {
  std::string header, row, empty;
  append_sample_csv_header(header);
  append_sample_csv(row, full_sample(), {});
  append_sample_csv(empty, {}, Collect{.network_io = false});
  EXPECT_EQ(
      header,
      "timestamp,cpu_usage_percent,cpu_user_seconds,cpu_system_seconds,memory_usage_bytes,virtual_memory_"
      "bytes,"
      "memory_usage_percent,disk_read_bytes,disk_write_bytes,network_rx_bytes,network_tx_bytes,thread_count,"
      "file_descriptor_count,uptime_seconds");
  EXPECT_EQ(row, "2026-01-01T00:00:00.000000Z,12.5,1.25,0.5,1,2,3,4,5,6,7,8,9,10.5");
  EXPECT_EQ(empty, "1970-01-01T00:00:00.000000Z,,0,0,,0,,,,,,0,,0");
}

TEST(SystemJson, LeavesOutWhatIsNotThere) {
  std::string text;
  JsonWriter json(text);
  append_system_json(json, {});
  const auto object = boost::json::parse(text).as_object();
  EXPECT_TRUE(object.contains("cpu"));
  EXPECT_FALSE(object.contains("memory"));
  EXPECT_FALSE(object.contains("cgroup"));
  EXPECT_FALSE(object.at("cpu").as_object().contains("usage_percent"));
}

TEST(SystemJson, HasAll) {
  SystemSample sample;
  sample.cpu_usage_percent = 150;
  sample.cores.push_back({.core = 1, .times = {.user = 2}, .usage_percent = 50});
  sample.memory = MemorySample{.total_bytes = 3};
  sample.load = LoadSample{.one = 4};
  sample.disks.push_back({.device = "vda", .reads = 5});
  sample.networks.push_back({.device = "eth0", .rx_bytes = 6});
  sample.pressures.push_back(
      {.resource = "io", .some_seconds = 7, .full_seconds = 8, .full_avg10_percent = 9});
  sample.cgroup.emplace().memory_limit_bytes = 10;
  std::string text;
  JsonWriter json(text);
  append_system_json(json, sample);
  const auto root = boost::json::parse(text);
  EXPECT_EQ(root.at("cpu").at("usage_percent").to_number<double>(), 150);
  EXPECT_EQ(root.at("cpu").at("cores").at(0).at("user_seconds").to_number<double>(), 2);
  EXPECT_EQ(root.at("memory").at("total_bytes").to_number<int>(), 3);
  EXPECT_EQ(root.at("load").at("one").to_number<double>(), 4);
  EXPECT_EQ(root.at("disks").at(0).at("reads").to_number<int>(), 5);
  EXPECT_EQ(root.at("networks").at(0).at("rx_bytes").to_number<int>(), 6);
  EXPECT_EQ(root.at("pressure").at("io").at("full_seconds").to_number<double>(), 8);
  EXPECT_EQ(root.at("cgroup").at("memory_limit_bytes").to_number<int>(), 10);
  EXPECT_FALSE(root.at("cgroup").as_object().contains("oom_kills"));
}

}  // namespace
}  // namespace metricsd::tools
