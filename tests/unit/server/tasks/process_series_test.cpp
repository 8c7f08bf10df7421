#include "tasks/process_series.h"

#include <metricsd/models/catalog.h>
#include <metricsd/models/registry.h>

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ProcessSeriesTest : public ::testing::Test {
 protected:
  // A counter with these labels, touched at this time.
  void count(const std::string& family, const LabelNames& names, const LabelValues& values,
             std::int64_t at_ns) {
    FamilySpec spec;
    spec.base_name = family;
    spec.help = "Test.";
    spec.label_names = names;
    registry_.define<Counter>(spec).value()->at(values, {{0}, at_ns}).apply(std::uint64_t{1});
  }

  // Those that go, as "family:job".
  std::vector<std::string> gone(std::set<std::string, std::less<>> spared, std::int64_t before_ns) {
    return taken(ProcessSeries("workload", std::move(spared)), before_ns);
  }
  std::vector<std::string> taken(const SeriesChoice& choice, std::int64_t before_ns) {
    std::vector<std::string> names;
    for (const auto& [spec, keys] : registry_.image().take_idle(before_ns, &choice)) {
      for (const std::string& key : keys) {
        std::string name = spec->base_name;
        for (const std::string& value : values_of(key)) name += ":" + value;
        names.push_back(name);
      }
    }
    return names;
  }

  Registry registry_{std::make_shared<Catalog>(2)};
};

TEST_F(ProcessSeriesTest, AreThoseOfTasksOfWhichNobodyTells) {
  count("workload_process_cpu", {"mode", "job_name", "role"}, {"user", "old", ""}, 1);
  count("workload_process_cpu", {"mode", "job_name", "role"}, {"user", "live", ""}, 1);
  count("workload_processes", {"job_name"}, {"old"}, 1);
  EXPECT_THAT(gone({"live"}, 10),
              UnorderedElementsAre("workload_process_cpu:user:old:", "workload_processes:old"));
  EXPECT_THAT(gone({"live", "old"}, 10), IsEmpty());
  EXPECT_THAT(gone({"live"}, 1), IsEmpty());  // not idle for so long
}

TEST_F(ProcessSeriesTest, AreOfNoOtherFamily) {
  count("workload_process_cpu", {"role"}, {"old"}, 1);
  count("workload_operations", {"job_name"}, {"old"}, 1);
  count("workload_processed", {"job_name"}, {"old"}, 1);
  count("other_process_cpu", {"job_name"}, {"old"}, 1);
  EXPECT_THAT(gone({}, 10), IsEmpty());
}

TEST_F(ProcessSeriesTest, AreThoseOfTheMachineAsATaskSawIt) {
  count("workload_system_cpu", {"job_name", "cpu"}, {"old", "0"}, 1);
  count("workload_system_cpu", {"job_name", "cpu"}, {"live", "0"}, 1);
  EXPECT_THAT(gone({"live"}, 10), UnorderedElementsAre("workload_system_cpu:old:0"));
}

TEST_F(ProcessSeriesTest, AreSparedWhereOthersGo) {
  count("workload_process_cpu", {"mode", "job_name"}, {"user", "old"}, 1);
  count("workload_process_cpu", {"mode", "job_name"}, {"user", "live"}, 1);
  count("workload_system_cpu", {"job_name"}, {"live"}, 1);
  count("workload_operations", {"job_name"}, {"live"}, 1);
  count("workload_process_cpu_limit", {"role"}, {"live"}, 1);
  const ProcessSeries of_tasks("workload", {"live"});
  EXPECT_THAT(taken(UnsparedSeries(of_tasks), 10),
              UnorderedElementsAre("workload_process_cpu:user:old", "workload_operations:live",
                                   "workload_process_cpu_limit:live"));
}

// Others fold into it, whose tasks may live.
TEST_F(ProcessSeriesTest, TheOverflowStays) {
  for (const char* job : {"a", "b", "c"}) count("workload_process_cpu", {"job_name"}, {job}, 1);
  EXPECT_THAT(gone({}, 10), UnorderedElementsAre("workload_process_cpu:a", "workload_process_cpu:b"));
}

}  // namespace
}  // namespace metricsd::server
