// Sixteen bytes of text looked at at once: which of them are what is asked for. Bit i of an answer stands for
// byte i. Two ways to the same answers: SSE2, which every x86-64 has, and plain C++.
#pragma once

#include <cstddef>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace metricsd {

inline constexpr std::size_t kBlock = 16;

// The one that plain C++ can say; each question reads the kBlock bytes at `at`.
struct PortableByteBlock {
  static unsigned quotes(const char* at) {
    return ask(at, [](unsigned char c) { return c == '"'; });
  }
  // What a string of JSON may not have if it is to be taken as it stands, unseen: a backslash, a control
  // character, a byte that is not ASCII.
  static unsigned not_plain(const char* at) {
    return ask(at, [](unsigned char c) { return c < 0x20 || c >= 0x80 || c == '\\'; });
  }
  // What RFC 8259 wants escaped within a string.
  static unsigned needs_escape(const char* at) {
    return ask(at, [](unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; });
  }
  // What is_type_name() does not allow.
  static unsigned not_type_name(const char* at) {
    return ask(at, [](unsigned char c) {
      const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      return !letter && !(c >= '0' && c <= ':') && c != '-' && c != '.' && c != '_';
    });
  }

 private:
  template <class Question>
  static unsigned ask(const char* at, const Question& question) {
    unsigned answer = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      answer |= static_cast<unsigned>(question(static_cast<unsigned char>(at[i]))) << i;
    }
    return answer;
  }
};

#ifdef __SSE2__

struct Sse2ByteBlock {
  static unsigned quotes(const char* at) { return bits(_mm_cmpeq_epi8(load(at), _mm_set1_epi8('"'))); }
  static unsigned not_plain(const char* at) {
    const __m128i bytes = load(at);
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    // Turned so that 0x20 is the least of all signed bytes, and 0x7F the greatest that is allowed.
    const __m128i turned = _mm_add_epi8(bytes, _mm_set1_epi8(0x60));
    return bits(_mm_or_si128(backslash, _mm_cmpgt_epi8(turned, _mm_set1_epi8(0x7F + 0x60 - 0x100))));
  }
  static unsigned needs_escape(const char* at) {
    const __m128i bytes = load(at);
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return bits(_mm_or_si128(_mm_or_si128(quote, backslash), up_to(bytes, 0x1F)));
  }
  static unsigned not_type_name(const char* at) {
    const __m128i bytes = load(at);
    const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const __m128i letter = up_to(_mm_sub_epi8(lower, _mm_set1_epi8('a')), 'z' - 'a');
    const __m128i digit_or_colon = up_to(_mm_sub_epi8(bytes, _mm_set1_epi8('0')), ':' - '0');
    const __m128i hyphen_or_point = up_to(_mm_sub_epi8(bytes, _mm_set1_epi8('-')), '.' - '-');
    const __m128i underscore = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_'));
    return bits(_mm_or_si128(_mm_or_si128(letter, digit_or_colon),
                             _mm_or_si128(hyphen_or_point, underscore))) ^
           0xFFFFU;
  }

 private:
  static __m128i load(const char* at) {
    __m128i bytes;
    std::memcpy(&bytes, at, sizeof(bytes));
    return bytes;
  }
  // Bytes of at most `last`, unsigned.
  static __m128i up_to(__m128i bytes, char last) {
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(last)), bytes);
  }
  static unsigned bits(__m128i truths) { return static_cast<unsigned>(_mm_movemask_epi8(truths)); }
};

using ByteBlock = Sse2ByteBlock;
#else
using ByteBlock = PortableByteBlock;
#endif

}  // namespace metricsd
