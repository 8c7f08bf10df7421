// Log lines on stderr: one event a line, as logfmt or as JSON.
//
// Whatever stands in a message or a field, a line is printable ASCII: everything else is escaped, so that no
// peer can break a line in two or speak to a terminal.
#pragma once

#include <metricsd/models/timestamp.h>

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include <spdlog/fwd.h>

namespace metricsd::server {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { logfmt, json };

[[nodiscard]] std::string_view to_string(LogLevel level) noexcept;

class LogField {
 public:
  LogField(std::string_view key, std::string_view text) : key_(key), text_(text) {}
  LogField(std::string_view key, const char* text) : LogField(key, std::string_view(text)) {}
  LogField(std::string_view key, const std::string& text) : LogField(key, std::string_view(text)) {}
  LogField(std::string_view key, std::integral auto number)
      : key_(key), text_(std::to_string(number)), is_number_(true) {}

  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool is_number() const { return is_number_; }

 private:
  std::string_view key_;  // our own word: lower case and underscores
  std::string text_;
  bool is_number_ = false;
};

using LogFields = std::initializer_list<LogField>;

// The line without its newline. `level` and `message` stand before the fields.
[[nodiscard]] std::string render_log_line(LogFormat format, Timestamp at, LogLevel level,
                                          std::string_view message, LogFields fields);

// Any thread. A copy writes to the same place.
class Logger {
 public:
  // Writes to stderr what is at least as grave as `level`.
  Logger(LogLevel level, LogFormat format);
  Logger(LogFormat format, std::shared_ptr<spdlog::logger> sink);

  void debug(std::string_view message, LogFields fields = {}) { write(LogLevel::debug, message, fields); }
  void info(std::string_view message, LogFields fields = {}) { write(LogLevel::info, message, fields); }
  void warning(std::string_view message, LogFields fields = {}) { write(LogLevel::warning, message, fields); }
  void error(std::string_view message, LogFields fields = {}) { write(LogLevel::error, message, fields); }

 private:
  void write(LogLevel level, std::string_view message, LogFields fields);

  LogFormat format_;
  std::shared_ptr<spdlog::logger> sink_;
};

}  // namespace metricsd::server
