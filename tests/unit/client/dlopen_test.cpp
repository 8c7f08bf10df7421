// The library opened by a program that does not know it, and closed again while threads that recorded live
// on.
#include <metricsd/support/temporary_directory.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace metricsd::client {
namespace {

class Plugin {
 public:
  Plugin() : handle_(::dlopen(METRICSD_RECORDING_PLUGIN, RTLD_NOW | RTLD_LOCAL)) {}
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin() { close(); }

  void close() {
    if (handle_ != nullptr) ::dlclose(handle_);
    handle_ = nullptr;
  }
  [[nodiscard]] bool opened() const { return handle_ != nullptr; }
  template <class Function>
  [[nodiscard]] Function* find(const char* name) const {
    return reinterpret_cast<Function*>(::dlsym(handle_, name));
  }

 private:
  void* handle_;
};

TEST(Dlopen, RecordsFromThreadsOlderAndYoungerThanTheLibrary) {
  const support::TemporaryDirectory directory;
  std::promise<void (*)(int)> opened;
  std::promise<void> closed;
  std::shared_future<void (*)(int)> record_later = opened.get_future().share();
  std::shared_future<void> until_closed = closed.get_future().share();
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  const auto record_then_wait = [&, record_later, until_closed] {
    record_later.get()(1000);
    ++done;
    until_closed.wait();
  };
  for (int i = 0; i < 4; ++i) threads.emplace_back(record_then_wait);  // have their static TLS already

  Plugin plugin;
  ASSERT_TRUE(plugin.opened()) << ::dlerror();
  auto* open = plugin.find<bool(const char*)>("plugin_open");
  auto* record = plugin.find<void(int)>("plugin_record");
  auto* close = plugin.find<unsigned long(unsigned long)>("plugin_close");
  ASSERT_TRUE(open != nullptr && record != nullptr && close != nullptr);
  ASSERT_TRUE(open(directory.path().c_str()));
  opened.set_value(record);
  for (int i = 0; i < 4; ++i) threads.emplace_back(record_then_wait);
  record(1000);
  while (done < 8) std::this_thread::yield();
  EXPECT_EQ(close(9 * 2000), 0U);
  plugin.close();
  closed.set_value();  // the threads' ends call into what is still there
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace metricsd::client
