"""prometheus-cpp within the process that measures: no socket, no other process, no write size."""

from peers.measurement import Measurement
from peers.peer import Peer


class PrometheusCpp(Peer):
    name = "prometheus-cpp"
    transport = "in process"
    note = "another kind: a library; its CPU is the caller's"
    has_write_size = False

    def start(self):
        self.context.program("metricsd_load")

    def tell(self, events_a_write, seconds):
        told = self.context.measure("metricsd_load", "prometheus-cpp", "--seconds", seconds)
        return Measurement(told["events"], told["counted"], told["seconds"], told["cpu_seconds"])
