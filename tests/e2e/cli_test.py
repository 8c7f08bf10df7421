#!/usr/bin/env python3
"""The programs by their command lines: exit codes, and one clear line where something is wrong."""

import json
import os
import pathlib
import re
import signal
import socket
import time

import harness

METRICSCTL = harness.BIN / "metricsctl"


class CommandLineTest(harness.Test):
    def setUp(self):
        super().setUp()
        self.socket = self.directory / "run" / "metricsd.sock"

    def one_line(self, *command, expect):
        """The one line on stderr of a program that fails."""
        result = harness.run(*command, expect=expect, timeout=harness.PATIENCE_SECONDS)
        lines = result.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        return lines[0]

    def start(self, *flags, expect=0):
        result = harness.run(
            METRICSCTL, "start", "--socket", self.socket, "--", *flags, "--data-dir", "none", expect=expect
        )
        if expect == 0:
            self.addCleanup(harness.run, METRICSCTL, "stop", "--socket", self.socket)
        return result

    def test_start_status_stop(self):
        started = self.start("--web.listen-address", "127.0.0.1:0").stdout
        pid, web = re.search(r"pid (\d+), .*(http://\S+/)", started).groups()
        self.assertEqual(len(started.splitlines()), 1)
        self.assertIn(b"metricsd_build_info", harness.get(web + "metrics"))
        self.assertEqual(os.getsid(int(pid)), int(pid))

        again = harness.run(METRICSCTL, "start", "--socket", self.socket).stdout
        self.assertIn(f"runs already: pid {pid}", again)
        status = json.loads(harness.run(METRICSCTL, "status", "--json", "--socket", self.socket).stdout)
        self.assertEqual(status["pid"], int(pid))
        self.assertTrue(status["ready"])
        self.assertRegex(harness.run(METRICSCTL, "status", "--socket", self.socket).stdout, rf"(?m)^pid +{pid}$")

        begin = time.monotonic()
        stopped = harness.run(METRICSCTL, "stop", "--socket", self.socket).stdout
        print(f"stopped within {time.monotonic() - begin:.3f} s")
        self.assertIn(pid, stopped)
        self.assertFalse(pathlib.Path(f"/proc/{pid}/exe").exists())
        self.assertFalse(self.socket.exists())
        self.assertIn("nothing to stop", harness.run(METRICSCTL, "stop", "--socket", self.socket).stdout)
        self.assertIn("no daemon", self.one_line(METRICSCTL, "status", "--socket", self.socket, expect=1))

    def test_start_says_why_not(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            result = self.start("--web.listen-address", address, expect=1)
        self.assertIn(address, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertFalse(self.socket.exists())

        result = self.start("--no-such-flag", expect=1)
        self.assertIn("no-such-flag", result.stderr)
        result = harness.run(METRICSCTL, "start", "--socket", "/proc/nowhere/metricsd.sock", expect=1)
        self.assertIn("/proc/nowhere", result.stderr)

    def test_daemon_says_why_not(self):
        metricsd = harness.BIN / "metricsd"
        web = ("--web.listen-address", "127.0.0.1:0")
        long_path = self.directory / ("x" * 200)
        for flags, word, code in (
            (("--nope",), "nope", 2),
            (("--socket.mode", "9"), "socket.mode", 2),
            (("--web.listen-address", "nonsense"), "web.listen-address", 2),
            (("--log.level", "loud"), "log.level", 2),
            (("--socket", long_path, *web), "xxx", 1),
            (("--socket", "/proc/nowhere/s", *web), "/proc/nowhere", 1),
        ):
            with self.subTest(flags=flags):
                self.assertIn(word, self.one_line(metricsd, *flags, expect=code))

    def test_a_second_daemon_is_refused_and_the_first_lives(self):
        daemon = self.daemon()
        line = self.one_line(
            harness.BIN / "metricsd", "--socket", daemon.socket, "--web.listen-address", "127.0.0.1:0", expect=1
        )
        self.assertIn(str(daemon.socket), line)
        self.assertTrue(daemon.status()["ready"])

    def test_sigterm_ends_the_daemon_cleanly(self):
        daemon = self.daemon()
        with daemon.connect():
            self.assertEqual(daemon.stop(signal.SIGTERM), 0)
        self.assertFalse(daemon.socket.exists())

    def test_summary(self):
        daemon = self.daemon()
        daemon.send(b'{"operation_type":"upload","duration_ms":100,"success":true}\n' * 10)
        daemon.wait_for_operations(10)
        table = harness.run(METRICSCTL, "summary", "--socket", daemon.socket).stdout
        self.assertRegex(table, r"upload\s+10\b")
        live = json.loads(harness.run(METRICSCTL, "summary", "--json", "--socket", daemon.socket).stdout)
        self.assertEqual(live["method"], "exponential_histogram")
        self.assertEqual(live["by_operation"]["upload"]["operations"]["total"], 10)
        self.assertAlmostEqual(live["overall"]["duration_ms"]["p50"], 100, delta=100 * live["relative_error"])
        self.assertIn("none-such", self.one_line(METRICSCTL, "summary", "--run", "none-such", "--socket", daemon.socket, expect=1))

    def test_summary_of_a_directory(self):
        run = self.directory / "night_20260131T120000Z_0123abcd"
        run.mkdir()
        operation = {"operation_type": "upload", "duration_ms": 100, "success": True}
        (run / "operations.jsonl").write_text((json.dumps(operation) + "\n") * 10 + '{"operation_ty')
        self.assertRegex(harness.run(METRICSCTL, "summary", run).stdout, r"upload\s+10\b")
        self.assertEqual([path.name for path in run.iterdir()], ["operations.jsonl"])
        exported = harness.run(METRICSCTL, "export", run, "--export", "csv")
        self.assertIn("10 operations, 1 lines passed over", exported.stdout)
        self.assertEqual(
            sorted(path.name for path in run.iterdir()),
            ["aggregated.json", "operations.csv", "operations.jsonl", "test_config.json"],
        )

    def test_wrong_usage(self):
        for command in (
            (METRICSCTL,),
            (METRICSCTL, "dance"),
            (METRICSCTL, "status", "--nope"),
            (METRICSCTL, "export"),
            (METRICSCTL, "export", self.directory, "--export", "xml"),
            (METRICSCTL, "summary", "--run", "../x"),
            (harness.BIN / "objectbench", "--processes", "none"),
        ):
            with self.subTest(command=command):
                self.assertTrue(harness.run(*command, expect=2).stderr)
        self.assertIn("operations.jsonl", self.one_line(METRICSCTL, "export", self.directory, expect=1))
        self.assertIn(str(self.directory), self.one_line(METRICSCTL, "summary", self.directory, expect=1))

    def test_version_and_help(self):
        for program in ("metricsd", "metricsctl", "objectbench"):
            with self.subTest(program):
                self.assertRegex(harness.run(harness.BIN / program, "--version").stdout, rf"^{program} \d+\.\d+\.\d+$")
                self.assertIn("--help", harness.run(harness.BIN / program, "--help").stdout)

    def test_unwritable_export_directory(self):
        place = self.directory / "file"
        place.write_text("")
        result = harness.run(harness.BIN / "objectbench", "--export-dir", place, "--duration", 1, expect=1)
        self.assertIn(str(place), result.stderr)


if __name__ == "__main__":
    harness.main()
