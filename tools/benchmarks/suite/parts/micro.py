"""The steps that an operation is made of, one by one: to see which of them a change made dearer."""

import micro
from row import Row

NAME = "micro"
DESCRIPTION = "the steps of an operation one by one, against reading the clock"

CLOCK = "read_clock"


def run(context):
    rounds = context.rounds(lambda: micro.cpu_ns(context), NAME)
    return [
        Row.of_rounds(f"{name} / reading the clock", [(found[name], found[CLOCK]) for found in rounds], None, "ns CPU")
        for name in sorted(rounds[0])
        if name != CLOCK
    ]
