"""What a series weighs, and what operations leave behind."""

import lines
from parts.scrape import middle, scrape
from plot import Plot
from receivers import Operations
from row import Row

NAME = "memory"
DESCRIPTION = "bytes per series, against prometheus-cpp; daemon memory after 10^7 operations (--full: 10^8)"

SERIES = 10_000
TARGETS = {"counters": "<= 0.17", "histograms": "<= 1.5"}
DISTINCT = 2000
FEW = 100_000
SCRAPES = 9
MEBIBYTE = 1 << 20


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
    """One daemon, looked at after each power of ten."""
    powers = range(4, 9 if context.full else 8)
    blob = lines.usual_lines(DISTINCT)
    resident, scrapes = [], []
    with context.daemon() as daemon:
        told = Operations(context, daemon)
        for power in powers:
            context.say(f"{NAME}: 10^{power} operations")
            missing = 10**power - told.sent
            told.take((blob for _ in range(missing // DISTINCT)), missing)
            resident.append((10**power, daemon.resident_bytes() / MEBIBYTE))
            scrapes.append((10**power, middle([scrape(daemon) * 1e3 for _ in range(SCRAPES)])))
    curves = {"memory, MiB": resident, "scrape, ms": scrapes}
    context.add_plot(Plot("operations", "The daemon after many operations", "operations", "MiB, ms", curves))
    name = f"daemon, memory after 10^{powers[-1]} operations / after 10^5"
    return Row(name, resident[-1][1], dict(resident)[FEW], "<= 1.05", "MiB")
