// HTTP's sockets: accepts, reads one bounded request at a time under a deadline, has it answered elsewhere,
// writes the response under a deadline.
//
// No client holds a thread, and none keeps another out: when the front is full, who has been waited for
// longest goes.
#pragma once

#include "../listen_address.h"
#include "../log.h"
#include "answer_desk.h"
#include "request_reader.h"

#include <metricsd/models/clock.h>
#include <metricsd/models/errors.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace metricsd::server::http {

struct FrontOptions {
  std::size_t max_connections = 0;  // at least 1
};

// Answers a request with the bytes of a response: calls the function it is given once, on any thread, maybe
// at once.
using Responder = std::function<void(const Request&, AnswerDesk::Deliver)>;

// Owns the HTTP thread. Its member functions belong to one thread, that of the daemon's start and end.
class Front {
 public:
  Front(FrontOptions options, Responder responder, const Clock& clock, Logger logger);
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;
  // Stops.
  ~Front();

  // Binds and listens; connections wait until start(). A name is bound at each of its addresses that this
  // machine has. The addresses bound, with the port the kernel chose: at least one.
  [[nodiscard]] Result<std::vector<ListenAddress>> listen(const ListenAddress& address);
  void start();
  // Calls `answer` on the HTTP thread, behind what it has to do. Any thread.
  void probe(std::function<void()> answer);
  // Closes everything and ends the thread.
  void stop();

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Whether an address, as bound, is the machine's own loopback.
[[nodiscard]] bool is_loopback(const ListenAddress& address);

}  // namespace metricsd::server::http
