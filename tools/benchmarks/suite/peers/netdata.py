"""netdata with its statsd plugin alone: no collectors, no health, no machine learning, no cloud, nothing on disk."""

import getpass
import re

from context import harness
from peers.exposition import values
from peers.peer import Peer, accepts, program

# Everything that is a plugin of 1.37 and is not statsd.
_PLUGINS_OFF = (
    "timex idlejitter profile tc diskspace proc cgroups slabinfo checks go.d charts.d python.d node.d apps nfacct perf "
    "ioping fping ebpf"
).split()

_CONFIGURATION = """
[global]
    run as user = {user}
[directories]
    config = {directory}
    stock config = {directory}
    cache = {directory}
    lib = {directory}
    log = {directory}
    home = {directory}
    lock = {directory}
    registry = {directory}
    plugins = {directory}/no-plugins
[db]
    mode = ram
[logs]
    access = none
[web]
    bind to = 127.0.0.1:{web}
[health]
    enabled = no
[ml]
    enabled = no
[cloud]
    enabled = no
[statsd]
    bind to = tcp:127.0.0.1:{statsd}
[plugins]
    statsd = yes
    netdata monitoring = no
    netdata monitoring extended = no
    enable running new plugins = no
"""


_COUNTER = re.compile(r"^(netdata_statsd_operation_\w+_operations_counter_total)\{", re.MULTILINE)


class Netdata(Peer):
    name = "netdata"
    transport = "TCP"
    dialect = "statsd"
    flushes = True
    note = "statsd plugin only"

    def start(self):
        netdata = program("netdata", "netdata-core")
        self.web, self.statsd = harness.free_port(), harness.free_port()
        (self.directory / "no-plugins").mkdir()
        configuration = self.directory / "netdata.conf"
        text = _CONFIGURATION.format(directory=self.directory, web=self.web, statsd=self.statsd, user=getpass.getuser())
        configuration.write_text(text + "".join(f"    {plugin} = no\n" for plugin in _PLUGINS_OFF))
        self.spawn(netdata, "-D", "-c", configuration)
        self.wait_until(lambda: self.counted() == 0 and accepts(self.statsd))

    def address(self):
        return ["--tcp", self.statsd]

    def counted(self):
        """Its own totals, as collected and not as a rate."""
        url = f"http://127.0.0.1:{self.web}/api/v1/allmetrics?format=prometheus&source=raw"
        return count_in(harness.get(url).decode())


def count_in(page):
    """The events of a page of all metrics: the counters whose names end as metricsd_load's do."""
    names = set(_COUNTER.findall(page))
    return int(sum(sum(values(page, name)) for name in names))
