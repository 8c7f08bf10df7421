// From the JSON object of a line that has a `type` to the message it is. The inverse of encoder.h.
#pragma once

#include <metricsd/ipc/message.h>

#include <string_view>

#include <boost/system/result.hpp>

namespace metricsd::ipc {

// The message, or why the line is none. Any bytes may come.
[[nodiscard]] boost::system::result<Message, Refusal> read_message(std::string_view line);

}  // namespace metricsd::ipc
