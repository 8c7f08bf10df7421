// The daemon's directory of segments: files of its own user, named by their clients' ids. It is the user's
// own and closed to others, or root's and sticky, as that of a system's daemon is: then other users' files
// are theirs to hand in, and nothing to us.
#pragma once

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

namespace metricsd::server {

// One thread.
class SegmentDirectory {
 public:
  static constexpr std::size_t kMostNames = 65'536;  // looked at in one go

  // Opens it. Errors: endpoint_untrusted where it is a link, another's, or open to others; the system's.
  [[nodiscard]] static Result<SegmentDirectory> open(const std::filesystem::path& path);

  // Calls `visit` with the names of its entries until that says false; in one of root's, with our own.
  void for_each_name(const std::function<bool(const std::string&)>& visit) const;
  // Errors: endpoint_untrusted for a link, for another user's file and for what is none; the system's.
  [[nodiscard]] Result<UniqueFd> open_segment(const std::string& name) const;
  // Removes that name, if it is still this file's.
  void remove(const std::string& name, int segment) const;

 private:
  SegmentDirectory(UniqueFd directory, bool is_shared)
      : directory_(std::move(directory)), is_shared_(is_shared) {}

  [[nodiscard]] bool is_anothers(const std::string& name) const;

  UniqueFd directory_;
  bool is_shared_;
};

}  // namespace metricsd::server
