#include "watchdog.h"

#include <chrono>
#include <thread>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

namespace metricsd::server {
namespace {

using Answer = std::function<void()>;

class WatchdogTest : public ::testing::Test {
 protected:
  // Two parts that answer when the test says so.
  WatchdogTest()
      : watchdog_(io_,
                  {[this](Answer answer) { first_ = std::move(answer); },
                   [this](Answer answer) { second_ = std::move(answer); }},
                  [this] { ++told_; }) {}

  void run() {
    io_.restart();
    io_.poll();
  }

  boost::asio::io_context io_{1};
  Answer first_;
  Answer second_;
  int told_ = 0;
  Watchdog watchdog_;
};

TEST_F(WatchdogTest, IsToldOnceAllHaveAnswered) {
  watchdog_.start(3'600'000'000'000);
  run();
  EXPECT_EQ(told_, 0);
  second_();
  run();
  EXPECT_EQ(told_, 0);
  first_();
  run();
  EXPECT_EQ(told_, 1);
}

TEST_F(WatchdogTest, IsToldNothingMoreWhileOneIsStuck) {
  watchdog_.start(1);
  for (int round = 1; round <= 3; ++round) {
    std::exchange(first_, nullptr)();
    std::exchange(second_, nullptr)();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!second_ && std::chrono::steady_clock::now() < deadline) run();
    EXPECT_EQ(told_, round);
  }
  std::exchange(second_, nullptr)();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  run();
  EXPECT_EQ(told_, 3);
  EXPECT_FALSE(second_);  // and nobody is asked again
}

TEST_F(WatchdogTest, PartsMayAnswerFromTheirOwnThreads) {
  boost::asio::thread_pool threads(2);
  const Watchdog::Probe part = [&threads](Answer answer) { boost::asio::post(threads, std::move(answer)); };
  int told = 0;
  Watchdog watchdog(io_, {part, part, part}, [&] {
    if (++told == 100) io_.stop();
  });
  auto work = boost::asio::make_work_guard(io_);
  watchdog.start(1000);
  io_.run_for(std::chrono::seconds(30));
  EXPECT_EQ(told, 100);
  threads.join();
}

}  // namespace
}  // namespace metricsd::server
