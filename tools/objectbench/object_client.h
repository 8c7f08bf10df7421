// Puts, gets and deletes objects over one HTTP connection that is kept alive.
#pragma once

#include "options.h"

#include <cstdint>
#include <memory>
#include <string>

namespace metricsd::tools {

// How one transfer ended. A failure's code is the HTTP status ("404"), or names what broke:
// "connection_failed", "timeout", "read_failed", "write_failed", "short_body", ...
struct TransferResult {
  bool success = false;
  bool connected = true;  // false: nobody answers there
  std::string error_code;
  std::string error_message;
};

// One thread. Bodies are made up as they are sent, and counted and thrown away as they arrive.
class ObjectClient {
 public:
  explicit ObjectClient(const ObjectUrl& url);
  ~ObjectClient();

  [[nodiscard]] TransferResult put(const std::string& key, std::uint64_t size_bytes);
  // Fails with "short_body" where the object has another size than `expected_bytes`.
  [[nodiscard]] TransferResult get(const std::string& key, std::uint64_t expected_bytes);
  [[nodiscard]] TransferResult remove(const std::string& key);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace metricsd::tools
