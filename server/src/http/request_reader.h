// From a connection's bytes to one request, without I/O: right at every split of the bytes, bounded whatever
// comes, and strict where leniency lets two parsers disagree about where a request ends (RFC 9112
// sections 2.2, 5 and 6.3).
//
//   append bytes to a buffer; then
//   switch (reader.read(buffer)) {
//     case need_more: wait for more bytes
//     case request:   answer reader.request(); erase reader.consumed() bytes from the buffer's front
//     case refused:   answer with reader.status() and close
//   }
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace metricsd::server::http {

// What the routes may know of a request. Other headers do not get past the reader.
struct Request {
  std::string method;      // a token known to HTTP
  std::string target;      // visible ASCII, begins with '/'
  bool keep_alive = true;  // whether the connection may serve another
  bool accepts_gzip = false;

  [[nodiscard]] bool operator==(const Request&) const = default;
};

// One thread; keep one for each connection. Cheap while idle.
class RequestReader {
 public:
  enum class Outcome { need_more, request, refused };

  // `buffer` holds all bytes not consumed yet.
  Outcome read(std::string_view buffer);

  [[nodiscard]] const Request& request() const { return request_; }
  // Bytes of the buffer that the request and its body took.
  [[nodiscard]] std::size_t consumed() const { return consumed_; }
  // 400, 413, 414, 417, 431, 501 or 505.
  [[nodiscard]] int status() const { return status_; }

 private:
  Outcome refuse(int status);
  Outcome read_head(std::string_view head);
  bool read_request_line(std::string_view line);
  bool read_header(std::string_view line);
  bool take_header(std::string_view lower_name, std::string_view value);
  bool take_content_length(std::string_view value);
  void take_connection(std::string_view value);
  bool fail(int status);

  Request request_;
  std::size_t scanned_ = 0;  // bytes known not to hold the end of the head
  std::size_t consumed_ = 0;
  int status_ = 0;
  bool is_http_1_1_ = true;
  bool has_host_ = false;
  std::optional<std::size_t> content_length_;
};

// Whether an Accept-Encoding value asks for gzip: named, or `*`, and not with a weight of 0.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace metricsd::server::http
