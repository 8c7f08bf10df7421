"""The daemon's cost of one operation that comes as a line of its own."""

import lines
from receivers import Operations, Receiver, fresh_socket
from row import Row

NAME = "lines"
DESCRIPTION = "daemon CPU per single JSON line, against a loop of read() over the same bytes"

DISTINCT = 2000  # lines; sent again and again


def run(context):
    blob = lines.usual_lines(DISTINCT)
    times = (1_000_000 if not context.full else 10_000_000) // DISTINCT

    def measure():
        chunks, operations = [blob] * times, DISTINCT * times
        with context.daemon() as daemon, reader(context) as sink:
            told = Operations(context, daemon)
            told.take([blob] * 20, DISTINCT * 20)  # series and buffers are there
            sink.take([blob] * 20)
            return told.take(chunks, operations) / operations, sink.take(chunks) / operations

    return [Row.of_rounds("daemon, single line / read()", context.rounds(measure, NAME), "<= 5", "ns CPU")]


def reader(context):
    path = fresh_socket(context, "sink.sock")
    return Receiver(context, [context.program("metricsd_load"), "read-only", "--unix", path], path)
