"""Etsy's statsd from npm, over its Unix stream, flushing to its console each second."""

import json
import re

from context import ROOT, Unmeasurable, harness
from peers.peer import Peer, accepts, program

# Where tools/bench installs it.
SCRIPT = ROOT / "build" / "bench" / "npm" / "node_modules" / "statsd" / "stats.js"

# The console backend prints each flush as JavaScript does: an object of counters comes first.
_FLUSH = re.compile(r"^  counters: \{$(.*?)^  \},$", re.MULTILINE | re.DOTALL)
_COUNTER = re.compile(r"'operation\.\S+\.operations': (\d+)")


class Statsd(Peer):
    name = "statsd"
    transport = "Unix stream"
    dialect = "statsd"
    flushes = True
    note = "Etsy's, on node"

    def start(self):
        node = program("node", "nodejs")
        if not SCRIPT.exists():
            raise Unmeasurable("statsd is not installed (npm: statsd)")
        self.socket = self.directory / "statsd.sock"
        configuration = {
            "servers": [{"server": "./servers/tcp", "socket": str(self.socket)}],
            "backends": ["./backends/console"],
            "console": {"prettyprint": False},
            "flushInterval": 1000,
            "mgmt_address": "127.0.0.1",
            "mgmt_port": harness.free_port(),
        }
        path = self.directory / "configuration.js"
        path.write_text(json.dumps(configuration))
        self.spawn(node, SCRIPT, path)
        self.wait_until(lambda: accepts(self.socket))

    def address(self):
        return ["--unix", self.socket]

    def counted(self):
        return count_in(self.log.read_text())


def count_in(output):
    """The events of all flushes; each tells of what came since the one before."""
    return sum(int(count) for counters in _FLUSH.findall(output) for count in _COUNTER.findall(counters))
