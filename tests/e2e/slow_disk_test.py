#!/usr/bin/env python3
"""A disk that takes its time delays what waits for it, and nothing for longer."""

import json
import subprocess
import tempfile
import time

import harness

harness.require("strace")

GOOD = json.dumps({"operation_type": "upload", "duration_ms": 1, "success": True}).encode() + b"\n"
STALL_SECONDS = 7


class SlowDaemon(harness.Daemon):
    """One whose third fdatasync does not return for a while: its first checkpoint had no trouble."""

    def command(self):
        inject = f"inject=fdatasync:delay_enter={STALL_SECONDS * 1_000_000}:when=3"
        # -D: the daemon is our child, and strace its grandchild.
        return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]


class SlowDiskTest(harness.Test):
    def test_what_is_shown_is_late_for_no_longer_than_the_disk(self):
        if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode != 0:
            self.skipTest("processes may not be traced here")
        directory = self.enter(tempfile.TemporaryDirectory(prefix="metricsd-slow-disk-"))
        daemon = self.enter(SlowDaemon(directory, "--data-dir", f"{directory}/state"))
        oldest = 0.0
        was_late = False
        seen_slow = None  # when the disk was seen to stand still
        end = time.monotonic() + harness.PATIENCE_SECONDS
        # Until it has stood still and what came after that is shown as quickly as before.
        while time.monotonic() < end:
            daemon.send(GOOD)
            page = daemon.scrape(lint=False)
            age = page.sum("metricsd_checkpoint_age_seconds")
            oldest = max(oldest, age)
            was_late = was_late or page.sum("metricsd_checkpoint_failing") == 1
            if age > STALL_SECONDS / 2:
                seen_slow = time.monotonic()
            elif seen_slow and time.monotonic() > seen_slow + STALL_SECONDS:
                break
            time.sleep(0.2)
        self.assertIsNotNone(seen_slow, "the disk was never slow")
        self.assertGreater(oldest, STALL_SECONDS / 2)
        # Of a rest of 19 times the stall nothing is left: not even of one as long as it.
        self.assertLess(oldest, 2 * STALL_SECONDS)
        self.assertTrue(was_late, "it was not said that checkpoints are late")
        self.assertEqual(page.sum("metricsd_checkpoint_failing"), 0)


if __name__ == "__main__":
    harness.main()
