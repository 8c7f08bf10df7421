// Keeps one HTTP resource as new as can be: each document replaces the one before by PUT, and at the end the
// resource may be deleted. Requests are made on a thread of the sink's own, one at a time, each on a
// connection of its own; who hands documents over never waits for the peer.
//
//   HttpSink sink({.origin = "http://127.0.0.1:9091", .path = "/metrics/job/nightly", ...});
//   sink.put(page);             // again and again: what was not sent when a newer one comes is not sent
//   sink.end();                 // the last one is sent, if the peer takes it in time
//   while (!sink.wait(100ms)) { /* unless something else is to be done */ }
//   sink.leave();
//
// A request is over after HttpSinkOptions::timeout, whatever the peer does: refuses, says nothing, drips,
// closes half-way. Only the lookup of a name may take longer; that nobody waits for.
#pragma once

#include <metricsd/exporters/sink_report.h>

#include <chrono>
#include <memory>
#include <string>

namespace metricsd::exporters {

class SinkThread;

struct HttpSinkOptions {
  std::string
      origin;  // http://HOST[:PORT] or https://HOST[:PORT]; certificates are checked against the system's
  std::string path;  // as it stands in the request: escaped
  std::string content_type;
  std::chrono::milliseconds timeout{5000};
  SayFailure say_failure{};
};

// One thread, save for report().
class HttpSink {
 public:
  explicit HttpSink(HttpSinkOptions options);
  HttpSink(const HttpSink&) = delete;
  HttpSink& operator=(const HttpSink&) = delete;
  ~HttpSink();  // as leave()

  void put(std::string document);
  // What becomes of the resource after the last document.
  enum class Ending { keep, remove };
  // After the last document, once. What is to be sent yet has `timeout` from now on, and that again for a
  // DELETE, which is sent wherever a PUT was begun: one that failed may have arrived.
  void end(Ending ending = Ending::keep);
  // After end(). Waits so long at most: whether there is nothing more to wait for.
  [[nodiscard]] bool wait(std::chrono::milliseconds within);
  // What was not answered until now has failed.
  void leave();
  // Documents: one that was never sent shares the fate of the one that took its place.
  [[nodiscard]] SinkReport report() const;
  // After leave(), one line: why the DELETE failed; empty where it did not, or there was none.
  [[nodiscard]] std::string removal_error() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::unique_ptr<SinkThread> thread_;
};

}  // namespace metricsd::exporters
