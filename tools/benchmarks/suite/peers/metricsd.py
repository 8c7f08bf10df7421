"""This daemon, told in single lines and in batches, without a data directory and with one."""

import disk
from context import Unmeasurable, harness
from peers.exposition import values
from peers.peer import Peer


class Metricsd(Peer):
    transport = "Unix stream"
    keeps = False  # what it counts, in a data directory on a disk

    daemon = None
    data = None

    def start(self):
        self.data = disk.temporary_directory(self.directory) if self.keeps else None
        # The harness starts it and waits until it is ready.
        self.daemon = harness.Daemon(self.directory, "--data-dir", self.data.name if self.data else "none")
        self.daemon.start()
        self.process = self.daemon.process

    def end(self):
        self.process = None
        if self.daemon is not None and self.daemon.process is not None:
            self.daemon.stop()
        if self.data is not None:
            self.data.cleanup()
            self.data = None

    def address(self):
        return ["--unix", self.daemon.socket]

    def counted(self):
        return count_in(self._page(), self.keeps)

    def refused(self):
        """Operations and messages that it has refused or dropped, by its own output."""
        page = self._page()
        return int(sum(values(page, "metricsd_rejected_total")) + sum(values(page, "metricsd_dropped_total")))

    def _page(self):
        return harness.get(self.daemon.web + "/metrics").decode()


def count_in(page, keeps=False):
    """The events of a page of ours. Where a daemon that keeps them could not, what it shows is no proof of that."""
    if keeps and values(page, "metricsd_checkpoint_failing") + values(page, "metricsd_checkpoint_failures_total") != [0, 0]:
        raise Unmeasurable("its checkpoints failed")
    return int(sum(values(page, "workload_operations_total")))


class MetricsdLines(Metricsd):
    name = "metricsd, single lines"
    dialect = "metricsd-line"
    note = "JSON as anyone may send it"


class MetricsdBatches(Metricsd):
    name = "metricsd, batches"
    dialect = "metricsd-batch"
    note = "columnar and acknowledged, as the client library sends them"


class MetricsdLinesKept(MetricsdLines):
    name = "metricsd, single lines, data directory"
    note = "the same; a scrape shows what a checkpoint on the disk holds"
    keeps = True
    flushes = True


class MetricsdBatchesKept(MetricsdBatches):
    name = "metricsd, batches, data directory"
    note = "the same; what is acknowledged is durable"
    keeps = True
    flushes = True
