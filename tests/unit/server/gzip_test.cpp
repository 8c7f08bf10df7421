#include "http/gzip.h"

#include <random>
#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace metricsd::server::http {
namespace {

std::string decompressed(const std::string& bytes, std::size_t size) {
  std::string out(size + 1, '\0');
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Gzip, GivesBackWhatItTook) {
  std::mt19937 random(1);
  for (const std::size_t size : {0U, 1U, 1000U, 65'536U, 1'000'000U}) {
    std::string noise(size, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    for (const std::string& text : {std::string(size, 'x'), noise}) {
      EXPECT_TRUE(decompressed(gzip(text), size) == text) << size;
    }
  }
}

}  // namespace
}  // namespace metricsd::server::http
