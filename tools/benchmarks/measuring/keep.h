// Keeps the compiler from leaving out what is measured.
#pragma once

namespace metricsd::measuring {

template <class T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace metricsd::measuring
