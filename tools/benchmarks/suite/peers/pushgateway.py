"""Prometheus's pushgateway, in memory. It keeps the last push of each group; what it counts are the pushes."""

from context import harness
from peers.exposition import values
from peers.peer import Peer, program


class Pushgateway(Peer):
    name = "pushgateway"
    transport = "HTTP"
    dialect = "pushgateway"
    note = "another kind: each PUT replaces the one before; more than one a write are pipelined"

    def start(self):
        pushgateway = program("prometheus-pushgateway", "prometheus-pushgateway")
        self.web = harness.free_port()
        self.spawn(pushgateway, f"--web.listen-address=127.0.0.1:{self.web}", "--persistence.file=")
        self.wait_until(lambda: self.counted() == 0)

    def address(self):
        return ["--tcp", self.web]

    def counted(self):
        page = harness.get(f"http://127.0.0.1:{self.web}/metrics").decode()
        return int(sum(values(page, "pushgateway_http_requests_total", 'handler="push"', 'method="put"', 'code="200"')))
