"""What tests of metrics-run and metrics-monitor share: a command that is watched, and what the files say of it."""

import json
import os

import harness


class Harness(harness.Test):
    def setUp(self):
        super().setUp()
        self.metrics = self.directory / "metrics"
        # No daemon but the test's own.
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("METRICSD_") or name.endswith("_DIR")
        }
        self.environment.pop("METRICSD_RUN_DIR", None)
        self.environment["TMPDIR"] = str(self.directory)

    def command(self, *command, flags=(), program="metrics-run"):
        words = [harness.BIN / program, "--export-dir", self.metrics, *flags]
        if "--socket" not in flags:
            words.append("--no-export")
        return [str(word) for word in (*words, *(("--", *command) if program == "metrics-run" else ()))]

    def metrics_run(self, *command, flags=(), expect=0, environment=None, **options):
        return harness.run(
            *self.command(*command, flags=flags),
            expect=expect,
            env={**self.environment, **(environment or {})},
            **options,
        )

    def outcome(self):
        return json.loads((self.run_directory(self.metrics) / "process_aggregated.json").read_text())

    def rows(self, role=""):
        rows = harness.read_jsonl(self.run_directory(self.metrics) / "process_metrics.jsonl")
        return [row for row in rows if row["role"] == role]

    def assert_near(self, value, wanted, what, slack=0.0):
        """Within 5 %, and of what a kernel's clock tick is."""
        self.assertLessEqual(abs(value - wanted), 0.05 * wanted + slack, f"{what}: {value}, wanted {wanted}")
