"""What it costs to keep the state beyond the process: the pause of a shard, what follows elsewhere, and all of it as a
checkpoint on a disk."""

import checkpoints
import disk
from row import Row

NAME = "state"
DESCRIPTION = "saving and loading 100,000 histograms, all and 100, and checkpoints of a daemon with 100,000 series"

SERIES = 100_000
CHANGED = 100
COUNTS = (SERIES, CHANGED)


def run(context):
    return [*in_process(context), *on_disk(context)]


def in_process(context):
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


def on_disk(context):
    with disk.temporary_directory(context.directory) as data:
        flags = ("--data-dir", data, "--metrics.max-series", str(SERIES // checkpoints.SERIES_A_LINE + 1))
        with context.daemon(*flags) as daemon:
            teller = checkpoints.Teller(daemon)
            teller.change(SERIES)  # the series are there
            rounds = context.rounds(lambda: {count: change(teller, data, count) for count in COUNTS}, f"{NAME}, disk")
    return [row for count in COUNTS for row in checkpoint_rows(count, [found[count] for found in rounds])]


def change(teller, directory, series):
    """A checkpoint of such a change, and the seconds of its bytes alone."""
    checkpoint = teller.change(series)
    return checkpoint, checkpoints.sync_seconds(directory, checkpoint.written_bytes)


def checkpoint_rows(series, rounds):
    what = f"checkpoint of {series:,} changed series"
    alone = [(made.seconds * 1e3, seconds * 1e3) for made, seconds in rounds]
    pauses = [(made.pause_seconds * 1e3, made.seconds * 1e3) for made, _ in rounds]
    return [
        Row.of_rounds(f"{what} / write() and fdatasync() of its bytes", alone, None, "ms"),
        Row.of_rounds(f"ingest's pause in a {what} / that checkpoint", pauses, None, "ms"),
    ]
