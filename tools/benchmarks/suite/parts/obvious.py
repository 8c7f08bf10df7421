"""The daemon against the pipeline that one writes first."""

import lines
from receivers import Operations, Receiver, fresh_socket
from row import Row

NAME = "obvious"
DESCRIPTION = "daemon CPU per line, against read_until, a DOM and prometheus-cpp's Family::Add"

DISTINCT = 2000


def run(context):
    blob = lines.usual_lines(DISTINCT)
    times = (200_000 if not context.full else 2_000_000) // DISTINCT

    def measure():
        chunks, operations = [blob] * times, DISTINCT * times
        with context.daemon() as daemon, pipeline(context) as obvious:
            told = Operations(context, daemon)
            told.take([blob] * 10, DISTINCT * 10)
            obvious.take([blob])
            return obvious.take(chunks) / operations, told.take(chunks, operations) / operations

    rounds = context.rounds(measure, NAME)
    return [Row.of_rounds("obvious pipeline / daemon, single line", rounds, ">= 18", "ns CPU")]


def pipeline(context):
    path = fresh_socket(context, "obvious.sock")
    return Receiver(context, [context.program("metricsd_bench_obvious"), path], path)
