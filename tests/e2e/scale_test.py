#!/usr/bin/env python3
"""What a scrape and the daemon's memory cost depends on the series, not on the number of operations.

--operations N is the larger of the two loads (default 200,000; the long form is 10,000,000).
"""

import argparse
import json
import sys
import time

import harness

FEW = 1_000
MANY = 200_000
MAX_GROWTH_BYTES = 16 << 20

# Every series and every bucket there will be appears within the first FEW operations.
BLOCK = [
    json.dumps(
        {
            "operation_type": ("upload", "download", "delete")[i % 3],
            "driver": f"driver-{i % 5}",
            "duration_ms": 0.1 * 1.5 ** (i % 20),
            "object_size_bytes": 4 ** (i % 16),
            "success": i % 10 != 0,
        }
    )
    + "\n"
    for i in range(FEW)
]


class ScaleTest(harness.Test):
    def measure(self, daemon, operations):
        scrapes = []
        for _ in range(5):
            begin = time.monotonic()
            page = harness.get(daemon.web + "/metrics")
            scrapes.append(time.monotonic() - begin)
        resident = daemon.resident_bytes()
        lines = page.count(b"\n")
        print(f"{operations:>11,} operations: {lines} lines, {min(scrapes) * 1000:.2f} ms, {resident >> 10:,} KiB")
        return lines, resident

    def test_cost_is_that_of_the_series(self):
        daemon = self.daemon()
        block = "".join(BLOCK).encode()
        with daemon.connect() as connection:
            connection.sendall(block)
            daemon.wait_for_operations(FEW)
            self.measure(daemon, FEW)
            lines, resident = self.measure(daemon, FEW)
            for _ in range(MANY // FEW - 1):
                connection.sendall(block)
            sent = MANY // FEW * FEW
            harness.eventually(
                lambda: daemon.status()["ingest"]["operations"] == sent, "every operation is taken", seconds=600
            )
        lines_later, resident_later = self.measure(daemon, sent)
        self.assertEqual(daemon.scrape().sum("workload_operations_total"), sent)
        self.assertEqual(lines_later, lines)
        self.assertLess(resident_later - resident, MAX_GROWTH_BYTES)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=MANY)
    options, rest = parser.parse_known_args()
    MANY = options.operations
    sys.argv[1:] = rest
    harness.main()
