#!/usr/bin/env python3
"""The short form of tools/torture: some cycles of harm, and every operation is accounted for."""

import os
import subprocess
import sys
import tempfile

import harness

TORTURE = harness.HERE.parents[1] / "tools" / "torturing" / "main.py"


class TortureTest(harness.Test):
    def torture(self, *words, expect=0):
        # What a killed client leaves outlives a killed daemon only in memory.
        in_memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        directory = self.enter(tempfile.TemporaryDirectory(prefix="metricsd-torture-", dir=in_memory))
        result = subprocess.run(
            [sys.executable, TORTURE, "--directory", f"{directory}/torture", *words],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=170,
            env={**os.environ, "METRICSD_BIN_DIR": str(harness.BIN)},
        )  # fmt: skip
        self.assertEqual(result.returncode, expect, f"{result.stdout}\n{result.stderr}")
        return result.stdout

    def test_what_harms_a_living_daemon_loses_nothing(self):
        said = self.torture("--data-dir", "none", "--cycles", "6", "--seed", "1", "--faults", "stop,clock,emfile")
        self.assertIn("nothing lost, nothing twice, no counter fell", said)

    def test_kills_and_failing_calls_lose_nothing(self):
        said = self.torture("--cycles", "12", "--seed", "3", "--clients", "3")
        self.assertIn("nothing lost, nothing twice, no counter fell", said)

    def test_what_is_lost_is_seen(self):
        """Killed with nothing kept, the daemon forgets: the proof must not pass over that."""
        harm = ["--data-dir", "none", "--cycles", "2", "--seed", "2", "--faults", "kill"]
        said = self.torture(*harm, "--patience", "1", expect=1)
        self.assertIn("LOST", said)
        self.assertIn("fallen workload_", said)

    def test_wrong_usage(self):
        self.torture("--faults", "boredom", expect=2)
        self.torture("--cycles", "0", expect=2)


if __name__ == "__main__":
    harness.main()
