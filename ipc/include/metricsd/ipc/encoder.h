// The lines a sender writes: each appends one JSON object and its newline.
#pragma once

#include <metricsd/ipc/message.h>
#include <metricsd/models/operation.h>

#include <string>

namespace metricsd::ipc {

void encode(std::string& out, const OperationView& operation);
void encode(std::string& out, const UsersMessage& message);
void encode(std::string& out, const RunStartMessage& message);
void encode(std::string& out, const RunEndMessage& message);
void encode(std::string& out, const StatusRequest& message);
void encode(std::string& out, const DefineMessage& message);
void encode(std::string& out, const SamplesMessage& message);
void encode(std::string& out, const HeartbeatMessage& message);

}  // namespace metricsd::ipc
