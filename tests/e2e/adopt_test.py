#!/usr/bin/env python3
"""What killed workloads left in segments reaches the daemon and the run's files through metricsctl."""

import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import harness

SHARED_MEMORY = pathlib.Path("/dev/shm")


def is_tmpfs(directory):
    return harness.run("stat", "--file-system", "--format=%T", directory).stdout.strip() == "tmpfs"


class AdoptTest(harness.Test):
    def setUp(self):
        super().setUp()
        if not SHARED_MEMORY.is_dir():
            self.skipTest("no tmpfs for segments")
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="metricsd-e2e-", dir=SHARED_MEMORY))
        self.addCleanup(shutil.rmtree, self.sockets, ignore_errors=True)

    def killed_run(self, socket=None, prefix=()):
        """The directory of a run whose processes were all killed while they recorded and nobody listened."""
        metrics = self.directory / "metrics"
        bench = self.spawn(
            [*prefix, harness.BIN / "objectbench", "--duration", 600, "--processes", 3, "--quiet"]
            + ["--export-dir", metrics, "--socket", socket or self.sockets / "metricsd.sock"],
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
        # Its children are killed, too, and may still be on their way out.
        harness.eventually(lambda: all(map(self.is_free, self.segments())), "nobody holds a segment")
        return self.run_directory(metrics)

    @staticmethod
    def is_free(segment):
        with open(segment, "r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
            except OSError:
                return False
        return True

    def segments(self):
        return sorted((self.sockets / "segments").iterdir())

    @staticmethod
    def operations(run):
        operations = []
        for line in (run / "operations.jsonl").read_bytes().split(b"\n"):
            try:
                operations.append(json.loads(line)["operation_id"])
            except ValueError:
                continue
        return operations

    def test_delivers_to_the_daemon_and_to_the_run(self):
        run = self.killed_run()
        segments = self.segments()
        self.assertGreaterEqual(len(segments), 3)
        before = self.operations(run)
        daemon = self.daemon()
        output = harness.run(
            harness.BIN / "metricsctl", "adopt", self.sockets / "segments", "--socket", daemon.socket
        ).stdout
        self.assertIn(f"{len(segments)} segments delivered", output)
        self.assertEqual(self.segments(), [])
        after = self.operations(run)
        self.assertEqual(after[: len(before)], before)
        self.assertEqual(len(set(after)), len(after))
        told = daemon.status()
        lost = sum(told["dropped"].get("socket", {}).values())
        self.assertEqual(told["ingest"]["operations"] + lost, len(after))

        again = harness.run(
            harness.BIN / "metricsctl", "adopt", self.sockets / "segments", "--socket", daemon.socket
        ).stdout
        self.assertIn("0 segments delivered", again)

    def test_export_completes_the_file_and_leaves_the_rest_to_the_daemon(self):
        run = self.killed_run()
        segments = self.segments()
        environment = {**os.environ, "METRICSD_SOCKET": str(self.sockets / "metricsd.sock")}
        harness.run(harness.BIN / "metricsctl", "export", run, env=environment)
        operations = self.operations(run)
        self.assertEqual(len(set(operations)), len(operations))
        self.assertEqual(self.segments(), segments)
        harness.run(harness.BIN / "metricsctl", "export", run, env=environment)
        self.assertEqual(self.operations(run), operations)
        summary = json.loads((run / "aggregated.json").read_text())
        self.assertEqual(summary["operations"]["total"], len(operations))

    def test_says_what_it_cannot_deliver(self):
        self.killed_run()
        segments = self.segments()
        nobody = harness.run(
            harness.BIN / "metricsctl", "adopt", segments[0], "--socket", self.directory / "nobody.sock", expect=1
        )
        self.assertIn("no daemon answers", nobody.stderr)
        self.assertEqual(self.segments(), segments)
        rubbish = self.directory / "rubbish"
        rubbish.write_text("nothing of the kind")
        refused = harness.run(harness.BIN / "metricsctl", "adopt", rubbish, self.directory / "missing", expect=1)
        self.assertIn("rubbish", refused.stderr)
        self.assertIn("there is no such file", refused.stderr)

    def test_those_of_a_user_outlive_their_daemon_where_its_socket_is_on_a_disk(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be another user")
        user = 2_000_000 + os.getpid()
        prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        if subprocess.call([*prefix, "test", "-x", str(harness.BIN / "metricsd")]) != 0:
            self.skipTest("others may not run what was built here")
        os.chown(self.directory, user, user)
        sockets = pathlib.Path("/tmp") / f"metricsd-{user}"
        memory = SHARED_MEMORY / f"metricsd-{user}"
        for made in (sockets, memory):
            self.addCleanup(shutil.rmtree, made, ignore_errors=True)
        self.sockets = sockets if is_tmpfs(sockets.parent) else memory
        run = self.killed_run(sockets / "metricsd.sock", prefix)
        self.assertGreaterEqual(len(self.segments()), 3)

        daemon = harness.Daemon(self.directory)
        daemon.socket = sockets / "metricsd.sock"
        daemon.command = lambda: prefix
        self.enter(daemon)
        harness.eventually(lambda: self.segments() == [], "every segment is delivered")
        told = daemon.status()
        lost = sum(told["dropped"].get("socket", {}).values())
        self.assertEqual(told["ingest"]["operations"] + lost, len(set(self.operations(run))))


if __name__ == "__main__":
    harness.main()
