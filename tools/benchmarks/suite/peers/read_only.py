"""The kernel's limit: a reader that only reads, told in the same single lines as the daemon."""

import json

from peers.peer import Peer, accepts


class ReadOnly(Peer):
    name = "read only"
    transport = "Unix stream"
    dialect = "metricsd-line"
    counts = "bytes"
    note = "the kernel's limit: reads the daemon's single lines and does nothing with them"

    def start(self):
        self.socket = self.directory / "sink.sock"
        self.spawn(self.context.program("metricsd_load"), "read-only", "--unix", self.socket)
        self.wait_until(lambda: accepts(self.socket))

    def address(self):
        return ["--unix", self.socket]

    def counted(self):
        return sum(json.loads(line)["bytes"] for line in self.log.read_text().splitlines())
