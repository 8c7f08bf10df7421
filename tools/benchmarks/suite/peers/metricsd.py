"""This daemon, told in single lines and in batches."""

from context import harness
from peers.exposition import values
from peers.peer import Peer


class Metricsd(Peer):
    transport = "Unix stream"

    def start(self):
        # The harness starts it and waits until it is ready.
        self.daemon = harness.Daemon(self.directory)
        self.daemon.start()
        self.process = self.daemon.process

    def end(self):
        self.process = None
        if self.daemon is not None and self.daemon.process is not None:
            self.daemon.stop()

    daemon = None

    def address(self):
        return ["--unix", self.daemon.socket]

    def counted(self):
        return int(sum(values(self._page(), "workload_operations_total")))

    def refused(self):
        """Operations and messages that it has refused or dropped, by its own output."""
        page = self._page()
        return int(sum(values(page, "metricsd_rejected_total")) + sum(values(page, "metricsd_dropped_total")))

    def _page(self):
        return harness.get(self.daemon.web + "/metrics").decode()


class MetricsdLines(Metricsd):
    name = "metricsd, single lines"
    dialect = "metricsd-line"
    note = "JSON as anyone may send it"


class MetricsdBatches(Metricsd):
    name = "metricsd, batches"
    dialect = "metricsd-batch"
    note = "columnar and acknowledged, as the client library sends them"
