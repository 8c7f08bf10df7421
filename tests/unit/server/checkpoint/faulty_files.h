// The system's files, of which any call can be made to fail. Nothing is really synced: no test pulls the
// plug.
#pragma once

#include "checkpoint/files.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace metricsd::server {

class FaultyFiles : public Files {
 public:
  enum class Call { create, open, read, write, sync, sync_directory, rename, remove, list };

  // Asked before each call, with its number (from 1): the errno it fails with, or 0.
  using Fault = std::function<int(Call call, std::uint64_t number)>;

  void fail_with(Fault fault) {
    fault_ = std::move(fault);
    calls_.clear();
  }
  void work_again() { fail_with(nullptr); }
  // A write takes so many bytes at most.
  void write_at_most(std::size_t bytes) { most_ = bytes; }
  [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }

  Result<UniqueFd> create(const std::filesystem::path& path) const override {
    if (const auto error = fault(Call::create)) return error;
    return files_.create(path);
  }
  Result<UniqueFd> open(const std::filesystem::path& path) const override {
    if (const auto error = fault(Call::open)) return error;
    return files_.open(path);
  }
  Result<std::size_t> read(int fd, std::span<char> to) const override {
    if (const auto error = fault(Call::read)) return error;
    return files_.read(fd, to);
  }
  Result<std::size_t> write(int fd, std::string_view bytes) const override {
    if (const auto error = fault(Call::write)) return error;
    return files_.write(fd, bytes.substr(0, most_));
  }
  Result<> sync(int) const override {
    if (const auto error = fault(Call::sync)) return error;
    return {};
  }
  Result<> sync_directory(const std::filesystem::path&) const override {
    if (const auto error = fault(Call::sync_directory)) return error;
    return {};
  }
  Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to) const override {
    if (const auto error = fault(Call::rename)) return error;
    return files_.rename(from, to);
  }
  Result<> remove(const std::filesystem::path& path) const override {
    if (const auto error = fault(Call::remove)) return error;
    return files_.remove(path);
  }
  Result<std::vector<std::string>> list(const std::filesystem::path& directory,
                                        std::string_view prefix) const override {
    if (const auto error = fault(Call::list)) return error;
    return files_.list(directory, prefix);
  }

 private:
  error_code fault(Call call) const {
    calls_.push_back(call);
    const int number = fault_ ? fault_(call, calls_.size()) : 0;
    return number == 0 ? error_code() : error_code(number, boost::system::system_category());
  }

  const Files& files_ = system_files();
  Fault fault_;
  std::size_t most_ = std::string_view::npos;
  mutable std::vector<Call> calls_;
};

}  // namespace metricsd::server
