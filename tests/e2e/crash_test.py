#!/usr/bin/env python3
"""A workload killed with -9 leaves its operations; `metricsctl export` makes the rest of them."""

import csv
import json
import os
import signal

import harness


class CrashTest(harness.Test):
    def crashed_run(self):
        """The directory of a run whose processes were all killed while they recorded."""
        metrics = self.directory / "metrics"
        bench = self.spawn(
            [harness.BIN / "objectbench", "--duration", 600, "--processes", 3, "--quiet"]
            + ["--export-dir", metrics, "--socket", self.directory / "nobody.sock"],
            env={**os.environ, "TMPDIR": str(self.directory)},
            start_new_session=True,
        )
        try:
            harness.eventually(
                lambda: any(path.stat().st_size > 500_000 for path in metrics.glob("*/operations.jsonl")),
                "the run has written operations",
            )
        finally:
            os.killpg(bench.pid, signal.SIGKILL)
        bench.wait()
        return self.run_directory(metrics)

    def test_export_completes_the_run(self):
        run = self.crashed_run()
        self.assertFalse((run / "aggregated.json").exists())
        lines = (run / "operations.jsonl").read_bytes().split(b"\n")
        operations, broken = [], 0
        for line in filter(None, lines):
            try:
                operations.append(json.loads(line))
            except ValueError:
                broken += 1
        # The last line of each process may be cut.
        self.assertLessEqual(broken, 3)
        self.assertGreater(len(operations), 1000)

        harness.run(harness.BIN / "metricsctl", "export", run)
        summary = json.loads((run / "aggregated.json").read_text())
        config = json.loads((run / "test_config.json").read_text())
        self.assertEqual(summary["operations"]["total"], len(operations))
        self.assertEqual(summary["test_run_id"], config["test_run_id"])
        self.assertIsNotNone(config["end_time"])
        self.assertEqual(len(json.loads((run / "operations.json").read_text())["operations"]), len(operations))
        with open(run / "operations.csv", newline="", encoding="utf-8") as file:
            self.assertEqual(len(list(csv.DictReader(file))), len(operations))
        harness.recompute(run)

    def test_export_without_test_config(self):
        run = self.crashed_run()
        (run / "test_config.json").unlink()
        harness.run(harness.BIN / "metricsctl", "export", run, "--export", "csv")
        config = json.loads((run / "test_config.json").read_text())
        self.assertEqual(config["test_name"], "objectbench")
        self.assertTrue(run.name.endswith(config["test_run_id"]))
        self.assertFalse((run / "operations.json").exists())
        harness.recompute(run)


if __name__ == "__main__":
    harness.main()
