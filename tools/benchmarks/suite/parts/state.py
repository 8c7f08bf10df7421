"""What it costs to keep the state beyond the process: the pause of a shard, and what follows elsewhere."""

from row import Row

NAME = "state"
DESCRIPTION = "saving and loading 100,000 histograms, all of them and 100, against copying them for a scrape"

SERIES = 100_000
CHANGED = 100


def run(context):
    results = context.rounds(lambda: context.measure("metricsd_bench_state", SERIES, CHANGED), NAME)

    def row(name, numerator, denominator):
        rounds = [(result[numerator] / 1e6, result[denominator] / 1e6) for result in results]
        return Row.of_rounds(name, rounds, None, "ms CPU")

    return [
        row("save 100,000 changed histograms / copy them for a scrape", "save_all_ns", "copy_ns"),
        row("save 100 changed of 100,000 / save all", "save_changed_ns", "save_all_ns"),
        row("load 100,000 changed histograms / save them", "load_all_ns", "save_all_ns"),
        row("load 100,000 histograms anew / save them", "load_anew_ns", "save_all_ns"),
        row("load 100 changed of 100,000 / load all", "load_changed_ns", "load_all_ns"),
    ]
