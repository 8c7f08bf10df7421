// The daemon's directory of segments: files of its own user, named by their clients' ids.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

namespace metricsd::server {

// One thread.
class SegmentDirectory {
 public:
  static constexpr std::size_t kMostNames = 65'536;  // looked at in one go

  // Opens it. Errors: endpoint_untrusted where it is a link or not the user's own; the system's.
  [[nodiscard]] static Result<SegmentDirectory> open(const std::filesystem::path& path);

  // Calls `visit` with the names of its entries until that says false.
  void for_each_name(const std::function<bool(const std::string&)>& visit) const;
  // Errors: endpoint_untrusted for a link, for another user's file and for what is none; the system's.
  [[nodiscard]] Result<UniqueFd> open_segment(const std::string& name) const;
  // Removes that name, if it is still this file's.
  void remove(const std::string& name, int segment) const;

 private:
  explicit SegmentDirectory(UniqueFd directory) : directory_(std::move(directory)) {}

  UniqueFd directory_;
};

}  // namespace metricsd::server
