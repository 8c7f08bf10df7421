"""collectd with its unixsock and write_prometheus plugins. It keeps the last value of each series, so that its count is
the running total that metricsd_load sends, which starts anew with each connection."""

import grp
import os

from context import harness
from peers.exposition import values
from peers.peer import Peer, accepts, program

FIRST_TOTAL = 1_000_000_000_000  # kFirstNumber of metricsd_load

# One writer: with more, values of a series overtake one another and are refused as too old.
_CONFIGURATION = """
Hostname "load"
FQDNLookup false
BaseDir "{directory}"
AutoLoadPlugin false
WriteThreads 1
LoadPlugin unixsock
LoadPlugin write_prometheus
<Plugin unixsock>
  SocketFile "{socket}"
  SocketGroup "{group}"
</Plugin>
<Plugin write_prometheus>
  Host "127.0.0.1"
  Port "{web}"
</Plugin>
"""


class Collectd(Peer):
    name = "collectd"
    transport = "Unix stream"
    dialect = "collectd"
    note = "PUTVAL, answered one by one; keeps last values, not counts"
    counts_anew = True

    def start(self):
        collectd = program("collectd", "collectd-core, libprotobuf-c1, libmicrohttpd12")
        self.socket = self.directory / "collectd.sock"
        self.web = harness.free_port()
        configuration = self.directory / "collectd.conf"
        group = grp.getgrgid(os.getegid()).gr_name
        configuration.write_text(
            _CONFIGURATION.format(directory=self.directory, socket=self.socket, web=self.web, group=group)
        )
        self.spawn(collectd, "-f", "-C", configuration, "-P", self.directory / "pid")
        self.wait_until(lambda: self.counted() == 0 and accepts(self.socket))

    def address(self):
        return ["--unix", self.socket]

    def counted(self):
        page = harness.get(f"http://127.0.0.1:{self.web}/metrics").decode()
        return int(sum(total - FIRST_TOTAL for total in values(page, "collectd_operation_derive_total")))
