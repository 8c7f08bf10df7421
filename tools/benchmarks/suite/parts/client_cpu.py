"""What recording costs the whole process."""

from context import Spoiled
from row import Row

NAME = "client-cpu"
DESCRIPTION = "client CPU per operation, all threads, JSONL written, daemon fed, against one send() of 300 bytes"


def run(context):
    operations = 5_000_000 if context.full else 1_000_000

    def measure():
        with context.daemon() as daemon:
            result = context.measure("metricsd_bench_client", daemon.socket, operations)
            daemon.wait_for_operations(result["recorded"] - result["dropped"])
        if result["dropped"] > operations / 100:
            raise Spoiled(f"{result['dropped']} of {operations} operations dropped: the drainer came too late")
        return result["operation_ns"], result["send_ns"]

    rounds = context.rounds(measure, NAME)
    return [Row.of_rounds("client, one operation / one send()", rounds, "<= 0.3", "ns CPU")]
