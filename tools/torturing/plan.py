"""What happens in which cycle: follows from the seed and the cycle's number alone, so that one can be replayed."""

import dataclasses
import errno
import random

FAULTS = ("kill", "kill-client", "stop", "enospc", "eio", "emfile", "oom", "clock")

# Calls that a daemon makes while it works: with those of a checkpoint there is one a second or so.
_DISK_CALLS = ("open", "write", "fsync", "rename", "unlink")
_OTHER_CALLS = ("read", "pread", "accept", "recv", "recvmsg", "send", "epoll_ctl")
_DESCRIPTOR_CALLS = ("accept", "accept", "open", "epoll_ctl")
_DESCRIPTOR_ERRORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED)
_FOR_EVER = 1 << 40

_HOUR, _YEAR = 3600, 365 * 24 * 3600


@dataclasses.dataclass(frozen=True)
class Fault:
    """One disturbance; which of the fields count depends on `kind`."""

    kind: str
    seconds: float  # how long it holds
    targets: tuple = ("daemon",)  # of stop
    call: str = ""
    nth: int = 1
    times: int = 1
    error: int = 0
    clock_offset: int = 0
    memory_bytes: int = 0

    def __str__(self):
        if self.kind in ("enospc", "eio", "emfile"):
            times = "every" if self.times == _FOR_EVER else f"{self.times}"
            return f"{errno.errorcode[self.error]} in {times} {self.call} from the {self.nth}. on, {self.seconds:.2f} s"
        if self.kind == "kill-client":
            return "kill a client"
        detail = {
            "stop": " and ".join(self.targets),
            "clock": f"{self.clock_offset:+} s",
            "oom": f"{self.memory_bytes >> 10} KiB left",
        }[self.kind]
        return f"{self.kind} {detail}, {self.seconds:.2f} s"


@dataclasses.dataclass(frozen=True)
class Kill:
    """kill -9 of the daemon, and of a client before, after or at the same time."""

    client: str = ""  # before, after, together; empty: no client
    gap: float = 0.0
    restart_after: float = 0.0

    def __str__(self):
        return "kill daemon" + {
            "": "",
            "before": f", a client {self.gap * 1000:.0f} ms before",
            "after": f", a client {self.gap * 1000:.0f} ms after",
            "together": " and a client at once",
        }[self.client]


@dataclasses.dataclass(frozen=True)
class Cycle:
    number: int
    load_seconds: float  # under load before anything happens
    fault: Fault | None
    kill: Kill | None
    choice: float  # 0 to 1: which client

    def __str__(self):
        return "; ".join(str(part) for part in (self.fault, self.kill) if part) or "nothing"


def _failing_calls(kind, chance):
    calls = {"enospc": _DISK_CALLS, "eio": _DISK_CALLS + _OTHER_CALLS, "emfile": _DESCRIPTOR_CALLS}[kind]
    errors = {"enospc": (errno.ENOSPC,), "eio": (errno.EIO,), "emfile": _DESCRIPTOR_ERRORS}[kind]
    call = chance.choice(calls)
    is_rare = call in _DISK_CALLS
    return Fault(
        kind,
        seconds=chance.uniform(0.5, 3.0) if is_rare else chance.uniform(0.1, 1.0),
        call=call,
        nth=chance.choice((1, 1, 2, 3) if is_rare else (1, 2, 5, 20, 100)),
        times=chance.choice((1, 1, 2, 5, _FOR_EVER)),
        error=chance.choice(errors),
    )


def _fault(kind, chance):
    seconds = chance.uniform(0.1, 1.2)
    if kind == "kill-client":
        return Fault(kind, 0.0)
    if kind == "stop":
        targets = chance.choice((("daemon",), ("client",), ("daemon", "client")))
        return Fault(kind, chance.choice((0.05, 0.3, 1.0, 3.0)), targets=targets)
    if kind == "clock":
        return Fault(kind, seconds, clock_offset=chance.choice((-_HOUR, 2 * _YEAR, -_HOUR, 30)))
    if kind == "oom":
        return Fault(kind, seconds, memory_bytes=chance.choice((0, 64 << 10, 1 << 20, 16 << 20)))
    return _failing_calls(kind, chance)


def _kill(chance):
    client = chance.choice(("", "", "before", "after", "together"))
    gap = chance.choice((0.0, 0.001, 0.01, 0.1)) if client in ("before", "after") else 0.0
    return Kill(client, gap, chance.choice((0.0, 0.0, 0.05, 0.3)))


def cycle(seed, number, faults):
    chance = random.Random(f"{seed}/{number}")
    others = [fault for fault in faults if fault != "kill"]
    kills = "kill" in faults
    # Where the daemon is killed in every cycle, most of them are that and nothing else.
    disturbed = others and (not kills or chance.random() < 0.4)
    return Cycle(
        number=number,
        load_seconds=chance.uniform(0.02, 0.5),
        fault=_fault(chance.choice(others), chance) if disturbed else None,
        kill=_kill(chance) if kills else None,
        choice=chance.random(),
    )


@dataclasses.dataclass(frozen=True)
class Workload:
    operations: int  # a thread
    threads: int
    rate: int  # a second and thread
    lingering_child_seconds: int


def workload(seed, number):
    chance = random.Random(f"{seed}/client/{number}")
    rate = chance.choice((200, 1000, 3000))
    return Workload(
        operations=int(rate * chance.choice((1, 3, 10, 30))),
        threads=chance.choice((1, 2, 4)),
        rate=rate,
        lingering_child_seconds=chance.choice((0, 0, 0, 2)),
    )
