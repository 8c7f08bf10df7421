"""The books that workloads keep: workload/book.h has the layout."""

import dataclasses
import struct

_MAGIC = 0x6B6F6F627574726F
_HEAD = struct.Struct("<8Q")
_THREAD = struct.Struct("<2Q")


@dataclasses.dataclass(frozen=True)
class Book:
    """What a workload noted of itself. An operation in flight when it was killed is begun and not done."""

    pid: int = 0
    finished: bool = False
    begun: int = 0
    done: int = 0
    dropped: int = 0  # by its own report; known once it has finished
    untold_metrics: bool = False


def read(path):
    """An empty book where the workload did not come so far as to open it."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Book()
    if len(data) < _HEAD.size:
        return Book()
    magic, pid, finished, ring, record, socket, untold, threads = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        return Book()
    notes = [_THREAD.unpack_from(data, _HEAD.size + i * _THREAD.size) for i in range(threads)]
    return Book(
        pid=pid,
        finished=finished == 1,
        begun=sum(begun for begun, _ in notes),
        done=sum(done for _, done in notes),
        dropped=ring + record + socket,
        untold_metrics=untold == 1,
    )
