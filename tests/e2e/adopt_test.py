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
import time

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
                lambda: len(self.segments()) >= 3
                and any(path.stat().st_size > 500_000 for path in metrics.glob("*/operations.jsonl")),
                "all processes of the run are there and have written operations",
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
        directory = self.sockets / "segments"
        return sorted(directory.iterdir()) if directory.exists() else []

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
        self.assertIn("rubbish: not a segment", refused.stderr)
        self.assertIn("there is no such file", refused.stderr)
        pipe = self.directory / "pipe"
        os.mkfifo(pipe)
        link = self.directory / "link"
        link.symlink_to(segments[0])
        refused = harness.run(harness.BIN / "metricsctl", "adopt", pipe, link, expect=1)
        self.assertIn("pipe: not a segment", refused.stderr)
        self.assertIn("link: a symbolic link", refused.stderr)

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

    def test_a_later_client_hands_in_what_the_daemon_may_not_open(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be another user")
        user = 2_000_000 + os.getpid()
        prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        if subprocess.call([*prefix, "test", "-x", str(harness.BIN / "objectbench")]) != 0:
            self.skipTest("others may not run what was built here")
        os.chown(self.directory, user, user)
        # As the service has it: the segments' directory is root's and sticky.
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="e2e-metricsd-", dir=SHARED_MEMORY))
        self.addCleanup(shutil.rmtree, self.sockets, ignore_errors=True)
        self.sockets.chmod(0o755)
        shared = self.sockets / "segments"
        shared.mkdir()
        shared.chmod(0o1777)
        run = self.killed_run(prefix=prefix)
        left = self.segments()
        self.assertGreaterEqual(len(left), 3)

        daemon = harness.Daemon(self.directory, "--socket.mode", "0666", "--socket.allow-uid", "*")
        daemon.socket = self.sockets / "metricsd.sock"
        self.enter(daemon)
        time.sleep(6)  # what is younger may be a process's own
        self.assertEqual(daemon.status()["ingest"]["operations"], 0)
        later = self.directory / "later"

        def are_handed_in():
            bench = [harness.BIN / "objectbench", "--duration", 2, "--quiet", "--export-dir", later]
            harness.run(*prefix, *bench, "--socket", daemon.socket)
            return daemon.status()["segments"]["delivered"] >= len(left)

        harness.eventually(are_handed_in, "later clients have handed them in")
        told = daemon.status()
        # What is left of them is lines of the run's file, which are their user's to write.
        harness.run(*prefix, harness.BIN / "metricsctl", "adopt", shared, "--socket", daemon.socket)
        lost = sum(told["dropped"].get("socket", {}).values())
        recorded = [each for one in [run, *later.iterdir()] for each in self.operations(one)]
        self.assertEqual(told["ingest"]["operations"] + lost, len(set(recorded)))
        self.assertEqual(self.segments(), [])


if __name__ == "__main__":
    harness.main()
