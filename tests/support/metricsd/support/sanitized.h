// Whether this is compiled with a sanitizer: g++ says so by macros, clang 14 by features alone.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define METRICSD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define METRICSD_SANITIZED 1
#endif
#endif

#ifndef METRICSD_SANITIZED
#define METRICSD_SANITIZED 0
#endif
