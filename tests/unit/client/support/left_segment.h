// What a process that is gone has left in its segment, as the layout says: for tests, which trust it.
#pragma once

#include <metricsd/ipc/segment_layout.h>
#include <metricsd/ipc/segment_record.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace metricsd::client::testing {

struct LeftEntry {
  ipc::QueueEntry head{};
  std::string line;
};

struct LeftRing {
  std::uint64_t committed = 0;
  ipc::RingPosition position{};
  std::uint64_t untaken = 0;    // records that the queue had not taken
  std::uint64_t unwritten = 0;  // that the files had not
};

struct LeftSegment {
  explicit LeftSegment(const std::filesystem::path& path);

  template <class T>
  [[nodiscard]] T at(std::uint64_t offset) const {
    T value;
    std::memcpy(static_cast<void*>(&value), bytes.data() + offset, sizeof value);
    return value;
  }

  std::string bytes;
  ipc::SegmentHeader header{};
  std::map<std::uint32_t, LeftRing> rings;  // by stream
  std::vector<LeftEntry> queue;             // in order
  std::vector<std::string> run;             // as ipc::RunText has them
  ipc::AppendState append_state{};
  std::uint64_t file_bytes = 0;
  std::vector<ipc::AppendSpan> spans;
  std::string text;

 private:
  void read_ring(std::uint64_t begin, std::uint32_t stream);
  [[nodiscard]] std::uint64_t count_records(std::uint64_t data, std::uint64_t capacity, std::uint64_t from,
                                            std::uint64_t to) const;
  void read_run(std::uint64_t begin);
  void read_append(std::uint64_t begin);
};

}  // namespace metricsd::client::testing
