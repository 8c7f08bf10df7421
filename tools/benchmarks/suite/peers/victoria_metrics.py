"""VictoriaMetrics, told in Influx's line protocol over TCP. It stores each value with its time and folds nothing."""

from context import harness
from peers.exposition import values
from peers.peer import Peer, accepts, program

VALUES_AN_EVENT = 3


class VictoriaMetrics(Peer):
    name = "VictoriaMetrics"
    transport = "TCP"
    dialect = "influx"
    note = "another kind: stores each value, folds nothing"

    def start(self):
        victoria_metrics = program("victoria-metrics", "victoria-metrics")
        self.web, self.influx = harness.free_port(), harness.free_port()
        self.spawn(
            victoria_metrics,
            f"-storageDataPath={self.directory / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.web}",
            f"-influxListenAddr=127.0.0.1:{self.influx}",
        )
        self.wait_until(lambda: self.counted() == 0 and accepts(self.influx))

    def address(self):
        return ["--tcp", self.influx]

    def counted(self):
        page = harness.get(f"http://127.0.0.1:{self.web}/metrics").decode()
        return int(sum(values(page, "vm_rows_inserted_total", 'type="influx"'))) // VALUES_AN_EVENT
