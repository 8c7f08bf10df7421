"""How the daemon's cost of an operation grows with connections that all send."""

import contextlib

import lines
from plot import Plot
from receivers import Operations
from row import Row

NAME = "connections"
DESCRIPTION = "daemon CPU per line, from 1 to 1,000 connections"

CONNECTIONS = (1, 10, 100, 1000)
LINES_A_WRITE = 16


def run(context):
    chunk = lines.usual_lines(LINES_A_WRITE)
    operations = 4_000_000 if context.full else 400_000
    turns = {count: operations // LINES_A_WRITE // count for count in CONNECTIONS}

    def measure():
        return {count: cost(context, chunk, count, turns[count]) for count in CONNECTIONS}

    rounds = context.rounds(measure, NAME)
    middle = {count: sorted(found[count] for found in rounds)[len(rounds) // 2] for count in CONNECTIONS}
    context.add_plot(
        Plot("connections", "Daemon CPU per line, by connections", "connections", "ns", {"daemon": list(middle.items())})
    )
    return [
        Row.of_rounds(f"daemon, line, {count:,} connections / 1", [(found[count], found[1]) for found in rounds], None, "ns CPU")
        for count in CONNECTIONS[1:]
    ]


def cost(context, chunk, count, turns):
    """Nanoseconds of CPU a line; every connection gets its turn, a write of 16 lines."""
    with context.daemon() as daemon, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(daemon.connect()) for _ in range(count)]

        def tell():
            for _ in range(turns):
                for connection in connections:
                    connection.sendall(chunk)

        operations = turns * count * LINES_A_WRITE
        return Operations(context, daemon).measure(tell, operations) / operations
