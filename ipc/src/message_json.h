// From the JSON object of a line that has a `type` to the message it is. The inverse of encoder.h. A batch
// has a reader of its own (batch_reader.h).
#pragma once

#include <metricsd/ipc/message.h>

#include <string_view>

#include <boost/json/fwd.hpp>
#include <boost/system/result.hpp>

namespace metricsd::ipc {

// The message, or why the object is none.
[[nodiscard]] boost::system::result<Message, Refusal> read_message(const boost::json::object& object);

// What both readers need.
[[nodiscard]] Result<std::uint32_t> read_stream(const boost::json::value& value);
[[nodiscard]] Result<std::uint64_t> read_sequence_number(const boost::json::value& value);
[[nodiscard]] Result<std::string> read_type_name(const boost::json::value& value);

}  // namespace metricsd::ipc
