"""Exact percentiles, and how they grow."""

from plot import Plot
from row import Row

NAME = "percentiles"
DESCRIPTION = "exact percentiles of up to 10^7 durations (--full: 10^8), against std::sort of the same"


def run(context):
    counts = [10**power for power in range(5, 9 if context.full else 8)]
    measured = {count: measure(context, count) for count in counts}
    lines = {
        name: [(count, per_value(results, key, count)) for count, results in measured.items()]
        for name, key in (("std::sort", "sort_ns"), ("selection", "select_ns"))
    }
    context.add_plot(Plot("percentiles", "Exact percentiles, by durations", "durations", "ns CPU a duration", lines))
    largest = counts[-1]
    rounds = [(result["select_ns"] / largest, result["sort_ns"] / largest) for result in measured[largest]]
    power = len(str(largest)) - 1
    return [Row.of_rounds(f"exact percentiles of 10^{power} durations / std::sort", rounds, "<= 1/20", "ns CPU a value")]


def measure(context, count):
    return context.rounds(lambda: context.measure("metricsd_bench_percentiles", count), f"{NAME}, {count:,} durations")


def per_value(results, key, count):
    values = sorted(result[key] for result in results)
    return values[len(values) // 2] / count
