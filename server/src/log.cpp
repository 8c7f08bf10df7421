#include "log.h"

#include <metricsd/models/clock.h>

#include <algorithm>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace metricsd::server {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_printable(char c) {
  return c >= 0x20 && c < 0x7f;
}

// Characters a logfmt value may have without quotes.
bool is_bare(char c) {
  return is_printable(c) && c != ' ' && c != '"' && c != '\\' && c != '=';
}

// In quotes; `byte_escape` introduces the two hex digits of a byte that is not printable.
void append_quoted(std::string& out, std::string_view text, std::string_view byte_escape) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (is_printable(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += byte_escape;
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    }
  }
  out += '"';
}

void append_logfmt(std::string& out, std::string_view key, std::string_view value) {
  if (!out.empty()) out += ' ';
  out += key;
  out += '=';
  if (!value.empty() && std::all_of(value.begin(), value.end(), is_bare)) {
    out += value;
  } else {
    append_quoted(out, value, "\\x");
  }
}

void append_json(std::string& out, std::string_view key, std::string_view value, bool bare) {
  out += out.empty() ? '{' : ',';
  append_quoted(out, key, "\\u00");
  out += ':';
  if (bare) {
    out += value;
  } else {
    append_quoted(out, value, "\\u00");
  }
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: break;
  }
  return spdlog::level::err;
}

std::shared_ptr<spdlog::logger> stderr_logger(LogLevel level) {
  auto logger =
      std::make_shared<spdlog::logger>("metricsd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(spdlog_level(level));
  logger->flush_on(spdlog::level::trace);
  return logger;
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: break;
  }
  return "error";
}

std::string render_log_line(LogFormat format, Timestamp at, LogLevel level, std::string_view message,
                            LogFields fields) {
  std::string line;
  const auto append = [&](std::string_view key, std::string_view value, bool bare) {
    if (format == LogFormat::json) {
      append_json(line, key, value, bare);
    } else {
      append_logfmt(line, key, value);
    }
  };
  append("time", format_timestamp(at), false);
  append("level", to_string(level), false);
  append("message", message, false);
  for (const LogField& field : fields) append(field.key(), field.text(), field.is_number());
  if (format == LogFormat::json) line += '}';
  return line;
}

Logger::Logger(LogLevel level, LogFormat format) : Logger(format, stderr_logger(level)) {}

Logger::Logger(LogFormat format, std::shared_ptr<spdlog::logger> sink)
    : format_(format), sink_(std::move(sink)) {}

void Logger::write(LogLevel level, std::string_view message, LogFields fields) {
  if (!sink_->should_log(spdlog_level(level))) return;
  const std::string line = render_log_line(format_, system_clock().now(), level, message, fields);
  sink_->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace metricsd::server
