// The lines that go over the socket, batches aside (batch.h): each appends one JSON object and its newline.
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
void encode(std::string& out, const HelloMessage& message);
void encode(std::string& out, const WelcomeMessage& message);
void encode(std::string& out, const AckMessage& message);
void encode(std::string& out, const FlushMessage& message);
void encode(std::string& out, const ByeMessage& message);
void encode(std::string& out, const AdoptMessage& message);
void encode(std::string& out, const AdoptedMessage& message);
// Its texts of JSON go as they are.
void encode(std::string& out, const TaskSampleMessage& message);

}  // namespace metricsd::ipc
