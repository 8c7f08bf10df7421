"""The daemon's cost of one operation that comes in a batch."""

import lines
import micro
from receivers import Operations
from row import Row

NAME = "batches"
DESCRIPTION = "daemon CPU per batched operation, against simdjson On-Demand's parse of one single line"

ROWS = 1024  # of a batch
PARSE = "parse_usual_line_simdjson"


def run(context):
    count = (2_000_000 if not context.full else 20_000_000) // ROWS

    def measure():
        with context.daemon() as daemon:
            told = Operations(context, daemon)
            told.take(lines.batches(ROWS, 20), ROWS * 20, lines.hello("0" * 32))
            ours = told.take(lines.batches(ROWS, count), ROWS * count, lines.hello("1" * 32)) / (ROWS * count)
        return ours, micro.cpu_ns(context, PARSE)[PARSE]

    rounds = context.rounds(measure, NAME)
    return [Row.of_rounds("daemon, batched operation / simdjson parse of a line", rounds, "<= 0.5", "ns CPU")]
