// A batch as the plain lines that a daemon without batches takes.
#pragma once

#include <string>
#include <string_view>

namespace metricsd::client {

// Appends a line for each operation of `batch`, the line of one; for a line of samples, that without its
// place in the stream. Says what the batch says: times, keys and ids are in the files only.
void append_batch_as_lines(std::string& out, std::string_view batch);

}  // namespace metricsd::client
