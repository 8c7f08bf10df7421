"""This daemon beside what people would pick instead: all are told of the same events, at several write sizes, one after
the other in every round, so that both sides of a ratio are from the same minute."""

import subprocess
import sys

from context import ROOT, Unmeasurable
from peers.collectd import Collectd
from peers.field import Field
from peers.metricsd import MetricsdBatches, MetricsdLines
from peers.netdata import Netdata
from peers.prometheus_cpp import PrometheusCpp
from peers.pushgateway import Pushgateway
from peers.read_only import ReadOnly
from peers.report import table
from peers.statsd import Statsd
from peers.victoria_metrics import VictoriaMetrics
from row import Row

NAME = "peers"
DESCRIPTION = "this daemon beside netdata, statsd, VictoriaMetrics, collectd, pushgateway, prometheus-cpp"

OURS = (MetricsdLines, MetricsdBatches)
THEIRS = (Netdata, Statsd, VictoriaMetrics, Collectd, Pushgateway, PrometheusCpp)
WRITE_SIZES = (1, 8, 64)
LARGEST = WRITE_SIZES[-1]
WARM_UP_SECONDS = 0.3


def run(context):
    subprocess.run([ROOT / "tools" / "lib" / "install-peers"], check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    seconds = 2 if context.full else 1
    with Field(context, (*OURS, ReadOnly, *THEIRS)) as field:
        field.round(LARGEST, WARM_UP_SECONDS)  # what a peer compiles or allocates once
        rounds = {
            size: context.rounds(lambda size=size: field.round(size, seconds), f"{NAME}, {size} events a write")
            for size in WRITE_SIZES
        }
        refused = {peer.name: peer.refused() for peer in field.peers if isinstance(peer, OURS)}
    context.add_text(NAME, table(field.peers, rounds, field.absent))
    for kind in OURS:  # a peer may be missed; the daemon that all of them are compared with may not
        if kind.name in field.absent:
            raise Unmeasurable(f"{kind.name}: {field.absent[kind.name]}")
    return [*beside(field.peers, rounds), *batches_beside_the_fastest(field.peers, rounds), *losses(field, refused)]


def beside(peers, rounds):
    """Single lines, the dearer of our two ways, beside every peer in its own way."""
    for peer in peers:
        if isinstance(peer, OURS):
            continue
        for size in WRITE_SIZES if peer.has_write_size else (LARGEST,):
            pairs = [(results[MetricsdLines.name], results[peer.name]) for results in rounds[size]]
            # Nobody is ahead of the kernel; that row is to be read, not to be reached.
            targets = (None, None) if isinstance(peer, ReadOnly) else ("< 1", "> 1")
            what = f"single lines / {peer.name}, {size} events a write"
            cpu = [(ours.cpu_us, theirs.cpu_us) for ours, theirs in pairs]
            speed = [(ours.events_a_second, theirs.events_a_second) for ours, theirs in pairs]
            yield Row.of_rounds(f"CPU of an event, {what}", cpu, targets[0], "us")
            yield Row.of_rounds(f"events a second, {what}", speed, targets[1])


def batches_beside_the_fastest(peers, rounds):
    theirs = [peer.name for peer in peers if isinstance(peer, THEIRS)]
    if not theirs:
        return
    pairs = [
        (results[MetricsdBatches.name].cpu_us, min(results[name].cpu_us for name in theirs)) for results in rounds[LARGEST]
    ]
    yield Row.of_rounds(f"CPU of an event, batches / the fastest peer, {LARGEST} events a write", pairs, "<= 0.25", "us")


def losses(field, refused):
    """What was sent to us in all rounds, and not counted or refused."""
    for name, refusals in refused.items():
        yield Row(f"events lost or refused, {name}", field.lost[name] + refusals, target="== 0")
