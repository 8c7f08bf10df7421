#include "json/byte_block.h"

#include <metricsd/models/operation.h>

#include <array>
#include <string_view>

#include <gtest/gtest.h>

namespace metricsd {
namespace {

using Question = unsigned (*)(const char*);

// Every byte at every place of a block, among bytes that answer otherwise.
void expect_answers(Question question, bool (*expected)(unsigned char)) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    for (const char other : {'a', '"'}) {
      const bool others = expected(static_cast<unsigned char>(other));
      for (std::size_t i = 0; i < kBlock; ++i) {
        std::array<char, kBlock> block{};
        block.fill(other);
        block[i] = c;
        const unsigned rest = others ? 0xFFFFU & ~(1U << i) : 0;
        EXPECT_EQ(question(block.data()),
                  rest | static_cast<unsigned>(expected(static_cast<unsigned char>(c))) << i)
            << byte << " at " << i;
      }
    }
  }
}

bool quotes(unsigned char c) {
  return c == '"';
}
bool not_plain(unsigned char c) {
  return c < 0x20 || c > 0x7F || c == '\\';
}
bool needs_escape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}
bool not_type_name(unsigned char c) {
  const char text = static_cast<char>(c);
  return !is_type_name({&text, 1});
}

TEST(ByteBlock, AnswersInPlainCpp) {
  expect_answers(PortableByteBlock::quotes, quotes);
  expect_answers(PortableByteBlock::not_plain, not_plain);
  expect_answers(PortableByteBlock::needs_escape, needs_escape);
  expect_answers(PortableByteBlock::not_type_name, not_type_name);
}

TEST(ByteBlock, AnswersInTheWayThatIsUsedHere) {
  expect_answers(ByteBlock::quotes, quotes);
  expect_answers(ByteBlock::not_plain, not_plain);
  expect_answers(ByteBlock::needs_escape, needs_escape);
  expect_answers(ByteBlock::not_type_name, not_type_name);
}

}  // namespace
}  // namespace metricsd
