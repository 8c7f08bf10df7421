"""Counters and histograms that a program keeps of its own."""

import micro
from row import Row

NAME = "metrics-api"
DESCRIPTION = "counter add and histogram observe, against prometheus-cpp's"

PAIRS = (
    ("counter add", "client_counter_add", "prometheus_counter_increment", "<= 0.3"),
    ("histogram observe", "client_histogram_observe", "prometheus_histogram_observe", "<= 0.15"),
)


def run(context):
    names = [name for _, ours, theirs, _ in PAIRS for name in (ours, theirs)]
    rounds = context.rounds(lambda: micro.cpu_ns(context, *names), NAME)
    return [
        Row.of_rounds(f"{what} / prometheus-cpp", [(found[ours], found[theirs]) for found in rounds], target, "ns CPU")
        for what, ours, theirs, target in PAIRS
    ]
