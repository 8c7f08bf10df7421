"""How the daemon's cost of an operation, and its memory, grow with the number of label sets."""

import lines
from plot import Plot
from receivers import Operations
from row import Row

NAME = "series"
DESCRIPTION = "daemon CPU per line and memory, from 10 to 100,000 label sets"

LABEL_SETS = (10, 100, 1000, 10_000, 100_000)
MEBIBYTE = 1 << 20


def run(context):
    rounds = context.rounds(lambda: {count: cost(context, count) for count in LABEL_SETS}, NAME)

    def middle(count, place):
        return sorted(found[count][place] for found in rounds)[len(rounds) // 2]

    cpu = {"CPU per line": [(count, middle(count, 0)) for count in LABEL_SETS]}
    memory = {"resident": [(count, middle(count, 1) / MEBIBYTE) for count in LABEL_SETS]}
    context.add_plot(Plot("series", "Daemon CPU per line, by label sets", "label sets", "ns", cpu))
    context.add_plot(Plot("series-memory", "Daemon memory, by label sets", "label sets", "MiB", memory))
    most = LABEL_SETS[-1]
    return [
        Row.of_rounds(
            f"daemon, line, {count:,} label sets / 10", [(found[count][0], found[10][0]) for found in rounds], None, "ns CPU"
        )
        for count in LABEL_SETS[1:]
    ] + [Row(f"daemon, memory with {most:,} label sets", middle(most, 1) / MEBIBYTE, unit="MiB")]


def cost(context, count):
    """(nanoseconds of CPU a line, resident bytes), every label set told of several times."""
    distinct = max(count, 2000)
    blob = lines.usual_lines(distinct, lambda number: f"operation-{number % count}")
    times = max(3, (2_000_000 if context.full else 300_000) // distinct)
    with context.daemon("--metrics.max-series", str(count + 1)) as daemon:
        told = Operations(context, daemon)
        told.take([blob], distinct)  # the series are there
        return told.take([blob] * times, distinct * times) / (distinct * times), daemon.resident_bytes()
