#include "adoption_notes.h"

#include <utility>

#include <unistd.h>

namespace metricsd::server {
namespace {

constexpr std::size_t kMostLeft = 4096;

}  // namespace

AdoptionNotes::AdoptionNotes(const Clock& clock, Logger logger) : clock_(clock), logger_(std::move(logger)) {}

void AdoptionNotes::delivered(Orphan& orphan, const error_code& marked) {
  const ipc::AdoptedMessage& outcome = orphan.outcome;
  figures_.file_lines += outcome.file_lines;
  if (outcome.whole && std::exchange(orphan.is_unfinished, false)) --figures_.unfinished;
  if (std::exchange(orphan.is_counted, true)) return;
  ++figures_.segments;
  figures_.records += outcome.records;
  orphan.is_unfinished = !outcome.whole;
  if (orphan.is_unfinished) ++figures_.unfinished;
  const auto count = budget_.spend("delivered", clock_.monotonic_ns());
  if (!count) return;
  logger_.info("delivered what a client left",
               {{"client_id", outcome.client_id},
                {"uid", orphan.uid},
                {"records", outcome.records},
                {"file_lines", outcome.file_lines},
                {"left", outcome.whole ? "" : "lines of its run's file: metricsctl export adds them"},
                {"error", marked ? marked.message() : ""},
                {"count", *count}});
}

void AdoptionNotes::refuse(uid_t uid, const std::string& name, const error_code& error) {
  ++figures_.refused;
  pass_over(uid, name, error.message());
}

void AdoptionNotes::refuse_name(const std::string& name, const error_code& error) {
  if (is_left(name)) return;
  leave(name);
  refuse(::geteuid(), name, error);
}

void AdoptionNotes::not_kept(uid_t uid, const std::string& name) {
  ++figures_.not_kept;
  pass_over(uid, name, "no room: what its client leaves is delivered only where it has a name");
}

void AdoptionNotes::pass_over(uid_t uid, const std::string& name, std::string_view why) {
  const auto count = budget_.spend("segment", clock_.monotonic_ns());
  if (!count) return;
  logger_.warning("a segment is left as it is",
                  {{"name", name}, {"uid", uid}, {"why", why}, {"count", *count}});
}

void AdoptionNotes::leave(const std::string& name) {
  if (left_.size() < kMostLeft) left_.insert(name);
}

void AdoptionNotes::publish(std::size_t kept) {
  figures_.kept = kept;
  const std::lock_guard lock(published_mutex_);
  published_ = figures_;
}

AdoptionFigures AdoptionNotes::published() const {
  const std::lock_guard lock(published_mutex_);
  return published_;
}

}  // namespace metricsd::server
