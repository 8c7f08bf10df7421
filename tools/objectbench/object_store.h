// A small object store on disk, for those who have none at hand: PUT, GET and DELETE of
// http://127.0.0.1:PORT/KEY.
//
// An object is one file, named by its key in hex: no key can leave the directory and no two keys meet. It
// appears by rename, so that a reader sees the old object or the new one, never half of one.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace metricsd::tools {

class ObjectStore {
 public:
  // Objects live in `directory`, which exists. Serves at most `connections` at once; further ones wait.
  ObjectStore(std::filesystem::path directory, unsigned connections);
  ~ObjectStore();

  // Binds a free port of the loopback interface; nothing where there is none. Before serve().
  [[nodiscard]] bool bind();
  [[nodiscard]] const std::string& url() const;

  // Serves on the calling thread until stop() is called from another.
  void serve();
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace metricsd::tools
