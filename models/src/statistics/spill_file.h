// A temporary file without a name, for what does not fit in memory.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>

namespace metricsd {

// One thread. The file is unlinked as soon as it is made, so that it goes with its owner however that ends.
class SpillFile {
 public:
  // In a directory that exists.
  [[nodiscard]] static Result<SpillFile> create(const std::filesystem::path& directory);

  // All of `bytes`, or an error (a full disk's, say).
  [[nodiscard]] Result<> write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  // All of `bytes`, or an error; Errc::corrupt_state where the file ends before.
  [[nodiscard]] Result<> read_at(std::uint64_t offset, std::span<std::byte> bytes) const;

 private:
  explicit SpillFile(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace metricsd
