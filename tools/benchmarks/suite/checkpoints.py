"""A daemon's checkpoints, as its status tells of them while it is told of series."""

import dataclasses
import os
import pathlib
import time

import lines
from context import Unmeasurable, harness

SERIES_A_LINE = 5
TIMES = 3  # over: the first checkpoint comes at once and holds a part, the next one holds all

_LOOK_INTERVAL_SECONDS = 0.02


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    seconds: float
    pause_seconds: float  # of it: how long it kept a sender waiting
    written_bytes: int


class Teller:
    """Tells a daemon that has a data directory of series, and waits until it keeps them."""

    def __init__(self, daemon):
        self._daemon = daemon
        self._told = 0

    def change(self, series) -> Checkpoint:
        """The checkpoint that wrote most of those that such a change made."""
        made = [generation_and_checkpoint(self._daemon.status())]
        self._tell(series // SERIES_A_LINE, TIMES, made)
        self._tell(1, 1, made)  # what is kept is shown before its checkpoint has ended; when this is, it has
        return largest(made)

    def _tell(self, label_sets, times, made):
        self._daemon.send(lines.usual_lines(label_sets, lambda number: f"operation-{number}") * times)
        self._told += label_sets * times
        harness.eventually(lambda: self._is_kept(made), "all is kept", interval=_LOOK_INTERVAL_SECONDS)

    def _is_kept(self, made):
        status = self._daemon.status()
        made.append(generation_and_checkpoint(status))
        return status["ingest"]["operations"] == self._told


def generation_and_checkpoint(status):
    """The last one's."""
    last = status["checkpoint"]
    if last is None or last["failing"]:
        raise Unmeasurable("the daemon makes no checkpoints")
    return last["generation"], Checkpoint(last["duration_seconds"], last["pause_seconds"], last["written_bytes"])


def largest(made):
    """Of pairs of generation and checkpoint as they were seen; the first one was there before."""
    before = made[0][0]
    since = [checkpoint for generation, checkpoint in made if generation != before]
    if not since:
        raise Unmeasurable("no checkpoint was made")
    return max(since, key=lambda checkpoint: checkpoint.written_bytes)


def sync_seconds(directory, size):
    """Of writing so many bytes to a file there, and fdatasync()."""
    path = pathlib.Path(directory) / "plain"
    data = os.urandom(size)  # a disk may make little of zeros
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        begin = time.monotonic()
        os.write(descriptor, data)
        os.fdatasync(descriptor)
        return time.monotonic() - begin
    finally:
        os.close(descriptor)
        path.unlink()
