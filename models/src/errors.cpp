#include <metricsd/models/errors.h>

#include <cerrno>
#include <string>

namespace metricsd {
namespace {

class ErrcCategory final : public boost::system::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "metricsd"; }
  [[nodiscard]] std::string message(int value) const override {
    std::string text(reason(static_cast<Errc>(value)));
    for (char& c : text) {
      if (c == '_') c = ' ';
    }
    return text;
  }
};

}  // namespace

std::string_view reason(Errc errc) noexcept {
  switch (errc) {
    case Errc::malformed_json: return "malformed_json";
    case Errc::not_an_object: return "not_an_object";
    case Errc::too_deep: return "too_deep";
    case Errc::too_long: return "too_long";
    case Errc::line_too_long: return "line_too_long";
    case Errc::half_line: return "half_line";
    case Errc::duplicate_field: return "duplicate_field";
    case Errc::missing_field: return "missing_field";
    case Errc::wrong_type: return "wrong_type";
    case Errc::out_of_range: return "out_of_range";
    case Errc::invalid_characters: return "invalid_characters";
    case Errc::invalid_timestamp: return "invalid_timestamp";
    case Errc::end_before_start: return "end_before_start";
    case Errc::unknown_type: return "unknown_type";
    case Errc::invalid_definition: return "invalid_definition";
    case Errc::conflicting_definition: return "conflicting_definition";
    case Errc::undefined_metric: return "undefined_metric";
    case Errc::label_mismatch: return "label_mismatch";
    case Errc::limit_reached: return "limit_reached";
    case Errc::inconsistent_batch: return "inconsistent_batch";
    case Errc::unexpected_message: return "unexpected_message";
    case Errc::unsupported_protocol: return "unsupported_protocol";
    case Errc::client_forgotten: return "client_forgotten";
    case Errc::user_not_allowed: return "user_not_allowed";
    case Errc::too_many_connections: return "too_many_connections";
    case Errc::corrupt_state: return "corrupt_state";
    case Errc::run_exists: return "run_exists";
    case Errc::run_not_found: return "run_not_found";
    case Errc::endpoint_in_use: return "endpoint_in_use";
    case Errc::endpoint_untrusted: return "endpoint_untrusted";
    case Errc::endpoint_unusable: return "endpoint_unusable";
    case Errc::account_not_found: return "account_not_found";
    case Errc::no_daemon: return "no_daemon";
    case Errc::timed_out: return "timed_out";
  }
  return "unknown";
}

const boost::system::error_category& errc_category() noexcept {
  static const ErrcCategory category;
  return category;
}

boost::system::error_code last_system_error() noexcept {
  return {errno, boost::system::system_category()};
}

}  // namespace metricsd
