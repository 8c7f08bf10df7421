"""What a series weighs, and what operations leave behind."""

import lines
from receivers import Operations
from row import Row

NAME = "memory"
DESCRIPTION = "bytes per series, against prometheus-cpp; daemon memory after 10^7 operations (--full: 10^8)"

SERIES = 10_000
TARGETS = {"counters": "<= 0.17", "histograms": "<= 1.5"}
DISTINCT = 2000
FEW = 100_000


def run(context):
    return [weight(context, kind, target) for kind, target in TARGETS.items()] + [growth(context)]


def weight(context, kind, target):
    """Counted by an allocator, the same every time: once is enough."""
    context.say(f"{NAME}, {kind}")
    result = context.measure("metricsd_bench_memory", kind, SERIES)
    return Row(
        f"memory of one of 10,000 {kind} / prometheus-cpp", result["ours_bytes"], result["prometheus_bytes"], target, "bytes"
    )


def growth(context):
    power = 8 if context.full else 7
    many = 10**power
    context.say(f"{NAME}: {many:,} operations")
    blob = lines.usual_lines(DISTINCT)
    with context.daemon() as daemon:
        told = Operations(context, daemon)
        told.take([blob] * (FEW // DISTINCT), FEW)
        few_bytes = daemon.resident_bytes()
        told.take((blob for _ in range((many - FEW) // DISTINCT)), many - FEW)
        many_bytes = daemon.resident_bytes()
    mebibyte = 1 << 20
    return Row(
        f"daemon, memory after 10^{power} operations / after 10^5", many_bytes / mebibyte, few_bytes / mebibyte, "<= 1.05", "MiB"
    )
