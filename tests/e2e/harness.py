"""What the tests of the whole share: temporary places, real processes that are always ended, and the scrape as values.

Every test chooses its own directory and ports, so any number of them run at once, and leaves nothing behind.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
# ctest says which build is tested; by hand it is the release.
BIN = pathlib.Path(os.environ.get("METRICSD_BIN_DIR", HERE.parents[1] / "build" / "release" / "bin"))
SKIPPED = 77  # SKIP_RETURN_CODE of the tests

# Long enough for a loaded machine: deadlines only bound how long a failure takes.
PATIENCE_SECONDS = 60

os.environ["PATH"] += ":/usr/sbin:/sbin"  # nginx, where the caller is not root


def require(*programs):
    """Ends the test as skipped where a real part of it is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            print(f"skipped: {program} is not installed (tools/test installs it)")
            sys.exit(SKIPPED)


def eventually(condition, what, seconds=PATIENCE_SECONDS, interval=0.05):
    """The first true value of condition(); fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(interval)


def free_port():
    """A port of the loopback interface that was free a moment ago; who needs it asks again where it is taken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_process(process, sig=signal.SIGTERM):
    """Ends a process of ours and takes leave of it; returns its exit code."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def get(url, timeout=30):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read()


def get_json(url, timeout=30):
    return json.loads(get(url, timeout))


class Scrape:
    """A page of the text format as values."""

    _SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$", re.DOTALL)
    _LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
    _ESCAPE = re.compile(r"\\(.)")

    def __init__(self, text):
        self.text = text
        self.samples = [self._parse(line) for line in text.split("\n") if line and not line.startswith("#")]

    def _parse(self, line):
        name, labels, value = self._SAMPLE.match(line).groups()
        return name, {key: self._unescape(text) for key, text in self._LABEL.findall(labels or "")}, float(value)

    def _unescape(self, text):
        return self._ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], text)

    def sum(self, name, **labels):
        """The sum of the samples of a name whose labels are as given; 0 where there is none."""
        return sum(self.values(name, **labels))

    def values(self, name, **labels):
        return [
            value
            for sample, have, value in self.samples
            if sample == name and all(have.get(key) == wanted for key, wanted in labels.items())
        ]


def check_with_promtool(text, lint=True):
    """Fails unless promtool reads the page; with `lint` its advice on names counts as well."""
    result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    accepted = (0,) if lint else (0, 3)
    if result.returncode not in accepted:
        raise AssertionError(f"promtool: {result.returncode}: {result.stdout!r} {result.stderr!r}\n{text[:4000]!r}")


def check_strictly(text):
    """Fails unless the strict parser reads the page: promtool overlooks a series that stands there twice, and more."""
    result = subprocess.run([BIN / "metricsd_check_exposition"], input=text, capture_output=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"the strict parser: {result.stdout!r} {result.stderr!r}\n{text[:4000]!r}")


class Daemon:
    """A metricsd of the test's own, on a free port. A context manager."""

    def __init__(self, directory, *flags):
        self.directory = pathlib.Path(directory)
        self.socket = self.directory / "daemon" / "metricsd.sock"
        self.log = self.directory / "metricsd.log"
        self.flags = flags
        self.inherits = ()  # descriptors, under their numbers
        self.process = None
        self.web = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            end_process(self.process)

    def command(self):
        """What stands before the daemon's own command."""
        return []

    def start(self):
        command = [*self.command(), BIN / "metricsd", "--socket", self.socket, "--web.listen-address", "127.0.0.1:0"]
        if "--data-dir" not in self.flags:
            command += ["--data-dir", "none"]
        command += self.flags
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=self.inherits
            )
        self.web = "http://" + eventually(self._address_when_ready, "the daemon is ready")

    def _address_when_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended:\n{self.log.read_text()}")
        with contextlib.suppress(OSError):
            status = self.status()
            return status["web"][0] if status["ready"] else None
        return None

    def stop(self, sig=signal.SIGTERM):
        """Ends it; returns its exit code."""
        code = end_process(self.process, sig)
        self.process = None
        return code

    def status(self):
        with self.connect() as connection:
            connection.sendall(b'{"type":"status"}\n')
            return json.loads(connection.makefile().readline())

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_SECONDS)
        try:
            connection.connect(str(self.socket))
        except OSError:
            connection.close()
            raise
        return connection

    def send(self, data):
        """All of `data` on a connection of its own, which is closed."""
        with self.connect() as connection:
            connection.sendall(data)

    def scrape(self, lint=True):
        text = get(self.web + "/metrics")
        check_strictly(text)
        if shutil.which("promtool"):
            check_with_promtool(text, lint)
        return Scrape(text.decode())

    def wait_for_operations(self, count):
        """Waits until so many operations were taken; more are an error."""
        operations = eventually(
            lambda: (taken := self.status()["ingest"]["operations"]) >= count and taken, f"{count} operations taken"
        )
        if operations != count:
            raise AssertionError(f"{operations} operations taken, {count} sent")

    def resident_bytes(self):
        pages = int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class Test(unittest.TestCase):
    """A test with a directory of its own."""

    def setUp(self):
        self.directory = pathlib.Path(self.enter(tempfile.TemporaryDirectory(prefix="metricsd-e2e-")))

    def enter(self, context):
        """Enters a context manager that ends with the test."""
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def daemon(self, *flags):
        return self.enter(Daemon(self.directory, *flags))

    def run_directory(self, export_dir):
        """The one run below `export_dir`."""
        runs = list(pathlib.Path(export_dir).iterdir())
        self.assertEqual(len(runs), 1, runs)
        return runs[0]

    def spawn(self, command, **options):
        """A process that ends with the test at the latest."""
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, **options)
        self.addCleanup(end_process, process)
        return process


def run(*command, expect=0, **options):
    """Runs a program to its end; fails with what it said where the exit code is another."""
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **options
    )
    if result.returncode != expect:
        raise AssertionError(f"{command[0]} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result


def recompute(run_directory):
    """The independent statistics: fails where aggregated.json says anything else than its operations do."""
    run(sys.executable, HERE / "recompute_summary.py", run_directory)


def read_jsonl(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def total_drops(summary, sink):
    return sum(summary["dropped"].get(sink, {}).values())


def main():
    unittest.main(verbosity=2)
