// Errors of the whole project: one enum, one category, one Result.
//
// A peer's bytes never throw or assert: they become an Errc, which is also the `reason` label under which the
// daemon counts the refusal. Functions that can fail return Result<T>; ignoring one is a compiler warning.
#pragma once

#include <string_view>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace metricsd {

enum class Errc {
  // What a line or a document can be refused for.
  malformed_json = 1,
  not_an_object,
  too_deep,
  too_long,
  line_too_long,
  half_line,
  duplicate_field,
  missing_field,
  wrong_type,
  out_of_range,
  invalid_characters,
  invalid_timestamp,
  end_before_start,
  // What a message about other metrics or runs can be refused for.
  unknown_type,
  invalid_definition,
  conflicting_definition,
  undefined_metric,
  label_mismatch,
  limit_reached,
  inconsistent_batch,
  unexpected_message,
  unsupported_protocol,
  client_forgotten,
  // What a connection can be refused for.
  user_not_allowed,
  too_many_connections,
  // What state, files and sockets can fail with, where errno does not say it.
  corrupt_state,
  run_exists,
  run_not_found,
  endpoint_in_use,
  endpoint_untrusted,
  endpoint_unusable,
  account_not_found,
  no_daemon,
  timed_out,
};

// The name of an error as it stands in the `reason` label and in messages: "duplicate_field", ...
std::string_view reason(Errc errc) noexcept;

const boost::system::error_category& errc_category() noexcept;

inline boost::system::error_code make_error_code(Errc errc) noexcept {
  return {static_cast<int>(errc), errc_category()};
}

// A system call's error, as errno has it.
boost::system::error_code last_system_error() noexcept;

template <class T = void>
using Result = boost::system::result<T>;

using boost::system::error_code;

}  // namespace metricsd

template <>
struct boost::system::is_error_code_enum<metricsd::Errc> : std::true_type {};
