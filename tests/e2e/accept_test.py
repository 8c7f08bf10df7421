#!/usr/bin/env python3
"""Whatever accept() fails with, on either socket: the daemon waits a moment, says so, and takes who waited."""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import tempfile

import harness

harness.require("strace")

GOOD = json.dumps({"operation_type": "upload", "duration_ms": 1, "success": True}).encode() + b"\n"

# accept(2), with what Linux passes on of the network; all but EBADF, EFAULT and ENOTSOCK, which would be our mistake.
# EAGAIN and EINTR are no failures.
ERRORS = [
    "EAGAIN", "EINTR", "ECONNABORTED", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EPERM", "EPROTO", "EINVAL",
    "EOPNOTSUPP", "ENOSR", "ETIMEDOUT", "ENETDOWN", "ENOPROTOOPT", "EHOSTDOWN", "ENONET", "EHOSTUNREACH", "ENETUNREACH",
]  # fmt: skip
SILENT = {"EAGAIN", "EINTR"}
TIMES = 3  # each daemon's first accepts on both sockets


class TracedDaemon(harness.Daemon):
    """One whose first accepts fail."""

    def __init__(self, directory, error):
        super().__init__(directory)
        self.error = error

    def command(self):
        inject = f"inject=accept,accept4:error={self.error}:when=1..{TIMES}"
        # -D: the daemon is our child, and strace its grandchild.
        return ["strace", "-D", "-f", "-qq", "-o", self.directory / "trace", "-e", "trace=accept,accept4", "-e", inject]


def can_trace():
    return subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0


class AcceptTest(harness.Test):
    def outlive(self, error):
        """What is wrong, or nothing."""
        with tempfile.TemporaryDirectory(prefix="metricsd-accept-") as directory, TracedDaemon(directory, error) as daemon:
            daemon.send(GOOD)
            daemon.wait_for_operations(1)
            try:
                daemon.scrape()
            except OSError as wrong:
                return f"{error}: no scrape: {wrong}"
            log = daemon.log.read_text()
            trace = pathlib.Path(directory, "trace").read_text()
        injected = len(re.findall(rf"{error}.*\(INJECTED\)", trace))
        # Both threads have their own first calls.
        if injected < TIMES:
            return f"{error}: injected {injected} times:\n{trace[:2000]}"
        told = "accept failed" in log
        if told == (error in SILENT):
            return f"{error}: the log says:\n{log}"
        return None

    def test_every_error_is_outlived(self):
        if not can_trace():
            self.skipTest("processes may not be traced here")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for error, wrong in zip(ERRORS, pool.map(self.outlive, ERRORS)):
                with self.subTest(error):
                    self.assertIsNone(wrong)


if __name__ == "__main__":
    harness.main()
