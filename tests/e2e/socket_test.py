#!/usr/bin/env python3
"""The socket's path is one daemon's: whatever stands there, whoever else starts, whatever the senders do meanwhile."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import unittest

import harness

NOBODY = 65534


def operation(driver):
    return json.dumps({"operation_type": "upload", "duration_ms": 1, "success": True, "driver": driver}).encode() + b"\n"


class PathTest(harness.Test):
    def start(self, path):
        """A daemon at `path`, which need not become one."""
        return subprocess.Popen(
            [harness.BIN / "metricsd", "--socket", path, "--web.listen-address", "127.0.0.1:0", "--data-dir", "none"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def expect_refused(self, path, *words):
        """Whoever is started there says why not in one line that has these words, and leaves all as it was."""
        process = self.start(path)
        _, said = process.communicate(timeout=harness.PATIENCE_SECONDS)
        self.assertEqual(process.returncode, 1, said)
        self.assertEqual(said.count("\n"), 1, said)
        for word in words:
            self.assertIn(word, said)

    def test_a_stale_file_is_taken_over_and_nothing_else_is(self):
        daemon = self.daemon()
        daemon.stop(signal.SIGKILL)
        self.assertTrue(daemon.socket.is_socket())
        daemon.start()  # over the socket and the lock file that the dead one left
        daemon.send(operation("x"))
        daemon.wait_for_operations(1)

        precious = self.directory / "file"
        precious.write_text("precious")
        self.expect_refused(precious, "not a socket")
        self.assertEqual(precious.read_text(), "precious")

    def test_a_second_daemon_says_who_is_there(self):
        daemon = self.daemon()
        self.expect_refused(daemon.socket, "already listens", f"pid {daemon.process.pid}")
        daemon.send(operation("x"))
        daemon.wait_for_operations(1)

    def test_a_symlink_at_the_path_is_not_followed(self):
        target = self.directory / "target"
        target.write_text("precious")
        for name, points_to in (("file", target), ("nothing", self.directory / "nothing"), ("dir", self.directory)):
            link = self.directory / f"link-to-{name}"
            link.symlink_to(points_to)
            self.expect_refused(link, "symbolic link")
            self.assertTrue(link.is_symlink())
        self.assertEqual(target.read_text(), "precious")
        self.assertFalse((self.directory / "nothing").exists())
        # Nor at the path of its lock file, or of its directory.
        (self.directory / "a.sock.lock").symlink_to(target)
        self.expect_refused(self.directory / "a.sock", "lock")
        self.assertEqual(target.read_text(), "precious")
        (self.directory / "real").mkdir(mode=0o700)
        (self.directory / "alias").symlink_to(self.directory / "real")
        self.expect_refused(self.directory / "alias" / "a.sock", "symbolic link")

    def test_a_directory_that_others_may_write_is_refused(self):
        shared = self.directory / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        self.expect_refused(shared / "a.sock", "others can write")

    @unittest.skipUnless(os.geteuid() == 0, "needs another user's directory")
    def test_a_directory_of_another_user_is_refused(self):
        foreign = self.directory / "foreign"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, NOBODY, NOBODY)
        self.expect_refused(foreign / "a.sock", f"uid {NOBODY}")
        self.assertEqual(list(foreign.iterdir()), [])

    def test_of_a_hundred_started_at_once_one_runs(self):
        path = self.directory / "race" / "metricsd.sock"
        processes = [self.start(path) for _ in range(100)]
        try:
            harness.eventually(
                lambda: sum(process.poll() is not None for process in processes) >= 99, "ninety-nine have given up"
            )
            alive = [process for process in processes if process.poll() is None]
            self.assertEqual(len(alive), 1)
            for process in processes:
                if process in alive:
                    continue
                said = process.stderr.read()
                self.assertEqual(process.returncode, 1, said)
                self.assertEqual(said.count("\n"), 1, said)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(path))
                connection.sendall(b'{"type":"status"}\n')
                self.assertEqual(json.loads(connection.makefile().readline())["pid"], alive[0].pid)
        finally:
            for process in processes:
                harness.end_process(process)
                process.stderr.close()
        self.assertFalse(path.exists())


class RestartTest(harness.Test):
    """A hundred senders that know nothing of it, over two clean restarts and two kills."""

    SENDERS = 100

    def send_for_ever(self, daemon, name, ended):
        connection = None
        while not ended.is_set():
            try:
                if connection is None:
                    connection = daemon.connect()
                connection.sendall(operation(name))
            except OSError:  # gone, or not there yet
                if connection is not None:
                    connection.close()
                connection = None
            time.sleep(0.01)
        if connection is not None:
            connection.close()

    def all_are_counted(self, daemon):
        scrape = daemon.scrape()
        return all(scrape.sum("workload_operations_total", driver=f"sender-{n}") > 0 for n in range(self.SENDERS))

    def test_restart_under_a_hundred_senders(self):
        daemon = self.daemon()
        ended = threading.Event()
        self.addCleanup(ended.set)
        senders = [
            threading.Thread(target=self.send_for_ever, args=(daemon, f"sender-{n}", ended)) for n in range(self.SENDERS)
        ]
        for sender in senders:
            sender.start()
        try:
            for end in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
                harness.eventually(lambda: self.all_are_counted(daemon), "every sender is counted")
                self.assertEqual(daemon.stop(end), 0 if end == signal.SIGTERM else -end)
                self.assertEqual(daemon.socket.exists(), end == signal.SIGKILL)
                daemon.start()
            harness.eventually(lambda: self.all_are_counted(daemon), "every sender is counted")
        finally:
            ended.set()
            for sender in senders:
                sender.join()
        harness.eventually(lambda: daemon.status()["ingest"]["connections"] == 1, "they are gone")
        self.assertEqual(sum(daemon.status()["ingest"]["rejected"].values()), 0)
        left = {path.name for path in pathlib.Path(daemon.socket.parent).iterdir() if not path.is_dir()}
        self.assertEqual(left, {"metricsd.sock", "metricsd.sock.lock"})


if __name__ == "__main__":
    harness.main()
