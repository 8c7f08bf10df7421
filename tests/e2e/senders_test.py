#!/usr/bin/env python3
"""Plain senders, as people write them, are counted exactly; slow ones beside a firehose are seen at once.

--lines N sends N lines in all (default 80,000; the long form is 1,000,000).
"""

import argparse
import json
import multiprocessing
import socket
import subprocess
import sys
import time

import harness

SENDERS = 16
LINES = 80_000
TURNS = 30

# What a sender at its own pace must not wait, whatever happens beside it. Generous: it is a bound, not a measure.
VISIBLE_SECONDS = 5


def line_of(sender, number):
    """One operation, in one of the shapes that are all equal: names, order, spaces and extras differ."""
    success = number % 10 != 0
    operation = {
        "operation_type": "upload",
        "duration_ms": 1.5 + number % 7,
        "success": success,
        "driver": f"sender-{sender}",
        "object_size_bytes": number % 1000,
        "timestamp_start": f"2026-01-31 12:00:00.{number % 1000000:06d}",
        "timestamp_end": "2026-01-31T12:00:01",
    }
    if not success:
        operation["error_code"] = "SlowDown"
        operation["error_message"] = "please reduce your \"rate\""
    if number % 3 == 0:
        operation = dict(reversed(operation.items()))
    if number % 5 == 0:
        operation["host"] = {"name": "extra", "cpus": [1, 2, {"deep": None}]}
    separators = ((", ", ": "), (",", ":"), (" , ", " : "))[number % 3]
    return json.dumps(operation, separators=separators) + ("\r\n" if number % 11 == 0 else "\n")


def send_lines(path, sender, count):
    """Writes in pieces whose ends fall anywhere."""
    data = "".join(line_of(sender, number) for number in range(count)).encode()
    piece = 1000 + 997 * sender
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        for begin in range(0, len(data), piece):
            connection.sendall(data[begin : begin + piece])


def flood(path, running):
    block = b'{"operation_type":"flood","duration_ms":1,"success":true}\n' * 2000
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        while running.is_set():
            connection.sendall(block)


class SendersTest(harness.Test):
    def test_every_line_of_many_senders_is_counted(self):
        daemon = self.daemon()
        each = LINES // SENDERS
        senders = [
            multiprocessing.Process(target=send_lines, args=(str(daemon.socket), sender, each))
            for sender in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
            self.assertEqual(sender.exitcode, 0)
        daemon.wait_for_operations(each * SENDERS)

        scrape = daemon.scrape()
        failures = len(range(0, each, 10))
        transferred = sum(number % 1000 for number in range(each) if number % 10 != 0)
        for sender in range(SENDERS):
            labels = {"operation": "upload", "driver": f"sender-{sender}"}
            with self.subTest(sender=sender):
                self.assertEqual(scrape.sum("workload_operations_total", **labels), each)
                self.assertEqual(scrape.sum("workload_operations_total", status="failure", **labels), failures)
                self.assertEqual(
                    scrape.sum("workload_operation_errors_total", error_code="SlowDown", **labels), failures
                )
                self.assertEqual(scrape.sum("workload_bytes_transferred_total", **labels), transferred)
                self.assertEqual(scrape.sum("workload_operation_duration_seconds_count", **labels), each)
        self.assertEqual(scrape.sum("metricsd_unknown_fields_total"), SENDERS * len(range(0, each, 5)))
        self.assertEqual(scrape.sum("metricsd_rejected_total"), 0)
        self.assertEqual(
            scrape.values("metricsd_ingest_operations_total", delivery="unacknowledged"), [each * SENDERS]
        )

    def test_netcat_is_a_sender(self):
        harness.require("nc")
        daemon = self.daemon()
        line = '{"operation_type":"upload","duration_ms":112.5,"object_size_bytes":1048576,"success":true}\n'
        subprocess.run(["nc", "-UN", daemon.socket], input=line.encode(), check=True, timeout=harness.PATIENCE_SECONDS)
        daemon.wait_for_operations(1)
        scrape = daemon.scrape()
        self.assertEqual(scrape.sum("workload_bytes_transferred_total"), 1048576)
        self.assertEqual(scrape.sum("workload_operation_duration_seconds_sum"), 0.1125)

    def test_slow_senders_are_seen_beside_a_firehose(self):
        daemon = self.daemon()
        running = multiprocessing.Event()
        running.set()
        firehose = multiprocessing.Process(target=flood, args=(str(daemon.socket), running))
        firehose.start()
        try:
            slow = [self.enter(daemon.connect()) for _ in range(SENDERS)]
            waits = [self.visible_after(daemon, slow, turn) for turn in range(1, TURNS + 1)]
            flooded = daemon.scrape().sum("workload_operations_total", operation="flood")
        finally:
            running.clear()
            firehose.join()
        print(f"16 slow senders visible after at most {max(waits):.3f} s, beside {flooded:,.0f} operations of a firehose")
        self.assertGreater(flooded, 0)
        self.assertLess(max(waits), VISIBLE_SECONDS)

    def visible_after(self, daemon, slow, turn):
        """Seconds from when each sent its turn's line until the scrape shows them all."""
        begin = time.monotonic()
        for number, connection in enumerate(slow):
            connection.sendall(
                b'{"operation_type":"slow","duration_ms":1,"success":true,"driver":"slow-%d"}\n' % number
            )

        def all_visible():
            scrape = harness.Scrape(harness.get(daemon.web + "/metrics").decode())
            return all(
                scrape.sum("workload_operations_total", driver=f"slow-{number}") == turn for number in range(SENDERS)
            )

        harness.eventually(all_visible, "the slow senders' operations are visible", interval=0.01)
        return time.monotonic() - begin


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES)
    options, rest = parser.parse_known_args()
    LINES = options.lines
    sys.argv[1:] = rest
    harness.main()
