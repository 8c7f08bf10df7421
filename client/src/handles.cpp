#include "handles.h"

#include <array>
#include <cstring>
#include <new>
#include <utility>

namespace metricsd::client {
namespace {

constexpr std::size_t kDictionaryBytes = std::size_t{64} << 10;
constexpr std::size_t kEntryAlignment = 8;

}  // namespace

Handles::Handles(Segment& segment) : segment_(segment) {
  static_cast<void>(add({}));                // ipc::kNoHandle
  static_cast<void>(add({.valid = false}));  // kInvalid
}

std::uint32_t Handles::bind(std::string_view operation_type, std::string_view workload_type,
                            std::string_view driver) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    ipc::RecordNames entry = ipc::RecordNames::of(operation_type, workload_type, driver);
    if (!entry.valid) {
      ++refused_;
      return kInvalid;
    }
    Texts texts{entry.operation_type, entry.workload_type, entry.driver};
    if (const auto found = by_texts_.find(texts); found != by_texts_.end()) return found->second;
    if (entries_.size() == kMost) {
      ++beyond_the_bound_;
      return kInvalid;
    }
    const std::uint32_t handle = add(std::move(entry));
    by_texts_.emplace(std::move(texts), handle);
    return handle;
  } catch (const std::bad_alloc&) {
    return kInvalid;
  }
}

std::uint32_t Handles::add(ipc::RecordNames entry) {
  const auto handle = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back(std::move(entry));
  try {
    write_to_segment(handle, entries_.back());
  } catch (const std::bad_alloc&) {
    entries_.pop_back();
    throw;
  }
  return handle;
}

void Handles::write_to_segment(std::uint32_t handle, const ipc::RecordNames& entry) {
  const std::array<std::string_view, 3> texts{entry.operation_type, entry.workload_type, entry.driver};
  ipc::DictionaryEntry head{.size = sizeof head, .handle = handle, .lengths = {}, .reserved = 0};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    head.lengths[i] = static_cast<std::uint16_t>(texts[i].size());
    head.size += head.lengths[i];
  }
  head.size =
      static_cast<std::uint32_t>((head.size + kEntryAlignment - 1) / kEntryAlignment * kEntryAlignment);

  const auto room_of = [](const SegmentMapping& mapping) {
    const auto* block = reinterpret_cast<const ipc::DictionaryBlock*>(mapping.address());
    return kDictionaryBytes - sizeof *block - block->used.load(std::memory_order_relaxed);
  };
  if (dictionary_.empty() || room_of(dictionary_.back()) < head.size) {
    dictionary_.reserve(dictionary_.size() + 1);
    dictionary_.push_back(segment_.add<ipc::DictionaryBlock>(
        ipc::BlockKind::dictionary, static_cast<std::uint32_t>(dictionary_.size()), kDictionaryBytes));
  }
  auto* block = reinterpret_cast<ipc::DictionaryBlock*>(dictionary_.back().address());
  const std::uint64_t used = block->used.load(std::memory_order_relaxed);
  std::byte* out = dictionary_.back().address() + sizeof *block + used;
  std::memcpy(out, &head, sizeof head);
  out += sizeof head;
  for (const std::string_view text : texts) {
    text.copy(reinterpret_cast<char*>(out), text.size());
    out += text.size();
  }
  block->used.store(used + head.size, std::memory_order_release);
}

void Handles::refresh(std::vector<const ipc::RecordNames*>& entries) const {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = entries.size(); i < entries_.size(); ++i) entries.push_back(&entries_[i]);
}

std::vector<std::string> Handles::warnings() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  if (refused_ != 0) {
    lines.push_back(std::to_string(refused_) +
                    " calls of bind() had a type that is none: what is recorded with those is dropped");
  }
  if (beyond_the_bound_ != 0) {
    lines.push_back(std::to_string(beyond_the_bound_) + " calls of bind() came beyond the " +
                    std::to_string(kMost) +
                    " handles of a collector: what is recorded with those is dropped");
  }
  return lines;
}

}  // namespace metricsd::client
