// usage: metricsd_bench_obvious SOCKET
//
// The daemon as one writes it in an afternoon: Asio's read_until for a line, Boost.JSON's DOM for its fields,
// prometheus-cpp's Family::Add for its series. Reads the same lines from the same kind of socket and folds
// them into the same families; one thread. It closes a connection when it has folded all that came. Ends by a
// signal.

#include "operations.h"
#include "process.h"

#include <istream>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/json/parse.hpp>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using metricsd::measuring::PlainOperation;
using metricsd::measuring::PrometheusOperations;
using Local = asio::local::stream_protocol;

std::string text(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr ? std::string() : std::string(value->as_string());
}

std::uint64_t whole(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr ? 0 : value->to_number<std::uint64_t>();
}

PlainOperation parse(const std::string& line) {
  const json::value document = json::parse(line);
  const json::object& object = document.as_object();
  return {.operation = text(object, "operation_type"),
          .workload = text(object, "workload_type"),
          .driver = text(object, "driver"),
          .error_code = text(object, "error_code"),
          .success = object.at("success").as_bool(),
          .duration_seconds = object.at("duration_ms").to_number<double>() / 1e3,
          .size_bytes = whole(object, "object_size_bytes"),
          .retries = whole(object, "retry_count")};
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Local::socket socket, PrometheusOperations& operations)
      : socket_(std::move(socket)), operations_(operations) {}

  void read() {
    asio::async_read_until(socket_, buffer_, '\n',
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                             if (!error) self->take();
                           });
  }

 private:
  void take() {
    std::string line;
    std::istream stream(&buffer_);
    std::getline(stream, line);
    operations_.fold(parse(line));
    read();
  }

  Local::socket socket_;
  PrometheusOperations& operations_;
  asio::streambuf buffer_;
};

void accept(Local::acceptor& acceptor, PrometheusOperations& operations) {
  acceptor.async_accept([&](const boost::system::error_code& error, Local::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket), operations)->read();
    accept(acceptor, operations);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) metricsd::measuring::fail("usage: metricsd_bench_obvious SOCKET");
  asio::io_context context;
  PrometheusOperations operations;
  Local::acceptor acceptor(context, Local::endpoint(argv[1]));
  accept(acceptor, operations);
  context.run();
}
