#include "destinations_end.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace metricsd::tools {
namespace {

using testing::ElementsAre;

// Writes down what it is told to do; over when it was waited for so often.
class Slow final : public Destination {
 public:
  Slow(std::string name, int turns, std::vector<std::string>& told)
      : name_(std::move(name)), turns_(turns), told_(told) {}

  void take(const Observation& /*observation*/) noexcept override {}
  void end() noexcept override { told_.push_back(name_ + " end"); }
  [[nodiscard]] bool wait(std::chrono::milliseconds /*within*/) noexcept override { return turns_-- <= 0; }
  void leave() noexcept override { told_.push_back(name_ + (turns_ < 0 ? " over" : " broken off")); }
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] DestinationReport report() const override { return {}; }

 private:
  const std::string name_;
  int turns_;
  std::vector<std::string>& told_;
};

class DestinationsEnd : public testing::Test {
 protected:
  void add(std::string name, int turns) {
    destinations_.push_back(std::make_unique<Slow>(std::move(name), turns, told_));
  }

  std::vector<std::string> told_;
  std::vector<std::unique_ptr<Destination>> destinations_;
};

TEST_F(DestinationsEnd, TheyEndAtTheSameTime) {
  add("a", 3);
  add("b", 2);
  end_all(destinations_);
  wait_for_all(destinations_, [] { return false; });
  EXPECT_THAT(told_, ElementsAre("a end", "b end", "a over", "b over"));
}

TEST_F(DestinationsEnd, MayBeBrokenOff) {
  add("quick", 0);
  add("slow", 1'000'000);
  int asked = 0;
  end_all(destinations_);
  wait_for_all(destinations_, [&] { return ++asked == 3; });
  EXPECT_THAT(told_, ElementsAre("quick end", "slow end", "quick over", "slow broken off"));
}

TEST_F(DestinationsEnd, NobodyIsAskedWhereThereIsNoneToWaitFor) {
  wait_for_all(destinations_, [] {
    ADD_FAILURE();
    return true;
  });
}

}  // namespace
}  // namespace metricsd::tools
