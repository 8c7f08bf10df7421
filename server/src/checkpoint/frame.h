// A checkpoint's file: a line of text, then frames.
//
//   file   = "metricsd checkpoint 2\n" frame*       the first a base, the others increments
//   frame  = header body
//   header = "MDfr" kind file generation size crc_of_body crc_of_header      40 bytes, numbers the lowest
//   first
//              kind u32: 1 base (a whole state), 2 increment (what changed since the frame before)
//              file u64: of all frames of one file the same number, of two files hardly ever
//              generation u64: of the state with this frame; it grows by one from frame to frame
//              size u64: of the body in bytes
//   crc    = u32, CRC-32 as zlib has it; the header's is of the 36 bytes before it
//
// A frame counts where its header and its body are as their sums say and all frames before it count. What is
// behind the last one that counts was never acknowledged if the writing of it was cut short; otherwise the
// file is damaged.
#pragma once

#include "files.h"

#include <metricsd/models/errors.h>
#include <metricsd/models/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::server {

enum class FrameKind : std::uint32_t { base = 1, increment = 2 };

struct Frame {
  FrameKind kind = FrameKind::base;
  std::uint64_t generation = 0;
  std::string_view body;
};

// One thread. After an error the file is not to be written any more.
class FrameWriter {
 public:
  // A new file, which must not exist.
  [[nodiscard]] static Result<FrameWriter> create(const Files& files, const std::filesystem::path& path);

  [[nodiscard]] Result<> append(const Frame& frame);
  [[nodiscard]] Result<> sync() { return files_->sync(fd_.get()); }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  FrameWriter(const Files& files, UniqueFd fd);
  Result<> write(std::string_view bytes);

  const Files* files_;
  UniqueFd fd_;
  std::uint64_t file_;
  std::uint64_t size_ = 0;
};

// How a file ends behind the last frame that counts.
enum class FileEnd {
  whole,       // at once
  torn,        // with part of a frame
  damaged,     // with bytes that no writer has left there
  unreadable,  // with an error of the disk: another time there may be more
  foreign,     // it is of another version of this format
};

// One thread. Takes any bytes; memory is that of the largest frame that is there.
class FrameReader {
 public:
  // The error of a file that cannot be opened.
  [[nodiscard]] static Result<FrameReader> open(const Files& files, const std::filesystem::path& path);

  // The number of the format that the file says it has, where it is another one than ours.
  [[nodiscard]] const std::string& foreign_version() const { return foreign_version_; }
  // The next frame that counts; its body is valid until the next call. Nothing at the end.
  [[nodiscard]] std::optional<Frame> next();
  // Once there is nothing more.
  [[nodiscard]] FileEnd end() const { return end_.value_or(FileEnd::whole); }
  // Behind the last frame: how much there is of one that was cut short.
  [[nodiscard]] std::uint64_t torn() const { return torn_; }
  // Of the frames so far, and what goes before them.
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  enum class Got { all, part, nothing, error };

  FrameReader(const Files& files, UniqueFd fd);
  std::optional<FileEnd> read_title();
  Got read(std::string& into, std::size_t size);
  std::nullopt_t stop(FileEnd end, std::uint64_t torn = 0);

  const Files* files_;
  UniqueFd fd_;
  std::string header_;
  std::string body_;
  std::uint64_t file_ = 0;
  std::optional<std::uint64_t> generation_;  // of the frame before
  std::uint64_t size_ = 0;
  std::uint64_t torn_ = 0;
  std::string foreign_version_;
  std::optional<FileEnd> end_;
};

}  // namespace metricsd::server
