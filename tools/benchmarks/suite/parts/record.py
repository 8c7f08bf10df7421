"""record() by each shape, while the drainer empties the rings: bursts, against bursts of readings of the clock."""

from context import Spoiled
from plot import Plot
from row import Row

NAME = "record"
DESCRIPTION = "the caller's side of one operation, against reading the clock"

THREADS = (1, 2, 4, 8)
CORES = 2  # that the suite counts on
SHAPES = {"bound": "bound handle", "texts": "3 texts", "timer": "timer"}
TARGETS = {("bound", 1, "p50"): "<= 0.33", ("texts", 1, "p50"): "<= 0.5", ("bound", 2, "p99"): "<= 1.5"}


def run(context):
    """One program a number of threads measures every shape and the clock in turns."""
    measured = {}
    for threads in THREADS:
        # More threads than cores disturb each other: their clock tells of them, not of the machine.
        measured[threads] = context.rounds(
            lambda n=threads: measure(context, n), f"{NAME}, {threads} threads", clock_within=threads <= CORES
        )
    context.add_plot(growth(measured))
    return [
        row(measured, shape, threads, percentile) for shape in SHAPES for threads in (1, 2) for percentile in ("p50", "p99")
    ]


def measure(context, threads):
    result = context.measure("metricsd_bench_record", threads)
    # What a full ring refuses is cheaper than what it takes.
    if result["dropped"] > result["recorded"] / 100:
        raise Spoiled(f"{result['dropped']} of {result['recorded']} operations dropped: the drainer came too late")
    return result


def row(measured, shape, threads, percentile):
    name = f"record(), {SHAPES[shape]}, {percentile}, {threads} thread{'s' if threads > 1 else ''} / clock p50"
    rounds = [(result[shape][percentile], result["clock"]["p50"]) for result in measured[threads]]
    return Row.of_rounds(name, rounds, TARGETS.get((shape, threads, percentile)), "ns")


def growth(measured):
    def median(threads, figure):
        return sorted(result[figure]["p50"] for result in measured[threads])[len(measured[threads]) // 2]

    lines = {name: [(threads, median(threads, shape)) for threads in THREADS] for shape, name in SHAPES.items()}
    lines["clock"] = [(threads, median(threads, "clock")) for threads in THREADS]
    return Plot("threads", "Recording an operation, by threads (2 cores)", "threads", "p50, ns", lines)
