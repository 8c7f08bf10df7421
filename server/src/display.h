// What the daemon shows to who asks: everything over HTTP, and the status document to senders too. Workers
// merge and render it; nobody who counts waits for them.
#pragma once

#include "config.h"
#include "http/answer_desk.h"
#include "http/front.h"
#include "http/router.h"
#include "ingest_totals.h"
#include "log.h"
#include "snapshots.h"
#include "status.h"
#include "status_desk.h"

#include <metricsd/models/catalog.h>
#include <metricsd/models/clock.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

namespace metricsd::server {

// What it shows of, all of which outlives it.
struct DisplaySources {
  const std::vector<std::unique_ptr<Shard>>& shards;
  const std::unique_ptr<Keeper>& keeper;  // null where nothing is kept
  const std::shared_ptr<Catalog>& catalog;
  const std::shared_ptr<TaskHistory>& tasks;
  const Clock& clock;
  std::function<bool()> ready;            // any thread
  std::function<void(Status&)> complete;  // with what neither they nor the configuration say; any thread
};

// Its member functions belong to one thread, that of the daemon's start and end, where nothing else is said.
class Display {
 public:
  // `config` outlives it.
  Display(const Config& config, DisplaySources sources, Logger logger);
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  // Binds the configuration's addresses; who connects waits until start(). False where one cannot be had:
  // `why` then is one line for a person.
  [[nodiscard]] bool bind(std::size_t max_connections, std::string& why);
  // They, with the ports that the kernel chose.
  [[nodiscard]] const std::vector<std::string>& addresses() const { return addresses_; }
  void start();
  // Ends its threads. Who still waits is told nothing.
  void stop();

  // Any thread: calls `answer` on the HTTP thread, behind what it has to do.
  void probe(std::function<void()> answer) { front_->probe(std::move(answer)); }
  // Any thread: calls `deliver` with the status document sometime, on any thread.
  void send_status(std::function<void(std::string)> deliver);
  // All that was counted, while the shards run; nothing where one does not answer.
  [[nodiscard]] IngestTotals totals();

 private:
  StatusDesk::Document status();

  const Config& config_;
  const DisplaySources sources_;
  Logger logger_;
  std::vector<std::string> addresses_;

  // In the order of their making; they go in the reverse one.
  Snapshots snapshots_;
  StatusDesk status_desk_;
  http::Router router_;
  std::unique_ptr<http::Front> front_;
  http::AnswerDesk answer_desk_;  // who still waits here is one of the front's connections
  boost::asio::thread_pool workers_;
};

}  // namespace metricsd::server
