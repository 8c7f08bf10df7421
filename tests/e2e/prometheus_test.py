#!/usr/bin/env python3
"""A real Prometheus scrapes the daemon, and PromQL finds the totals that were sent."""

import json

import harness
import parts

harness.require("prometheus", "promtool")

DURATIONS_MS = [0.05, 0.1, 0.3, 4, 7, 40, 41, 300, 1500, 12000]
ROUNDS = 200


def operations():
    for turn in range(ROUNDS):
        for i, duration in enumerate(DURATIONS_MS):
            yield {
                "operation_type": ("upload", "download")[i % 2],
                "workload_type": "s3",
                "driver": f"driver-{turn % 3}",
                "object_size_bytes": 1000 + i,
                "duration_ms": duration,
                "success": duration < 10000,
                **({} if duration < 10000 else {"error_code": "SlowDown", "retry_count": 2}),
            }


def quantile(share, bounds, counts):
    """histogram_quantile() by its definition: linear within the bucket that holds the rank."""
    rank = share * sum(counts)
    below, lower = 0, 0.0
    for bound, count in zip(bounds, counts):
        if below + count >= rank:
            return lower + (bound - lower) * (rank - below) / count
        below, lower = below + count, bound
    raise AssertionError("beyond the last bound")


class PrometheusTest(harness.Test):
    def test_promql_finds_exact_totals(self):
        daemon = self.daemon()
        sent = list(operations())
        daemon.send("".join(json.dumps(operation) + "\n" for operation in sent).encode())
        daemon.wait_for_operations(len(sent))
        daemon.scrape()
        prometheus = parts.Prometheus(self, daemon.web.removeprefix("http://"))

        harness.eventually(
            lambda: prometheus.query("sum(workload_operations_total)") == len(sent),
            "Prometheus has scraped every operation",
            parts.FIRST_SCRAPE_SECONDS,
        )
        good = [operation for operation in sent if operation["success"]]
        bad = [operation for operation in sent if not operation["success"]]
        uploads = [operation for operation in good if operation["operation_type"] == "upload"]
        expected = {
            'sum(workload_operations_total{status="success"})': len(good),
            'sum(workload_operations_total{status="failure"})': len(bad),
            'sum(workload_operations_total{operation="upload",status="success"})': len(uploads),
            "sum(workload_bytes_transferred_total)": sum(operation["object_size_bytes"] for operation in good),
            'sum(workload_operation_errors_total{error_code="SlowDown"})': len(bad),
            "sum(workload_operation_retries_total)": 2 * len(bad),
            "sum(workload_operation_duration_seconds_count)": len(sent),
            "sum(workload_operation_size_bytes_count)": len(sent),
            'sum(workload_operation_duration_seconds_bucket{le="0.0001"})': 2 * ROUNDS,
            'sum(workload_operation_duration_seconds_bucket{le="+Inf"})': len(sent),
            "sum(metricsd_ingest_operations_total)": len(sent),
            "count(count by (driver) (workload_operations_total))": 3,
            "up": 1,
        }
        for expression, value in expected.items():
            with self.subTest(expression):
                self.assertEqual(prometheus.query(expression), value)

    def test_histogram_quantile(self):
        daemon = self.daemon("--metrics.namespace", "other")
        lines = "".join(
            json.dumps({"operation_type": "read", "duration_ms": duration, "success": True}) + "\n"
            for duration in DURATIONS_MS
        )
        daemon.send(lines.encode())
        daemon.wait_for_operations(len(DURATIONS_MS))
        daemon.scrape()
        prometheus = parts.Prometheus(self, daemon.web.removeprefix("http://"))
        harness.eventually(
            lambda: prometheus.query("sum(other_operations_total)") == len(DURATIONS_MS),
            "Prometheus has scraped every operation",
            parts.FIRST_SCRAPE_SECONDS,
        )
        bounds = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30]
        counts = [0] * len(bounds)
        for duration in DURATIONS_MS:
            counts[next(i for i, bound in enumerate(bounds) if duration / 1000 <= bound)] += 1
        for share in (0.1, 0.5, 0.9, 0.99):
            with self.subTest(share=share):
                found = prometheus.query(f"histogram_quantile({share}, other_operation_duration_seconds_bucket)")
                self.assertAlmostEqual(found, quantile(share, bounds, counts), places=9)


if __name__ == "__main__":
    harness.main()
