// Sixteen bytes of text looked at at once: which of them a scan must stop at. Bit i of an answer stands for
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
  // What ends a run of JSON text that may be taken as it stands: a quote, a backslash, a control character,
  // a byte that is not ASCII.
  static unsigned ends_plain_text(const char* at) {
    return ask(at, [](unsigned char c) { return c < 0x20 || c >= 0x80 || c == '"' || c == '\\'; });
  }
  // What RFC 8259 wants escaped within a string.
  static unsigned needs_escape(const char* at) {
    return ask(at, [](unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; });
  }
  // What is_type_name() does not allow.
  static unsigned ends_type_name(const char* at) {
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
  static unsigned ends_plain_text(const char* at) {
    const __m128i bytes = load(at);
    // As signed bytes, those above ASCII are below the space, too.
    return bits(_mm_or_si128(quote_or_backslash(bytes), _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20))));
  }
  static unsigned needs_escape(const char* at) {
    const __m128i bytes = load(at);
    return bits(_mm_or_si128(quote_or_backslash(bytes), up_to(bytes, 0x1F)));
  }
  static unsigned ends_type_name(const char* at) {
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
  static __m128i quote_or_backslash(__m128i bytes) {
    return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                        _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
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
