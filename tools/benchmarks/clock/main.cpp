// What reading the clock takes now, and how evenly: {"clock": {"p50", "p99", "p99_9"}}.

#include "bursts.h"
#include "process.h"

int main() {
  metricsd::measuring::print({{"clock", metricsd::measuring::measure_clock().percentiles()}});
}
