"""The ledger: of each workload what it recorded by its own book, and what the daemon made of it."""

import dataclasses
import re

_SAMPLE = re.compile(rb'^(workload_operations_total|torture_steps_total)\{(.*)\} (\S+)$', re.MULTILINE)
_DRIVER = re.compile(rb'driver="([^"]*)"')


def counts_of(scrape):
    """({driver: operations}, {driver: steps}) of a page."""
    operations, steps = {}, {}
    for name, labels, value in _SAMPLE.findall(scrape):
        counts = operations if name.startswith(b"workload") else steps
        driver = _DRIVER.search(labels)[1].decode()
        counts[driver] = counts.get(driver, 0) + int(float(value))
    return operations, steps


def total(scrape, name):
    """The sum of all samples of a name."""
    return sum(int(float(value)) for value in re.findall(rb"^%s(?:\{.*\})? (\S+)$" % name.encode(), scrape, re.MULTILINE))


@dataclasses.dataclass(frozen=True)
class Row:
    """Operations, but for `steps`, which its own counter came to."""

    name: str
    pid: int
    fate: str  # finished, killed, or how else it ended
    begun: int
    recorded: int
    folded: int
    rejected: int
    dropped: int
    steps: int
    untold_metrics: bool

    @property
    def missing(self):
        """What it recorded and nobody knows of."""
        return max(0, self.recorded - self.folded - self.rejected - self.dropped)

    @property
    def surplus(self):
        """What the daemon has and it never recorded. The one in flight in a thread that was killed may count."""
        return max(0, self.folded + self.rejected + self.dropped - self.begun)

    @property
    def verdict(self):
        if self.fate not in ("finished", "killed"):
            return self.fate
        if self.missing:
            return f"{self.missing} LOST"
        if self.surplus:
            return f"{self.surplus} TWICE"
        if self.steps > self.begun:
            return f"{self.steps - self.begun} steps TWICE"
        if self.fate == "finished" and not self.untold_metrics and self.steps != self.recorded:
            return f"{self.recorded - self.steps} steps LOST"
        return "ok"


def row_of(workload, scrape_counts, told):
    """`told` is what the daemon's status said of this client last, or nothing."""
    operations, steps = scrape_counts
    book = workload.book()
    fate = f"exit {workload.process.returncode}"
    if book.finished:
        fate = "finished"
    elif workload.killed:
        fate = "killed"
    return Row(
        name=workload.name,
        pid=workload.pid,
        fate=fate,
        begun=book.begun,
        recorded=book.done,
        folded=operations.get(workload.name, 0),
        rejected=told.get("rejected", 0),
        # A client that finished has told of its losses; of one that was killed the daemon knows the holes.
        dropped=book.dropped if book.finished else told.get("dropped", 0),
        steps=steps.get(workload.name, 0),
        untold_metrics=book.untold_metrics,
    )


_COLUMNS = (
    ("client", 8), ("pid", 8), ("fate", 9), ("recorded", 10), ("folded", 10), ("rejected", 9), ("dropped", 9),
    ("steps", 10), ("", 0),
)  # fmt: skip


def _line(cells):
    return "  ".join(
        str(cell).rjust(width) if number > 2 and width else str(cell).ljust(width)
        for number, (cell, (_, width)) in enumerate(zip(cells, _COLUMNS))
    ).rstrip()


def table(rows):
    """The ledger as text, and its sum below."""
    lines = [_line([name for name, _ in _COLUMNS])]
    for row in rows:
        lines.append(
            _line([row.name, row.pid, row.fate, row.recorded, row.folded, row.rejected, row.dropped, row.steps, row.verdict])
        )
    sums = [sum(getattr(row, name) for row in rows) for name in ("recorded", "folded", "rejected", "dropped", "steps")]
    lines.append(_line([f"{len(rows)}", "", "all", *sums, ""]))
    return "\n".join(lines)
