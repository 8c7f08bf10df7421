#include "aggregate.h"

#include "cpu_share.h"

#include <string>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

struct Figures {
  double at = 0;
  std::optional<double> cpu_percent{};
  double cpu_seconds = 0;
  std::uint64_t memory = 0;
  std::optional<std::uint64_t> disk{};
  std::optional<std::uint64_t> network{};
};

ProcessSample sample(const Figures& figures) {
  ProcessSample sample;
  sample.cpu_usage_percent = figures.cpu_percent;
  sample.cpu_user_seconds = figures.cpu_seconds;
  sample.memory_usage_bytes = figures.memory;
  sample.disk_read_bytes = figures.disk;
  sample.disk_write_bytes = figures.disk;
  sample.network_rx_bytes = figures.network;
  sample.network_tx_bytes = figures.network;
  return sample;
}

void add(Aggregate& aggregate, const Figures& figures, double began = 0) {
  aggregate.add(sample(figures), static_cast<std::int64_t>(figures.at * 1e9),
                static_cast<std::int64_t>(began * 1e9));
}

std::string json_of(const Aggregate& aggregate) {
  std::string out;
  JsonWriter json(out);
  aggregate.write(json);
  return out;
}

TEST(Aggregate, IsOfTheWholeRun) {
  Aggregate aggregate;
  add(aggregate, {.at = 0, .memory = 100, .disk = 10, .network = 0});
  add(aggregate, {.at = 10, .cpu_percent = 50, .cpu_seconds = 5, .memory = 300, .disk = 30, .network = 7});
  add(aggregate, {.at = 12, .cpu_percent = 100, .cpu_seconds = 7, .memory = 200, .disk = 50, .network = 9});
  EXPECT_DOUBLE_EQ(aggregate.avg_cpu_usage().value(),
                   100 * 7.0 / 12);  // by time: the last interval was short
  EXPECT_EQ(aggregate.max_cpu_usage(), 100);
  EXPECT_EQ(aggregate.avg_memory_usage(), 200);
  EXPECT_EQ(aggregate.max_memory_usage(), 300U);
  EXPECT_EQ(aggregate.total_disk_read(), 50U);
  EXPECT_EQ(aggregate.total_network_tx(), 9U);
  EXPECT_EQ(aggregate.sample_count(), 3U);
}

TEST(Aggregate, HasExactlyNineKeys) {
  Aggregate aggregate;
  EXPECT_EQ(
      json_of(aggregate),
      R"({"avg_cpu_usage":null,"max_cpu_usage":null,"avg_memory_usage":null,"max_memory_usage":null,)"
      R"("total_disk_read":null,"total_disk_write":null,"total_network_rx":null,"total_network_tx":null,)"
      R"("sample_count":0})");
  add(aggregate, {.at = 0, .memory = 100, .disk = 1, .network = 2});
  add(aggregate, {.at = 2, .cpu_percent = 25, .cpu_seconds = 0.5, .memory = 101, .disk = 3, .network = 4});
  EXPECT_EQ(json_of(aggregate),
            R"({"avg_cpu_usage":25,"max_cpu_usage":25,"avg_memory_usage":100.5,"max_memory_usage":101,)"
            R"("total_disk_read":3,"total_disk_write":3,"total_network_rx":4,"total_network_tx":4,)"
            R"("sample_count":2})");
}

TEST(Aggregate, WhatHasEndedHasNoMemory) {
  Aggregate aggregate;
  add(aggregate, {.at = 0, .memory = 100});
  add(aggregate, {.at = 1, .memory = 0});
  EXPECT_EQ(aggregate.avg_memory_usage(), 100);
}

TEST(Aggregate, TakesTheKernelsPeak) {
  Aggregate aggregate;
  add(aggregate, {.at = 0, .memory = 100});
  aggregate.note_peak_memory(50);
  EXPECT_EQ(aggregate.max_memory_usage(), 100U);
  aggregate.note_peak_memory(400);
  EXPECT_EQ(aggregate.max_memory_usage(), 400U);
  EXPECT_EQ(aggregate.sample_count(), 1U);
}

TEST(Aggregate, TotalsNeverFall) {
  Aggregate aggregate;
  add(aggregate, {.at = 0, .disk = 100});
  add(aggregate, {.at = 1, .disk = 300});
  add(aggregate, {.at = 2, .disk = 50});
  add(aggregate, {.at = 3});
  EXPECT_EQ(aggregate.total_disk_write(), 300U);
}

TEST(Aggregate, AveragesCpuFromTheBeginning) {
  Aggregate aggregate;
  add(aggregate, {.at = 0.010, .cpu_seconds = 0.009});
  add(aggregate, {.at = 0.012, .cpu_percent = 75, .cpu_seconds = 0.009});
  EXPECT_NEAR(aggregate.avg_cpu_usage().value(), 75, 1e-9) << "not 0, nor by the 2 ms between the samples";
}

TEST(Aggregate, ARoleThatCameLaterIsAveragedOverTheSameTime) {
  Aggregate aggregate;
  add(aggregate, {.at = 8, .cpu_percent = 50, .cpu_seconds = 1});
  add(aggregate, {.at = 10, .cpu_percent = 100, .cpu_seconds = 3});
  EXPECT_NEAR(aggregate.avg_cpu_usage().value(), 30, 1e-9);
}

TEST(Aggregate, AveragesOnlyWhatIsKnown) {
  Aggregate aggregate;
  add(aggregate, {.at = 0});
  add(aggregate, {.at = 2, .cpu_percent = 50, .cpu_seconds = 1});
  add(aggregate, {.at = 10, .cpu_seconds = 1});
  EXPECT_NEAR(aggregate.avg_cpu_usage().value(), 50, 1e-9) << "not 10";
  add(aggregate, {.at = 12, .cpu_percent = 100, .cpu_seconds = 3});
  EXPECT_NEAR(aggregate.avg_cpu_usage().value(), 75, 1e-9);
}

TEST(Aggregate, AveragesNoMoreCpuThanThereIs) {
  Aggregate aggregate;
  add(aggregate, {.at = 1, .cpu_percent = 100, .cpu_seconds = 1e6});
  EXPECT_EQ(aggregate.avg_cpu_usage(), within_machine(1e9));
}

TEST(Aggregate, OneSampleHasNoAverageOfCpu) {
  Aggregate aggregate;
  add(aggregate, {.at = 10, .cpu_percent = 10, .cpu_seconds = 1}, 10);
  EXPECT_FALSE(aggregate.avg_cpu_usage());
  EXPECT_EQ(aggregate.max_cpu_usage(), 10);
}

}  // namespace
}  // namespace metricsd::tools
