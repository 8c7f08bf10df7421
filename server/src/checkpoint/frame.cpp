#include "frame.h"

#include <metricsd/models/state/state_reader.h>
#include <metricsd/models/state/state_writer.h>

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include <zlib.h>

namespace metricsd::server {
namespace {

constexpr std::string_view kTitle = "metricsd checkpoint 2\n";
constexpr std::string_view kTitleBefore = "metricsd checkpoint 1\n";  // as long: its cuts have no tasks
constexpr std::string_view kTitleOfAny = "metricsd checkpoint ";
constexpr std::uint32_t kMagic = 0x7266'444D;  // "MDfr"
constexpr std::size_t kSummed = 36;            // bytes of a header that its own sum is of
constexpr std::size_t kHeader = kSummed + 4;
constexpr std::size_t kReadStep = std::size_t{1}
                                  << 20;  // memory grows with what has come, not with what is said

std::uint32_t sum_of(std::string_view bytes) {
  uLong sum = ::crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, std::numeric_limits<uInt>::max());
    sum = ::crc32(sum, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size()));
    bytes.remove_prefix(part.size());
  }
  return static_cast<std::uint32_t>(sum);
}

std::uint64_t random_number() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

// The number in the title of any version, or what there is of it in as many bytes as ours has.
std::string version_of(std::string_view title) {
  if (!title.starts_with(kTitleOfAny)) return {};
  std::string_view number = title.substr(kTitleOfAny.size());
  if (number.ends_with('\n')) number.remove_suffix(1);
  const bool is_number = number.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number && !number.starts_with('0') ? std::string(number) : std::string();
}

struct Header {
  std::uint32_t kind = 0;
  std::uint64_t file = 0;
  std::uint64_t generation = 0;
  std::uint64_t size = 0;
  std::uint32_t sum = 0;  // of the body
};

std::string encode(const Header& header) {
  std::string bytes;
  StateWriter out(bytes);
  out.fixed32(kMagic);
  out.fixed32(header.kind);
  out.fixed64(header.file);
  out.fixed64(header.generation);
  out.fixed64(header.size);
  out.fixed32(header.sum);
  out.fixed32(sum_of(bytes));
  return bytes;
}

std::optional<Header> decode(std::string_view bytes) {
  StateReader in(bytes);
  const bool is_frame = in.fixed32() == kMagic;
  Header header;
  header.kind = in.fixed32();
  header.file = in.fixed64();
  header.generation = in.fixed64();
  header.size = in.fixed64();
  header.sum = in.fixed32();
  const bool is_sound = in.fixed32() == sum_of(bytes.substr(0, kSummed));
  if (!is_frame || !is_sound) return std::nullopt;
  return header;
}

}  // namespace

Result<FrameWriter> FrameWriter::create(const Files& files, const std::filesystem::path& path) {
  auto fd = files.create(path);
  if (!fd) return fd.error();
  FrameWriter writer(files, *std::move(fd));
  if (const auto written = writer.write(kTitle); !written) return written.error();
  return writer;
}

FrameWriter::FrameWriter(const Files& files, UniqueFd fd)
    : files_(&files), fd_(std::move(fd)), file_(random_number()) {}

Result<> FrameWriter::append(const Frame& frame) {
  const Header header{.kind = static_cast<std::uint32_t>(frame.kind),
                      .file = file_,
                      .generation = frame.generation,
                      .size = frame.body.size(),
                      .sum = sum_of(frame.body)};
  if (const auto written = write(encode(header)); !written) return written;
  return write(frame.body);
}

Result<> FrameWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto taken = files_->write(fd_.get(), bytes);
    if (!taken) return taken.error();
    bytes.remove_prefix(*taken);
    size_ += *taken;
  }
  return {};
}

Result<FrameReader> FrameReader::open(const Files& files, const std::filesystem::path& path) {
  auto fd = files.open(path);
  if (!fd) return fd.error();
  FrameReader reader(files, *std::move(fd));
  reader.end_ = reader.read_title();
  return reader;
}

FrameReader::FrameReader(const Files& files, UniqueFd fd) : files_(&files), fd_(std::move(fd)) {}

std::optional<FileEnd> FrameReader::read_title() {
  std::string title;
  size_ = kTitle.size();
  const Got got = read(title, kTitle.size());
  if (got == Got::error) return FileEnd::unreadable;
  if (got == Got::all && (title == kTitle || title == kTitleBefore)) return std::nullopt;
  if (got == Got::all) foreign_version_ = version_of(title);
  return foreign_version_.empty() ? FileEnd::damaged : FileEnd::foreign;
}

std::optional<Frame> FrameReader::next() {
  if (end_) return std::nullopt;
  switch (read(header_, kHeader)) {
    case Got::nothing: return stop(FileEnd::whole);
    case Got::part: return stop(FileEnd::torn, header_.size());
    case Got::error: return stop(FileEnd::unreadable);
    case Got::all: break;
  }
  const auto header = decode(header_);
  if (!header) return stop(FileEnd::damaged);
  switch (read(body_, header->size)) {
    case Got::nothing:
    case Got::part: return stop(FileEnd::torn, kHeader + body_.size());
    case Got::error: return stop(FileEnd::unreadable);
    case Got::all: break;
  }
  const auto kind = generation_ ? FrameKind::increment : FrameKind::base;
  const bool follows = !generation_ || (header->file == file_ && header->generation == *generation_ + 1);
  if (header->kind != static_cast<std::uint32_t>(kind) || !follows || sum_of(body_) != header->sum) {
    return stop(FileEnd::damaged);
  }
  file_ = header->file;
  generation_ = header->generation;
  size_ += kHeader + body_.size();
  return Frame{.kind = kind, .generation = header->generation, .body = body_};
}

FrameReader::Got FrameReader::read(std::string& into, std::size_t size) {
  into.clear();
  while (into.size() < size) {
    const std::size_t before = into.size();
    into.resize(before + std::min(size - before, kReadStep));
    const auto taken = files_->read(fd_.get(), std::span(into).subspan(before));
    into.resize(before + (taken ? *taken : 0));
    if (!taken) return Got::error;
    if (*taken == 0) return before == 0 ? Got::nothing : Got::part;
  }
  return Got::all;
}

std::nullopt_t FrameReader::stop(FileEnd end, std::uint64_t torn) {
  end_ = end;
  torn_ = torn;
  return std::nullopt;
}

}  // namespace metricsd::server
