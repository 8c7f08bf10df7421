// A Unix stream whose other end is read by a thread, as fast as anything comes.
#pragma once

#include <metricsd/models/unique_fd.h>

#include <thread>

namespace metricsd::measuring {

class LiveReader {
 public:
  LiveReader();
  LiveReader(const LiveReader&) = delete;
  LiveReader& operator=(const LiveReader&) = delete;
  ~LiveReader();

  // One send() of 300 bytes, a usual line's length. False where it failed.
  bool send_line();

 private:
  UniqueFd near_;
  UniqueFd far_;
  std::thread reader_;
};

}  // namespace metricsd::measuring
