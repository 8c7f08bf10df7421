#!/usr/bin/env python3
"""Whatever is sent: it is refused by name and counted, the connection and the daemon live on, the scrape parses."""

import collections
import json
import os
import socket

import harness

harness.require("promtool")

GOOD = {"operation_type": "upload", "duration_ms": 1, "success": True}


def changed(**fields):
    return json.dumps({**GOOD, **fields}).encode()


def without(field):
    return json.dumps({key: value for key, value in GOOD.items() if key != field}).encode()


def raw(text):
    """A good operation with `text` among its fields."""
    return b'{"operation_type":"upload","duration_ms":1,"success":true,' + text + b"}"


# A line and the reason for which it is refused.
REFUSED = [
    (b"nonsense", "malformed_json"),
    (b'{"operation_type":', "malformed_json"),
    (b'{"operation_type":"upload","duration_ms":1,"success":true}}', "malformed_json"),
    (raw(b'"duration_ms2":NaN'), "malformed_json"),
    (raw(b'"retry_count":Infinity'), "malformed_json"),
    (raw(b'"object_key":"\xff\xfe"'), "malformed_json"),
    (raw(b'"object_key":"\xed\xa0\x80"'), "malformed_json"),
    (raw(b'"object_key":"\\ud800"'), "malformed_json"),
    (raw(b'"x":"a\x00b"'), "malformed_json"),
    (b"[1,2,3]", "not_an_object"),
    (b'"text"', "not_an_object"),
    (b"17", "not_an_object"),
    (raw(b'"x":' + b"[" * 33 + b"]" * 33), "too_deep"),
    (raw(b'"success":true'), "duplicate_field"),
    (without("operation_type"), "missing_field"),
    (without("success"), "missing_field"),
    (without("duration_ms"), "missing_field"),
    (changed(duration_ms="1"), "wrong_type"),
    (changed(success=1), "wrong_type"),
    (changed(success="true"), "wrong_type"),
    (changed(operation_type=7), "wrong_type"),
    (changed(metadata=[]), "wrong_type"),
    (changed(duration_ms=-1), "out_of_range"),
    (changed(duration_ms=1e10), "out_of_range"),
    (b'{"operation_type":"upload","duration_ms":1e400,"success":true}', "out_of_range"),
    (changed(object_size_bytes=-1), "out_of_range"),
    (changed(object_size_bytes=2**63), "out_of_range"),
    (changed(retry_count=-1), "out_of_range"),
    (changed(operation_type="up load"), "invalid_characters"),
    (changed(operation_type="up\nload"), "invalid_characters"),
    (changed(object_key="k" * 1025), "too_long"),
    (changed(operation_id="i" * 129), "too_long"),
    (changed(error_code="e" * 129), "too_long"),
    (changed(timestamp_start="yesterday"), "invalid_timestamp"),
    (
        b'{"operation_type":"upload","success":true,"timestamp_start":"2026-01-31T12:00:01Z",'
        b'"timestamp_end":"2026-01-31T12:00:00Z"}',
        "end_before_start",
    ),
    (b'{"type":"nothing we know"}', "unknown_type"),
]

NASTY = [
    "line\nbreak",
    'quote"quote',
    "back\\slash",
    "back\\nslash",
    "}",
    "{a=\"b\"}",
    "tab\there",
    "naïve 日本 😀",
    "le",
    "__name__",
    "# HELP x y",
    "\x01\x7f",
    " ",
    "'; DROP TABLE metrics; --",
]


class LinesTest(harness.Test):
    def expect_refusals(self, daemon, expected):
        def counted():
            rejected = daemon.status()["ingest"]["rejected"]
            return {reason: count for reason, count in rejected.items() if count} == dict(expected)

        try:
            harness.eventually(counted, "every refusal is counted", seconds=15)
        except AssertionError:
            self.assertEqual(daemon.status()["ingest"]["rejected"], dict(expected))

    def test_each_line_is_refused_by_name_and_nothing_else(self):
        daemon = self.daemon()
        with daemon.connect() as connection:
            for number, (line, reason) in enumerate(REFUSED, start=1):
                before = collections.Counter(daemon.status()["ingest"]["rejected"])
                connection.sendall(line + b"\n" + json.dumps(GOOD).encode() + b"\n")
                with self.subTest(line=line[:120], reason=reason):
                    daemon.wait_for_operations(number)  # the connection lives on
                    rejected = collections.Counter(daemon.status()["ingest"]["rejected"]) - before
                    self.assertEqual(dict(rejected), {reason: 1})
        scrape = daemon.scrape()
        self.assertEqual(scrape.sum("metricsd_rejected_total"), len(REFUSED))
        self.assertEqual(scrape.sum("workload_operations_total"), len(REFUSED))
        for reason, count in collections.Counter(reason for _, reason in REFUSED).items():
            self.assertEqual(scrape.values("metricsd_rejected_total", reason=reason), [count], reason)

    def test_a_line_without_end_is_skipped_to_its_newline(self):
        daemon = self.daemon()
        good = json.dumps(GOOD).encode() + b"\n"
        before = daemon.resident_bytes()
        with daemon.connect() as connection:
            for _ in range(64):
                connection.sendall(b"x" * (1 << 20))
            connection.sendall(b"\n" + good)
            daemon.wait_for_operations(1)
        self.assertLess(daemon.resident_bytes() - before, 32 << 20)
        self.expect_refusals(daemon, {"line_too_long": 1})

    def test_half_a_line_is_counted_not_folded(self):
        daemon = self.daemon()
        line = json.dumps(GOOD).encode()
        for end in (1, len(line) // 2, len(line)):
            daemon.send(line[:end])
        self.expect_refusals(daemon, {"half_line": 3})
        self.assertEqual(daemon.scrape().sum("workload_operations_total"), 0)

    def test_every_split_of_the_bytes(self):
        daemon = self.daemon()
        line = changed(driver="naïve 😀") + b"\r\n\n"
        with daemon.connect() as connection:
            for split in range(1, len(line)):
                connection.sendall(line[:split])
                connection.sendall(line[split:])
        daemon.wait_for_operations(len(line) - 1)
        self.assertEqual(daemon.scrape().sum("workload_operations_total", driver="naïve 😀"), len(line) - 1)


class LabelsTest(harness.Test):
    def test_nasty_label_values_stay_values(self):
        daemon = self.daemon()
        lines = [changed(driver=text, success=False, error_code=text) for text in NASTY]
        daemon.send(b"\n".join(lines) + b"\n")
        daemon.wait_for_operations(len(NASTY))
        scrape = daemon.scrape()
        for text in NASTY:
            with self.subTest(text=text):
                self.assertEqual(scrape.values("workload_operations_total", driver=text), [1])
                self.assertEqual(scrape.values("workload_operation_errors_total", error_code=text), [1])

    def test_too_many_values_fold_into_one_series(self):
        daemon = self.daemon("--metrics.max-series", "50")
        lines = (changed(driver=f"driver-{number}") for number in range(5000))
        daemon.send(b"\n".join(lines) + b"\n")
        daemon.wait_for_operations(5000)
        scrape = daemon.scrape()
        self.assertEqual(scrape.sum("workload_operations_total"), 5000)
        self.assertGreater(scrape.sum("workload_operations_total", driver="__overflow__"), 4900)
        self.assertLessEqual(len(scrape.values("workload_operations_total")), 52)
        self.assertGreater(scrape.sum("metricsd_series_overflow_total"), 0)
        self.assertIn("driver", json.dumps(daemon.status()["series"]["overflow"]))

    def test_millions_of_values_cost_no_more_than_thousands(self):
        """In its long form, METRICSD_LABEL_VALUES=10000000."""
        count = int(os.environ.get("METRICSD_LABEL_VALUES", "300000"))
        daemon = self.daemon("--metrics.max-series", "1000")
        template = json.dumps({**GOOD, "driver": "DRIVER", "success": False, "error_code": "CODE"}) + "\n"

        def send(first, last):
            with daemon.connect() as connection:
                for begin in range(first, last, 10_000):
                    numbers = range(begin, min(begin + 10_000, last))
                    lines = (template.replace("DRIVER", f"d{n}").replace("CODE", f"c{n}") for n in numbers)
                    connection.sendall("".join(lines).encode())

        thousands = 20_000
        send(0, thousands)
        daemon.wait_for_operations(thousands)
        before = daemon.resident_bytes()
        send(thousands, count)
        daemon.wait_for_operations(count)
        self.assertLess(daemon.resident_bytes() - before, 16 << 20)
        scrape = daemon.scrape()
        self.assertEqual(scrape.sum("workload_operations_total"), count)
        self.assertEqual(scrape.sum("workload_operation_errors_total"), count)

    def test_definitions_can_not_break_the_page(self):
        daemon = self.daemon()
        definitions = [
            {"name": "le_label_seconds", "labels": ["le"]},
            {"name": "name_label_seconds", "labels": ["__name__"]},
            {"name": "twice_seconds", "labels": ["a", "a"]},
            {"name": "bad name\n", "labels": []},
            {"name": "", "labels": []},
            {"name": "workload_operation_duration_seconds", "labels": ["operation"]},
            {"name": "process_cpu_seconds", "labels": []},
            {"name": "metricsd_scrape_duration_seconds", "labels": ["x"]},
        ]
        lines = []
        for number, definition in enumerate(definitions):
            lines.append({"type": "define", "id": number, "kind": "histogram", "unit": "seconds", **definition})
            lines.append({"type": "samples", "rows": [[number, ["v"] * len(definition["labels"]), 1]]})
        daemon.send(b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, GOOD]))
        daemon.wait_for_operations(1)
        scrape = daemon.scrape()
        self.assertEqual(scrape.sum("workload_operations_total"), 1)
        self.assertEqual(scrape.sum("workload_operation_duration_seconds_count"), 1)
        # Each definition, and the sample that has none.
        self.assertEqual(scrape.sum("metricsd_rejected_total"), 2 * len(definitions))

    def test_help_and_values_of_other_metrics_stay_what_they_are(self):
        daemon = self.daemon()
        lines = [
            {"type": "define", "id": 1, "name": "queue_depth", "kind": "gauge", "labels": ["q"], "help": "a\nb\\c"},
            {"type": "samples", "rows": [[1, [text], number] for number, text in enumerate(NASTY)]},
            GOOD,
        ]
        with daemon.connect() as connection:  # a gauge goes with who told it
            connection.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            daemon.wait_for_operations(1)
            scrape = daemon.scrape()
        for number, text in enumerate(NASTY):
            with self.subTest(text=text):
                self.assertEqual(scrape.values("queue_depth", q=text), [number])
        self.assertIn("# HELP queue_depth a\\nb\\\\c\n", scrape.text)


class HttpTest(harness.Test):
    def address(self, daemon):
        host, port = daemon.web.removeprefix("http://").rsplit(":", 1)
        return host, int(port)

    def test_bad_requests_do_not_hold_up_a_scrape(self):
        daemon = self.daemon()
        address = self.address(daemon)
        half_open = [self.enter(socket.create_connection(address)) for _ in range(64)]
        for connection in half_open:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        requests = [
            b"\r\n\r\n",
            b"\x00" * 100 + b"\r\n\r\n",
            b"GET /metrics HTTP/9.9\r\n\r\n",
            b"GET /%0d%0aX: HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
            b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n",
        ]
        for request in requests:
            with self.subTest(request[:40]), socket.create_connection(address, timeout=10) as connection:
                try:
                    connection.sendall(request)
                    connection.recv(100)
                except OSError:
                    pass  # to be let go is an answer
                self.assertGreater(daemon.scrape().sum("metricsd_build_info"), 0)


if __name__ == "__main__":
    harness.main()
