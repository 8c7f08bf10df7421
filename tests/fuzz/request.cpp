// A browser's bytes, in any parts: the reader finds the same requests however they are parted, and what the
// router answers to them is one response, whose head is ours alone.

#include "fuzzing.h"
#include "http/request_reader.h"
#include "http/router.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace {

using namespace metricsd;
using fuzz::Split;
using server::http::Request;
using server::http::RequestReader;
using server::http::Router;

std::string text_of(const Request& request) {
  return request.method + " " + request.target + (request.keep_alive ? " keep" : " close") +
         (request.accepts_gzip ? " gzip\n" : "\n");
}

// The requests that the bytes hold, one behind the other, and how it ended.
std::string requests_in(std::string_view bytes, Split split, std::vector<Request>* found = nullptr) {
  RequestReader reader;
  std::string buffer;
  std::string text;
  for (const std::string& part : fuzz::parts_of(bytes, split)) {
    buffer += part;
    auto outcome = reader.read(buffer);
    for (; outcome == RequestReader::Outcome::request; outcome = reader.read(buffer)) {
      fuzz::check(reader.consumed() > 0 && reader.consumed() <= buffer.size(), "consumed what was not there");
      buffer.erase(0, reader.consumed());
      text += text_of(reader.request());
      if (found != nullptr) found->push_back(reader.request());
    }
    if (outcome == RequestReader::Outcome::refused) return text + std::to_string(reader.status());
  }
  return text;
}

server::http::Response count_query(const server::http::Query& query) {
  return {.content_type = server::http::kPlainText,
          .body = std::string(query.size() * 1024, 'x'),
          .headers = {{"X-Query", std::to_string(query.size())}}};
}

const Router& router() {
  static const Router router({{.path = "/", .handler = count_query, .is_cheap = true},
                              {.path = "/metrics", .handler = count_query},
                              {.path = "/api/v1/summary", .handler = count_query, .reads_query = true}});
  return router;
}

bool is_ours(std::string_view header_line) {
  constexpr std::array<std::string_view, 11> kNames{
      "Accept-Ranges", "Allow",      "Cache-Control", "Connection", "Content-Encoding",      "Content-Length",
      "Content-Type",  "Keep-Alive", "Vary",          "X-Query",    "X-Content-Type-Options"};
  const std::string_view name = header_line.substr(0, header_line.find(": "));
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// Escaped, it is longer than cpp-httplib takes.
bool is_full_of_question_marks(std::string_view target) {
  constexpr std::size_t kMost = 8192 - 32;  // of a line with a method and a version
  return target.size() + 2 * static_cast<std::size_t>(std::count(target.begin(), target.end(), '?')) > kMost;
}

// None of the client's bytes comes back.
void check_response(const Request& request) {
  const std::string response = router().respond(request);
  std::string_view head(response);
  head = head.substr(0, head.find("\r\n\r\n") + 2);
  const std::string_view first = head.substr(0, head.find("\r\n"));
  fuzz::check(first == "HTTP/1.1 200 OK" || first == "HTTP/1.1 404 Not Found" ||
                  first == "HTTP/1.1 405 Method Not Allowed" ||
                  (first == "HTTP/1.1 414 URI Too Long" && is_full_of_question_marks(request.target)),
              "a status line that is none of ours: " + std::string(first));
  for (head.remove_prefix(first.size() + 2); !head.empty(); head.remove_prefix(head.find("\r\n") + 2)) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    fuzz::check(is_ours(line), "a header that is none of ours: " + std::string(line));
  }
  const std::string_view body = std::string_view(response).substr(response.find("\r\n\r\n") + 4);
  const bool is_answer = first.ends_with("OK") || body.empty();  // HEAD has none
  fuzz::check(is_answer || body == "not found\n" || body == "method not allowed\n",
              "a body that is none of ours");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<Request> requests;
  const std::string whole = requests_in(bytes, Split::whole, &requests);
  fuzz::check_same(whole, requests_in(bytes, Split::single), "byte by byte they are other requests");
  fuzz::check_same(whole, requests_in(bytes, Split::odd), "in parts they are other requests");
  for (const Request& request : requests) {
    fuzz::check(request.target.starts_with('/'), "a target that is no path");
    (void)router().shared_question(request);
    check_response(request);
  }
  return 0;
}
