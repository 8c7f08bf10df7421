"""A scrape's page, in process."""

from row import Row

NAME = "render"
DESCRIPTION = "the text of 10,000 series, against prometheus-cpp's Collect and TextSerializer"

SERIES = 10_000
TARGETS = {"counters": "<= 1/30", "histograms": "<= 1/16"}


def run(context):
    return [row(context, kind, target) for kind, target in TARGETS.items()]


def row(context, kind, target):
    results = context.rounds(lambda: context.measure("metricsd_bench_render", kind, SERIES), f"{NAME}, {kind}")
    rounds = [(result["ours_ns"] / 1e6, result["prometheus_ns"] / 1e6) for result in results]
    return Row.of_rounds(f"render 10,000 {kind} / prometheus-cpp", rounds, target, "ms CPU")
