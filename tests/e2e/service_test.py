#!/usr/bin/env python3
"""The daemon as a service: what it tells systemd, the socket it is handed, and the units that are installed."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sys
import unittest.mock

import harness

BUILD = harness.BIN.parent
GOOD = json.dumps({"operation_type": "upload", "duration_ms": 1, "success": True}).encode() + b"\n"


class Manager:
    """The end of the protocol that systemd has. A context manager."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(harness.PATIENCE_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def next(self):
        """The next thing that it is told: NAME to VALUE."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())


class NotifiedDaemon(harness.Daemon):
    def __init__(self, directory, variables):
        super().__init__(directory)
        self.variables = variables

    def command(self):
        return ["env", *(f"{name}={value}" for name, value in self.variables.items())]


class ActivatedDaemon(harness.Daemon):
    """One that finds a descriptor where systemd puts the sockets it hands over."""

    LAUNCH = (
        "import os, sys\n"
        "os.dup2(int(sys.argv[1]), 3)\n"
        "os.environ.update(LISTEN_FDS=sys.argv[2], LISTEN_PID=str(os.getpid()))\n"
        "os.execv(sys.argv[3], sys.argv[3:])\n"
    )

    def __init__(self, directory, handed, count=1):
        super().__init__(directory)
        self.inherits = (handed.fileno(),)
        self.count = count
        self.reached_at = self.socket  # else --socket says something else

    def connect(self):
        with unittest.mock.patch.object(self, "socket", self.reached_at):
            return super().connect()

    def command(self):
        return [sys.executable, "-c", self.LAUNCH, self.inherits[0], self.count]


class NotifyTest(harness.Test):
    def test_ready_alive_and_stopping_are_told(self):
        manager = self.enter(Manager(self.directory))
        variables = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": 150_000}
        daemon = self.enter(NotifiedDaemon(self.directory, variables))
        ready = manager.next()
        self.assertEqual(ready["READY"], "1")
        self.assertIn(str(daemon.socket), ready["STATUS"])
        for _ in range(5):
            self.assertEqual(manager.next(), {"WATCHDOG": "1"})
        daemon.process.send_signal(signal.SIGTERM)
        told = harness.eventually(lambda: (said := manager.next()) != {"WATCHDOG": "1"} and said, "the end is told")
        self.assertEqual(told, {"STOPPING": "1"})

    def test_readiness_is_told_once_it_is_so(self):
        manager = self.enter(Manager(self.directory))
        daemon = NotifiedDaemon(self.directory, {"NOTIFY_SOCKET": manager.path})
        self.enter(daemon)
        manager.next()
        self.assertEqual(harness.get(daemon.web + "/-/ready"), b"ready\n")
        # No watchdog was asked for.
        manager.socket.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            manager.next()

    def test_a_manager_that_is_gone_is_no_trouble(self):
        variables = {"NOTIFY_SOCKET": self.directory / "nobody", "WATCHDOG_USEC": 100_000}
        daemon = self.enter(NotifiedDaemon(self.directory, variables))
        daemon.send(GOOD)
        daemon.wait_for_operations(1)
        self.assertEqual(daemon.stop(), 0)


class ActivationTest(harness.Test):
    def listen(self, path):
        listener = self.enter(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(16)
        return listener

    def connect(self, path):
        connection = self.enter(socket.socket(socket.AF_UNIX))
        connection.connect(str(path))
        return connection

    def test_senders_wait_until_a_daemon_comes_and_comes_again(self):
        path = self.directory / "daemon" / "metricsd.sock"
        path.parent.mkdir(mode=0o700)
        listener = self.listen(path)
        for _ in range(3):
            early = self.connect(path)
            early.sendall(GOOD)  # nobody is there
            early.close()
            daemon = self.enter(ActivatedDaemon(self.directory, listener))
            self.assertEqual(daemon.status()["socket"], str(path))
            daemon.wait_for_operations(1)
            self.assertEqual(daemon.stop(), 0)
            self.assertTrue(path.is_socket())  # it is the manager's
        self.assertFalse(path.with_name("metricsd.sock.lock").exists())  # nor is a lock needed

    def test_the_socket_that_is_handed_over_counts_and_not_the_flag(self):
        elsewhere = self.directory / "elsewhere.sock"
        listener = self.listen(elsewhere)
        daemon = ActivatedDaemon(self.directory, listener)
        daemon.reached_at = elsewhere
        self.enter(daemon)
        self.assertEqual(daemon.status()["socket"], str(elsewhere))
        self.assertFalse(daemon.socket.exists())
        # Clients and metricsctl see who reads, not who made the socket.
        harness.run(harness.BIN / "metricsctl", "stop", "--socket", elsewhere)
        self.assertEqual(daemon.process.wait(timeout=harness.PATIENCE_SECONDS), 0)

    def test_what_senders_can_not_use_is_refused(self):
        with socket.socket() as internet, socket.socket(socket.AF_UNIX) as unbound:
            internet.bind(("127.0.0.1", 0))
            internet.listen()
            for handed, count, word in ((internet, 1, "no listening"), (unbound, 1, "no listening"), (unbound, 2, "more than one")):
                daemon = ActivatedDaemon(self.directory, handed, count)
                with self.assertRaisesRegex(AssertionError, word):
                    daemon.start()
                self.assertEqual(daemon.process.returncode, 1)

    def test_stop_leaves_a_manager_alone_that_holds_the_socket(self):
        path = self.directory / "held.sock"
        self.listen(path)
        said = harness.run(harness.BIN / "metricsctl", "stop", "--socket", path, expect=1).stderr
        self.assertIn(f"(pid {os.getpid()})", said)  # and this test lives on


class UnitsTest(harness.Test):
    """What `cmake --install` leaves of the build, in a prefix of its own."""

    def setUp(self):
        super().setUp()
        self.prefix = self.directory / "prefix"
        harness.run("cmake", "--install", BUILD, "--prefix", self.prefix, "--component", "metricsd")
        self.units = self.prefix / "lib" / "systemd" / "system"

    def test_they_start_the_daemon_of_their_prefix(self):
        unit = (self.units / "metricsd.service").read_text()
        # No flag: it would win over its twin in /etc/default/metricsd.
        (start,) = re.findall(r"^ExecStart=(\S+)$", unit, re.MULTILINE)
        self.assertEqual(pathlib.Path(start), self.prefix / "bin" / "metricsd")
        self.assertTrue(os.access(start, os.X_OK))
        self.assertNotRegex(unit, "@[A-Z_]+@")
        twins = set(re.findall(r"METRICSD_[A-Z_]*[A-Z]", harness.run(start, "--help").stdout))
        self.assertTrue(twins.issuperset(re.findall(r"^Environment=(METRICSD_[A-Z_]+)=", unit, re.MULTILINE)))
        self.assertIn("Environment=METRICSD_DATA_DIR=%S/metricsd\n", unit)
        for directory in ("sysusers.d", "tmpfiles.d"):
            self.assertIn("metricsd", (self.prefix / "lib" / directory / "metricsd.conf").read_text())

    def test_systemd_understands_them_and_finds_little_exposed(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        units = [self.units / "metricsd.service", self.units / "metricsd.socket"]
        said = harness.run("systemd-analyze", "verify", "--man=no", *units)
        self.assertEqual(said.stdout + said.stderr, "")
        # At most 1.5 of 10.
        harness.run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", units[0])

    def test_the_user_and_the_directory_are_made(self):
        if shutil.which("systemd-sysusers") is None or os.geteuid() != 0:
            self.skipTest("needs systemd-sysusers and root")
        root = self.directory / "root"
        (root / "etc").mkdir(parents=True)
        harness.run("systemd-sysusers", f"--root={root}", self.prefix / "lib" / "sysusers.d" / "metricsd.conf")
        user = next(line for line in (root / "etc" / "passwd").read_text().splitlines() if line.startswith("metricsd:"))
        self.assertIn("nologin", user)
        (root / "run").mkdir()
        tmpfiles = self.prefix / "lib" / "tmpfiles.d" / "metricsd.conf"
        harness.run("systemd-tmpfiles", f"--root={root}", "--create", tmpfiles)
        made = (root / "run" / "metricsd").stat()
        self.assertEqual((made.st_uid, made.st_mode & 0o7777), (int(user.split(":")[2]), 0o755))
        segments = (root / "run" / "metricsd" / "segments").stat()
        self.assertEqual((segments.st_uid, segments.st_mode & 0o7777), (0, 0o1777))


if __name__ == "__main__":
    harness.main()
