"""What every peer of the comparison is: a program with a configuration of its own, started on free addresses in a
temporary directory, told of events by metricsd_load, and asked afterwards what it has counted."""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import time

from context import Unmeasurable, harness
from peers.measurement import Measurement, wait_for_count

START_ATTEMPTS = 3  # a port that was free a moment ago may be taken


class Peer:
    """A context manager: entering starts the peer, leaving ends it. Raises Unmeasurable where that can not be."""

    name = ""
    transport = ""
    dialect = ""  # of metricsd_load
    note = ""  # how it differs in kind
    counts = "events"  # what counted() is in, a member of metricsd_load's answer
    counts_anew = False  # its count starts again with each connection
    flushes = False  # what it has counted shows at its next flush, not at once
    has_write_size = True

    def __init__(self, context):
        self.context = context
        self.directory = pathlib.Path(context.directory) / type(self).__name__
        self.process = None

    # What a peer says of itself.

    def start(self):
        """Starts self.process; raises where it did not become ready."""
        raise NotImplementedError

    def address(self):
        """As arguments of metricsd_load send."""
        raise NotImplementedError

    def counted(self):
        """What it has counted since its start, by its own output."""
        raise NotImplementedError

    # What is the same for all.

    def tell(self, events_a_write, seconds):
        """Sends for `seconds`, and waits until the peer has counted all, or no more."""
        counted_before, cpu_before = self.counted(), self.cpu_seconds()
        arguments = ["send", "--dialect", self.dialect, *self.address()]
        arguments += ["--events-a-write", events_a_write, "--seconds", seconds]
        sent = self.context.measure("metricsd_load", *arguments)
        end = time.monotonic()

        base = 0 if self.counts_anew else counted_before
        counted, waited = wait_for_count(lambda: self.counted() - base, sent[self.counts], end)
        if counted <= 0:
            raise Unmeasurable(f"counted nothing; {self.last_words()}")
        return Measurement(
            sent=sent["events"],
            counted=sent["events"] * counted // sent[self.counts],
            # Where a count shows at a flush only, the peer's closing of the connection tells that it has taken all.
            seconds=sent["seconds"] + (0 if self.flushes else waited),
            cpu_seconds=self.cpu_seconds() - cpu_before,
        )

    def __enter__(self):
        for attempt in range(START_ATTEMPTS):
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory.mkdir()
            try:
                self.start()
                return self
            except (AssertionError, OSError) as error:
                self.end()
                if attempt + 1 == START_ATTEMPTS:
                    raise Unmeasurable(f"did not start: {str(error).strip().splitlines()[0]}; {self.last_words()}") from error
        raise AssertionError("unreachable")

    def __exit__(self, *error):
        self.end()

    def end(self):
        if self.process is not None:
            harness.end_process(self.process)
            self.process = None

    @property
    def log(self):
        return self.directory / "output.log"

    def last_words(self):
        """The last line it has written."""
        with contextlib.suppress(OSError, IndexError):
            return self.log.read_text(errors="replace").strip().splitlines()[-1]
        return "it said nothing"

    def spawn(self, *command):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory
            )

    def wait_until(self, ready, seconds=15):
        """Waits for `ready`, which may raise OSError while it is not; fails where the process ends before."""

        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}")
            with contextlib.suppress(OSError):
                return ready()
            return False

        harness.eventually(look, f"{self.name} is ready", seconds=seconds)

    def cpu_seconds(self):
        """Of all its threads, those that have ended among them: the kernel's CPU clock of the process, in
        nanoseconds, where /proc/PID/stat counts ticks of ten milliseconds."""
        scheduler_clock = 2  # CPUCLOCK_SCHED, see clock_getcpuclockid(3)
        return time.clock_gettime(~self.process.pid << 3 | scheduler_clock)


def program(name, package):
    """The path of a program, which Debian's package brings."""
    path = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        raise Unmeasurable(f"{name} is not installed (Debian: {package})")
    return path


def accepts(address):
    """Whether someone listens at a port of the loopback interface or a path; raises OSError where nobody does."""
    by_path = isinstance(address, pathlib.Path)
    with socket.socket(socket.AF_UNIX if by_path else socket.AF_INET) as probe:
        probe.connect(str(address) if by_path else ("127.0.0.1", address))
    return True
