"""What a part of the suite is given: programs of the release build, rounds that a shaken machine can not spoil, a
daemon of its own, the CPU time of a process."""

import json
import math
import pathlib
import subprocess
import sys
import time
import typing

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tests" / "e2e"))
import harness  # pylint: disable=wrong-import-position  # the daemon and the waiting of the tests, not written twice

# A run in which the clock's own p99.9 is over so many times its p50 tells of the machine, not of the program.
UNSTEADY = 10

# The short form promises to end: so much time in all is spent on rounds that are thrown away.
WASTE_SECONDS = 90

_SHAKEN = f"the clock's own p99.9 was over {UNSTEADY} times its p50"
_PROBES = 10  # of the clock before a round, until one is steady
_PROBE_PAUSE_SECONDS = 0.1


class Unmeasurable(Exception):
    """A part can not say anything; why, in one line."""


class Spoiled(Exception):
    """A round that says nothing and is to be repeated; why, in one line."""


def is_steady(clock):
    """`clock`: percentiles of reading it, as every measuring program prints them."""
    return clock["p99_9"] <= UNSTEADY * clock["p50"]


class Text(typing.NamedTuple):
    """A table as it stands, and the file of docs that has a place for it."""

    text: str
    document: str


class Context:
    """One run of the suite. `say` is told of progress."""

    def __init__(self, directory, say, full=False):
        self.directory = pathlib.Path(directory)
        self.full = full
        self.repeats = 7 if full else 3
        self.plots = []
        self._waste_left = math.inf if full else WASTE_SECONDS
        self.texts = {}
        self.say = say

    @staticmethod
    def program(name):
        """A program of the build."""
        path = harness.BIN / name
        if not path.exists():
            raise Unmeasurable(f"{path} is not built")
        return path

    def measure(self, name, *arguments, timeout=600):
        """The JSON object that a measuring program prints."""
        command = [str(word) for word in (self.program(name), *arguments)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=self.directory)
        if result.returncode != 0:
            raise Unmeasurable(f"{' '.join(command)} ended with {result.returncode}: {result.stderr.strip()[-500:]}")
        return json.loads(result.stdout)

    def clock(self):
        """Nanoseconds of reading the clock, now: p50, p99, p99_9."""
        return self.measure("metricsd_bench_clock")["clock"]

    def rounds(self, measure, what, clock_within=True):
        """The results of `repeats` calls of measure(), of which none was spoiled: those are repeated, up to as many
        times again. measure() may raise Spoiled itself. Where its result has the clock's percentiles of the round
        itself, these count; not so with clock_within=False, where the measured threads disturb each other."""
        wanted = self.repeats
        results = []
        for attempt in range(2 * wanted):
            if self._waste_left < 0 and attempt >= wanted:
                break
            self.say(f"{what}: round {len(results) + 1} of {wanted}")
            begin = time.monotonic()
            try:
                results.append(self._round(measure, clock_within))
            except Spoiled as reason:
                self._waste_left -= time.monotonic() - begin
                self.say(f"{what}: {reason}: thrown away")
            if len(results) == wanted:
                return results
        if not results:
            raise Unmeasurable(f"{what}: each round was spoiled")
        self.say(f"{what}: only {len(results)} of {wanted} rounds were good")
        return results

    def _round(self, measure, clock_within):
        """A result of measure(), if the clock was steady before and within it, or after it."""
        self._wait_until_steady()
        result = measure()
        within = result.get("clock") if clock_within and isinstance(result, dict) else None
        if not is_steady(within or self.clock()):
            raise Spoiled(_SHAKEN)
        return result

    def _wait_until_steady(self):
        for _ in range(_PROBES):
            if is_steady(self.clock()):
                return
            time.sleep(_PROBE_PAUSE_SECONDS)
        raise Spoiled(_SHAKEN)

    def daemon(self, *flags):
        """A `metricsd` on a socket of its own, without a data directory where no flag names one. A context manager; see
        tests/e2e/harness.py."""
        directory = self.directory / f"daemon-{len(list(self.directory.iterdir()))}"
        directory.mkdir()
        return harness.Daemon(directory, *flags)

    @staticmethod
    def cpu_ns(pid):
        """CPU time of all threads of a process. To the nanosecond for those that sleep."""
        tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def add_plot(self, plot):
        self.plots.append(plot)

    def add_text(self, name, text, document="performance.md"):
        """A table of the part's own, shown before that of the rows; this document has a place of that name."""
        self.texts[name] = Text(text, document)
