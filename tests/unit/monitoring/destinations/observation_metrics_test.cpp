#include "destinations/observation_metrics.h"

#include "destinations/registry_book.h"
#include "observation.h"

#include <metricsd/exporters/prometheus_text.h>
#include <metricsd/support/exposition_parser.h>
#include <metricsd/support/manual_clock.h>

#include <string>

#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

class ObservationMetricsTest : public testing::Test {
 protected:
  void tell() { metrics_.tell(observed_.observation()); }
  [[nodiscard]] support::ExpositionPage page() const {
    std::string text;
    exporters::render_prometheus_text(text, book_.snapshot());
    return support::parse_exposition(text);
  }

  Observed observed_;
  support::ManualClock clock_;
  RegistryBook book_{"ns", clock_};
  ObservationMetrics metrics_{book_};
};

TEST_F(ObservationMetricsTest, RolesHaveTheirFigures) {
  RoleSample& make = observed_.role("make");
  make.start_time_seconds = 1763650000.25;
  make.sample.processes = 3;
  make.sample.cpu_user_seconds = 1.25;
  make.sample.cpu_system_seconds = 0.5;
  make.sample.memory_usage_bytes = 4096;
  make.sample.virtual_memory_bytes = 8192;
  make.sample.disk_read_bytes = 10;
  make.sample.disk_write_bytes = 20;
  make.sample.thread_count = 4;
  make.sample.file_descriptor_count = 5;
  observed_.role("cc1plus").sample.cpu_user_seconds = 7;
  tell();

  const auto page = this->page();
  const support::ExpositionLabels role{{"job_name", "job_1"}, {"role", "make"}};
  const auto with = [&](const char* name, const char* value) {
    auto labels = role;
    labels[name] = value;
    return labels;
  };
  EXPECT_EQ(page.value("ns_process_cpu_seconds_total", with("mode", "user")), 1.25);
  EXPECT_EQ(page.value("ns_process_cpu_seconds_total", with("mode", "system")), 0.5);
  EXPECT_EQ(page.value("ns_process_resident_memory_bytes", role), 4096);
  EXPECT_EQ(page.value("ns_process_virtual_memory_bytes", role), 8192);
  EXPECT_EQ(page.value("ns_process_disk_bytes_total", with("direction", "read")), 10);
  EXPECT_EQ(page.value("ns_process_disk_bytes_total", with("direction", "write")), 20);
  EXPECT_EQ(page.value("ns_process_threads", role), 4);
  EXPECT_EQ(page.value("ns_process_open_fds", role), 5);
  EXPECT_EQ(page.value("ns_process_start_time_seconds", role), 1763650000.25);
  EXPECT_EQ(page.value("ns_processes", role), 3);
  EXPECT_EQ(page.sum("ns_process_cpu_seconds_total"), 8.75);
  EXPECT_EQ(page.family("ns_process_cpu_seconds_total")->type, "counter");
  EXPECT_EQ(page.family("ns_processes")->type, "gauge");
}

TEST_F(ObservationMetricsTest, TotalsAreWhatTheSamplesSayHoweverMany) {
  for (const double seconds : {0.1, 0.7, 0.7, 2.3}) {
    observed_.role("a").sample.cpu_user_seconds = seconds;
    tell();
  }
  EXPECT_DOUBLE_EQ(page().sum("ns_process_cpu_seconds_total"), 2.3);
  EXPECT_EQ(page().value("ns_process_collection_duration_seconds_count", {{"job_name", "job_1"}}), 4);
}

// None of the sampler's ever falls; if one did, the counter would not.
TEST_F(ObservationMetricsTest, ATotalNeverFalls) {
  for (const double seconds : {5.0, 3.0, 6.0}) {
    observed_.role("a").sample.cpu_user_seconds = seconds;
    tell();
  }
  EXPECT_EQ(page().sum("ns_process_cpu_seconds_total"), 6);
}

TEST_F(ObservationMetricsTest, ARoleThatHasEndedKeepsItsTotals) {
  observed_.role("a").sample.cpu_user_seconds = 2;
  observed_.role("a").sample.memory_usage_bytes = 100;
  tell();
  observed_.role("a").sample.processes = 0;
  observed_.role("a").sample.memory_usage_bytes = 0;
  tell();
  EXPECT_EQ(page().sum("ns_process_cpu_seconds_total"), 2);
  EXPECT_EQ(page().sum("ns_process_resident_memory_bytes"), 0);
  EXPECT_EQ(page().sum("ns_processes"), 0);
}

TEST_F(ObservationMetricsTest, TheNetworkIsTheJobsAndNoRoles) {
  observed_.role("a");
  observed_.role("b");
  observed_.tree.total.network_rx_bytes = 100;
  observed_.tree.total.network_tx_bytes = 50;
  tell();
  const auto page = this->page();
  EXPECT_EQ(page.value("ns_process_network_bytes_total", {{"job_name", "job_1"}, {"direction", "receive"}}),
            100);
  EXPECT_EQ(page.value("ns_process_network_bytes_total", {{"job_name", "job_1"}, {"direction", "transmit"}}),
            50);
  EXPECT_EQ(page.family("ns_process_network_bytes_total")->samples.size(), 2U);
}

TEST_F(ObservationMetricsTest, WhatIsNotCollectedOrNotReadIsNotThere) {
  observed_.task.profile.collect = {.cpu = true,
                                    .memory = false,
                                    .disk_io = true,
                                    .network_io = false,
                                    .threads = false,
                                    .file_descriptors = true};
  observed_.role("a").sample.cpu_user_seconds = 1;  // the rest could not be read
  observed_.tree.total.network_rx_bytes = 1;
  tell();
  const auto page = this->page();
  for (const char* name :
       {"ns_process_resident_memory_bytes", "ns_process_virtual_memory_bytes", "ns_process_disk_bytes_total",
        "ns_process_network_bytes_total", "ns_process_threads", "ns_process_open_fds"}) {
    EXPECT_EQ(page.family(name), nullptr) << name;
  }
  EXPECT_NE(page.family("ns_process_cpu_seconds_total"), nullptr);
  EXPECT_NE(page.family("ns_processes"), nullptr);
}

TEST_F(ObservationMetricsTest, TheMachineIsWhatTheJobSawOfIt) {
  SystemSample& system = observed_.system;
  observed_.system_is_told = true;
  system.cores = {{0, {.user = 10, .idle = 90}, {}}, {1, {.user = 20, .idle = 80}, {}}};
  system.memory = MemorySample{.total_bytes = 1000, .available_bytes = 600, .swap_total_bytes = 50};
  system.load = LoadSample{1.5, 1, 0.5};
  system.disks = {{.device = "sda", .read_bytes = 7, .written_bytes = 9, .busy_seconds = 0.5}};
  system.networks = {{.device = "lo", .rx_bytes = 3}};
  PressureSample& pressure = system.pressures.emplace_back();
  pressure.resource = "io";
  pressure.some_seconds = 2;
  pressure.full_seconds = 1;
  system.uptime_seconds = 100;
  tell();

  const auto page = this->page();
  const auto labels = [](support::ExpositionLabels more) {
    more["job_name"] = "job_1";
    return more;
  };
  EXPECT_EQ(page.value("ns_system_cpu_seconds_total", labels({{"cpu", "1"}, {"mode", "user"}})), 20);
  EXPECT_EQ(page.sum("ns_system_cpu_seconds_total"), 200);
  EXPECT_EQ(page.value("ns_system_memory_bytes", labels({{"state", "available"}})), 600);
  EXPECT_EQ(page.value("ns_system_swap_bytes", labels({{"state", "total"}})), 50);
  EXPECT_EQ(page.value("ns_system_load_average", labels({{"minutes", "15"}})), 0.5);
  EXPECT_EQ(page.value("ns_system_disk_bytes_total", labels({{"device", "sda"}, {"direction", "write"}})), 9);
  EXPECT_EQ(page.value("ns_system_disk_busy_seconds_total", labels({{"device", "sda"}})), 0.5);
  EXPECT_EQ(page.value("ns_system_network_bytes_total", labels({{"device", "lo"}, {"direction", "receive"}})),
            3);
  EXPECT_EQ(page.value("ns_system_pressure_seconds_total", labels({{"resource", "io"}, {"share", "full"}})),
            1);
  EXPECT_EQ(page.value("ns_system_uptime_seconds", labels({})), 100);
}

}  // namespace
}  // namespace metricsd::tools
