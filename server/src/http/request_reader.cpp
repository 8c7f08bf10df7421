#include "request_reader.h"

#include <metricsd/models/limits.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace metricsd::server::http {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::array<std::string_view, 9> kMethods{"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                   "OPTIONS", "CONNECT", "TRACE", "PATCH"};

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  const auto is_tchar = [](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_tchar);
}

bool is_visible(char c) {
  return c > 0x20 && c < 0x7f;
}

// What a field's value may hold: visible characters of any charset, spaces, tabs; no control byte.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

// A CR or LF without the other: some parsers end a line there, some do not. A CR at the very end may get its
// LF yet.
bool has_bare_line_end(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && i > 0 && text[i - 1] != '\r') return true;
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] != '\n') return true;
  }
  return false;
}

// Whether the line that begins the text is known to be too long. A CR where it may just end may get its LF
// yet.
bool is_long_line(std::string_view text) {
  constexpr std::size_t kMost = limits::kHttpRequestLine;
  return text.size() > kMost && text[kMost] != '\r' &&
         text.substr(0, kMost + 1).find("\r\n") == std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Cuts the text up to the next separator off its front.
std::string_view take_until(std::string_view& text, std::string_view separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + separator.size());
  return taken;
}

std::optional<std::size_t> parse_length(std::string_view text) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error == std::errc::result_out_of_range) return limits::kHttpBody + 1;
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return length;
}

// `q=0`, `q=0.000`: RFC 9110 section 12.4.2.
bool is_zero_weight(std::string_view parameter) {
  if (!parameter.starts_with("q=0")) return false;
  return parameter.substr(3).find_first_not_of(".0") == std::string_view::npos;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> gzip;
  bool any = false;
  while (!accept_encoding.empty()) {
    std::string_view item = take_until(accept_encoding, ",");
    const std::string coding = lower(trim(take_until(item, ";")));
    const bool wanted = !is_zero_weight(lower(trim(item)));
    if (coding == "gzip" || coding == "x-gzip") gzip = wanted;
    if (coding == "*") any = wanted;
  }
  return gzip.value_or(any);
}

RequestReader::Outcome RequestReader::read(std::string_view buffer) {
  // Empty lines before a request are passed over (RFC 9112 section 2.2).
  std::size_t start = 0;
  while (buffer.substr(start).starts_with("\r\n") && start < limits::kHttpHead) start += 2;

  const std::size_t from = std::max(start, scanned_ < kEndOfHead.size() ? 0 : scanned_ - kEndOfHead.size());
  const std::size_t end = buffer.find(kEndOfHead, from);
  const bool complete = end != std::string_view::npos;
  const std::size_t head_end = complete ? end + kEndOfHead.size() : buffer.size();
  // The fault that comes first is told, whatever came in the same read.
  const bool is_long = is_long_line(buffer.substr(start));
  const std::size_t looked_at =
      is_long ? start + limits::kHttpRequestLine + 1 : std::min(head_end, limits::kHttpHead + 1);
  if (looked_at > from && has_bare_line_end(buffer.substr(from, looked_at - from))) return refuse(400);
  if (is_long) return refuse(414);
  if (head_end > limits::kHttpHead) return refuse(431);
  if (!complete) {
    scanned_ = buffer.size();
    return Outcome::need_more;
  }
  if (read_head(buffer.substr(start, end + 2 - start)) == Outcome::refused) return Outcome::refused;

  consumed_ = head_end + content_length_.value_or(0);
  if (buffer.size() < consumed_) {
    scanned_ = end;  // the head is read again when more has come: it is short, bodies are rare
    return Outcome::need_more;
  }
  scanned_ = 0;
  return Outcome::request;
}

// `head` ends with the CR LF of its last line.
RequestReader::Outcome RequestReader::read_head(std::string_view head) {
  request_ = Request{};
  has_host_ = false;
  content_length_.reset();

  const std::string_view request_line = take_until(head, "\r\n");
  if (!read_request_line(request_line)) return Outcome::refused;
  for (std::size_t lines = 0; !head.empty(); ++lines) {
    if (lines == limits::kHttpHeaderLines) return refuse(431);
    if (!read_header(take_until(head, "\r\n"))) return Outcome::refused;
  }
  if (is_http_1_1_ && !has_host_) return refuse(400);
  if (content_length_.value_or(0) > limits::kHttpBody) return refuse(413);
  return Outcome::request;
}

bool RequestReader::read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return fail(400);
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);

  if (!is_token(method)) return fail(400);
  if (!version.starts_with("HTTP/")) return fail(400);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return fail(505);
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) return fail(501);
  if (target.empty() || !std::all_of(target.begin(), target.end(), is_visible)) return fail(400);
  if (target.front() != '/') return fail(400);

  is_http_1_1_ = version == "HTTP/1.1";
  request_.method = method;
  request_.target = target;
  request_.keep_alive = is_http_1_1_;
  return true;
}

bool RequestReader::read_header(std::string_view line) {
  // A line that begins with white space continues the one before (obs-fold): not everyone reads it so. White
  // space before the colon is the same trap; neither makes a token.
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return fail(400);
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_field_value(value)) return fail(400);
  return take_header(lower(line.substr(0, colon)), value);
}

bool RequestReader::take_header(std::string_view lower_name, std::string_view value) {
  if (lower_name == "host") {
    if (has_host_) return fail(400);
    has_host_ = true;
  } else if (lower_name == "content-length") {
    return take_content_length(value);
  } else if (lower_name == "transfer-encoding") {
    return fail(501);  // no route takes a body: none is decoded
  } else if (lower_name == "expect") {
    return fail(417);
  } else if (lower_name == "connection") {
    take_connection(value);
  } else if (lower_name == "accept-encoding") {
    request_.accepts_gzip = request_.accepts_gzip || accepts_gzip(value);
  }
  return true;
}

// Twice is refused even where both agree.
bool RequestReader::take_content_length(std::string_view value) {
  const bool digits = !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
  if (content_length_ || !digits) return fail(400);
  content_length_ = parse_length(value);
  return content_length_.has_value() || fail(400);
}

void RequestReader::take_connection(std::string_view value) {
  while (!value.empty()) {
    const std::string option = lower(trim(take_until(value, ",")));
    if (option == "close") request_.keep_alive = false;
    if (option == "keep-alive" && !is_http_1_1_) request_.keep_alive = true;
  }
}

RequestReader::Outcome RequestReader::refuse(int status) {
  fail(status);
  return Outcome::refused;
}

bool RequestReader::fail(int status) {
  status_ = status;
  return false;
}

}  // namespace metricsd::server::http
