"""The daemon under test and the workloads: started, killed, stopped, and always ended."""

import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

import book

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("METRICSD_BIN_DIR", ROOT / "build" / "release" / "bin")).parent

_READY_SECONDS = 60


class TortureError(Exception):
    """What makes it senseless to go on."""


def _with_faults(control):
    library = BUILD / "lib" / "metricsd_torture_faults.so"
    if not library.is_file():  # the loader would go on without it, and no call would fail
        raise TortureError(f"there is no {library}; build the target torturing")
    return {**os.environ, "LD_PRELOAD": str(library), "METRICSD_TORTURE_FAULTS": str(control)}


class Daemon:
    """One after the other, with the same socket and data directory."""

    def __init__(self, directory, faults, flags):
        self.socket = directory / "run" / "metricsd.sock"
        self.log = directory / "metricsd.log"
        self._faults = faults
        self._flags = flags
        self.process = None
        self.web = None

    def start(self):
        """Starts it and waits until it answers."""
        command = [BUILD / "bin" / "metricsd", "--socket", self.socket, "--web.listen-address", "127.0.0.1:0"]
        command += ["--metrics.duration-buckets", "0.0005", "--metrics.size-buckets", "1"]
        command += ["--metrics.max-series", "200000", *self._flags]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_with_faults(self._faults.path)
            )
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if self.process.poll() is not None:
                raise TortureError(f"the daemon ended with {self.process.returncode} as it started")
            if time.monotonic() > deadline:
                raise TortureError("the daemon did not become ready")
            time.sleep(0.01)

    def _answers(self):
        with contextlib.suppress(OSError, ValueError, LookupError):
            status = self.status()
            if status["ready"] and status["pid"] == self.process.pid:
                self.web = "http://" + status["web"][0]
                return True
        return False

    def status(self, timeout=10):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(self.socket))
            connection.sendall(b'{"type":"status"}\n')
            with connection.makefile() as lines:
                return json.loads(lines.readline())

    def has_ended(self):
        return self.process.poll() is not None

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """SIGTERM; how long it took, in seconds."""
        begin = time.monotonic()
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - begin

    def limit_memory(self, more_bytes):
        """Lets it map so much more than it has; None: what it likes."""
        limit = resource.RLIM_INFINITY
        with contextlib.suppress(OSError, ValueError):
            if more_bytes is not None:
                pages = int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[0])
                limit = pages * resource.getpagesize() + more_bytes
            resource.prlimit(self.process.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


class Workload:
    """A client that keeps a book of what it recorded."""

    def __init__(self, directory, number, socket_path, clocks, wanted):
        self.name = f"w{number:05d}"
        self.killed = False
        self._book = directory / "books" / self.name
        command = [BUILD / "bin" / "metricsd_torture_workload", "--book", self._book, "--name", self.name]
        command += ["--socket", socket_path, "--operations", wanted.operations, "--threads", wanted.threads]
        command += ["--rate", wanted.rate, "--lingering-child", wanted.lingering_child_seconds]
        with open(directory / "workloads.log", "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_with_faults(clocks.path),
            )  # fmt: skip

    @property
    def pid(self):
        return self.process.pid

    def has_ended(self):
        return self.process.poll() is not None

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self):
        if self.has_ended():
            return
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.killed = self.process.returncode == -signal.SIGKILL

    def book(self):
        return book.read(self._book)
