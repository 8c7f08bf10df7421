// Segments that processes left behind, for the commands that deliver what they hold.
#pragma once

#include <metricsd/ipc/segment_reader.h>
#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace metricsd::tools {

// Where clients of this user leave their segments.
[[nodiscard]] std::vector<std::filesystem::path> default_segment_directories();
// The files in these directories that have a segment's name and belong to this user, for root to anyone; one
// that is no directory stands for itself.
[[nodiscard]] std::vector<std::filesystem::path> left_segments(
    const std::vector<std::filesystem::path>& places);

// Why one cannot be opened, for a person.
[[nodiscard]] std::string explain_opening(const error_code& error);

// One of them, open. One thread.
class LeftSegment {
 public:
  // Errors: those of opening and of reading it; endpoint_untrusted for a link.
  [[nodiscard]] static Result<LeftSegment> open(const std::filesystem::path& path);

  [[nodiscard]] int file() const { return file_->get(); }
  [[nodiscard]] const ipc::SegmentReader& reader() const { return reader_; }
  // Whether a process owns it; whether that is the one that made it, and no other that delivers it.
  [[nodiscard]] bool is_owned() const;
  [[nodiscard]] bool is_in_use() const;
  // Whether its process took part in the run of this directory.
  [[nodiscard]] bool is_of(const std::filesystem::path& directory) const;

  // Whether it is this user's. What another's says is written to no file: it would get there by rights that
  // its user may not have.
  [[nodiscard]] bool is_own() const;
  // Whether the run's operations.jsonl may lack lines of it.
  [[nodiscard]] bool may_lack_lines() const;

  // Gives the run's operations.jsonl the lines that it lacks; how many those were. Errors: endpoint_untrusted
  // where it is another user's; endpoint_in_use where its process lives or another delivers it; those of
  // complete_file().
  [[nodiscard]] Result<std::uint64_t> complete_file();
  // What it says of its delivery is read anew. Removes the file, and says so, if a daemon has had its part
  // and the run's file lacks nothing.
  bool remove_if_delivered();

 private:
  LeftSegment(std::filesystem::path path, std::shared_ptr<const UniqueFd> file, ipc::SegmentReader reader)
      : path_(std::move(path)), file_(std::move(file)), reader_(std::move(reader)) {}

  std::filesystem::path path_;
  std::shared_ptr<const UniqueFd> file_;
  ipc::SegmentReader reader_;
};

}  // namespace metricsd::tools
