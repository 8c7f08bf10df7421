// What one user does next: chosen by the mix, among objects that are the user's own.
//
// A user knows which of its objects exist and only downloads and deletes those, so that the load makes no
// errors by itself: every failure is the server's or the network's.
#pragma once

#include "options.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace metricsd::tools {

enum class Action { upload, download, remove };

// One thread.
class Workload {
 public:
  struct Step {
    Action action;
    std::size_t object;
    std::uint64_t size_bytes;  // to upload, or of the object that exists
  };

  // `objects` is at least 1. Two workloads of one seed choose the same.
  Workload(const Mix& mix, SizeRange size, std::size_t objects, std::string key_prefix, std::uint64_t seed);

  // Where nothing exists to download or delete, an upload.
  [[nodiscard]] Step next();

  // What became of an object.
  void exists(std::size_t object, std::uint64_t size_bytes);
  void gone(std::size_t object);

  [[nodiscard]] std::string key(std::size_t object) const;
  [[nodiscard]] const std::vector<std::size_t>& existing() const { return existing_; }

 private:
  [[nodiscard]] Action choose_action();
  [[nodiscard]] std::size_t below(std::size_t count);

  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);
  struct Object {
    std::size_t position = kAbsent;  // in existing_
    std::uint64_t size_bytes = 0;
  };

  Mix mix_;
  SizeRange size_;
  std::string key_prefix_;
  std::vector<Object> objects_;
  std::vector<std::size_t> existing_;  // in no order, so that one can be chosen and removed at once
  std::mt19937_64 random_;
};

}  // namespace metricsd::tools
