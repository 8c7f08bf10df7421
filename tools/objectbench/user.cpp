#include "user.h"

#include "object_client.h"
#include "workload.h"

#include <string>
#include <thread>

namespace metricsd::tools {

namespace {

// Who finds nobody at the other end asks again after a while, or the failures would be the load.
constexpr std::chrono::milliseconds kPauseWithoutServer{100};

// This user's part of the objects of all; one at least.
std::size_t share_of_objects(const BenchOptions& options, unsigned number) {
  const std::uint64_t users = std::uint64_t{options.processes} * options.users;
  const std::uint64_t share = options.objects / users + (number < options.objects % users ? 1 : 0);
  return share > 0 ? share : 1;
}

const char* operation_type(Action action) {
  switch (action) {
    case Action::upload: return "upload";
    case Action::download: return "download";
    case Action::remove: return "delete";
  }
  return "";
}

class User {
 public:
  explicit User(const UserTask& task)
      : task_(task),
        name_("user-" + std::to_string(task.number)),
        workload_(
            task.options.mix, task.options.size, share_of_objects(task.options, task.number),
            "objectbench-" + task.run.test_run_id().substr(0, 8) + "-" + std::to_string(task.number) + "-",
            task.options.seed + task.number),
        http_(task.options.url.value()) {}

  void work() {
    while (!done()) {
      const TransferResult result = do_one();
      if (!result.connected) std::this_thread::sleep_for(kPauseWithoutServer);
    }
    clean_up();
  }

 private:
  [[nodiscard]] bool done() const {
    return task_.progress.stop.load(std::memory_order_relaxed) ||
           std::chrono::steady_clock::now() >= task_.deadline;
  }

  TransferResult do_one() {
    const Workload::Step step = workload_.next();
    const std::string key = workload_.key(step.object);
    const std::uint64_t bytes = step.action == Action::remove ? 0 : step.size_bytes;

    auto timer = task_.run.time(operation_type(step.action), key, bytes);
    timer.user(name_);
    TransferResult result = transfer(step, key);
    if (result.success) {
      timer.success();
    } else {
      timer.failure(result.error_code, result.error_message);
    }
    note(step, result);
    count(result, bytes);
    return result;
  }

  TransferResult transfer(const Workload::Step& step, const std::string& key) {
    switch (step.action) {
      case Action::upload: return http_.put(key, step.size_bytes);
      case Action::download: return http_.get(key, step.size_bytes);
      case Action::remove: return http_.remove(key);
    }
    return {};
  }

  // After a failure nobody knows what the server holds, so the object counts as gone until it is uploaded
  // again.
  void note(const Workload::Step& step, const TransferResult& result) {
    if (result.success && step.action == Action::upload) {
      workload_.exists(step.object, step.size_bytes);
    } else if (!result.success || step.action == Action::remove) {
      workload_.gone(step.object);
    }
  }

  void count(const TransferResult& result, std::uint64_t bytes) {
    task_.progress.operations.fetch_add(1, std::memory_order_relaxed);
    if (result.success) {
      task_.progress.bytes.fetch_add(bytes, std::memory_order_relaxed);
    } else {
      task_.progress.failures.fetch_add(1, std::memory_order_relaxed);
    }
  }

  // Not part of the load, so not recorded.
  void clean_up() {
    for (const std::size_t object : workload_.existing()) {
      if (!http_.remove(workload_.key(object)).connected) return;
    }
  }

  const UserTask& task_;
  std::string name_;
  Workload workload_;
  ObjectClient http_;
};

}  // namespace

void run_user(const UserTask& task) {
  User(task).work();
}

}  // namespace metricsd::tools
