"""This daemon beside what people would pick instead: all are told of the same events, at several write sizes, one after
the other in every round, so that both sides of a ratio are from the same minute."""

import subprocess
import sys

from context import ROOT, Unmeasurable
from peers.collectd import Collectd
from peers.field import Field
from peers.metricsd import MetricsdBatches, MetricsdBatchesKept, MetricsdLines, MetricsdLinesKept
from peers.netdata import Netdata
from peers.prometheus_cpp import PrometheusCpp
from peers.pushgateway import Pushgateway
from peers.read_only import ReadOnly
from peers.report import table
from peers.statsd import Statsd
from peers.victoria_metrics import VictoriaMetrics
from row import Row

NAME = "peers"
DESCRIPTION = "this daemon, with a data directory and without, beside netdata, statsd, VictoriaMetrics, and others"

LINES = (MetricsdLines, MetricsdLinesKept)
BATCHES = (MetricsdBatches, MetricsdBatchesKept)
OURS = (*LINES, *BATCHES)
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
    return list(rows(field, rounds, refused))


def rows(field, rounds, refused):
    for ours in LINES:
        yield from beside(ours, field.peers, rounds)
    for ours in BATCHES:
        yield from beside_the_fastest(ours, field.peers, rounds)
    for without, kept in (LINES, BATCHES):
        yield from of_keeping(kept, without, rounds)
    yield from losses(field, refused)


def words(ours):
    """What the rows call one of ours, where it is clear that it is this daemon."""
    return ours.name.removeprefix("metricsd, ")


def beside(ours, peers, rounds):
    """Single lines, the dearer of our two ways, beside every peer in its own way."""
    for peer in peers:
        if isinstance(peer, OURS):
            continue
        for size in WRITE_SIZES if peer.has_write_size else (LARGEST,):
            # Nobody is ahead of the kernel; that row is to be read, not to be reached.
            targets = (None, None) if isinstance(peer, ReadOnly) else ("< 1", "> 1")
            yield from cpu_and_speed(f"{words(ours)} / {peer.name}", ours, peer, rounds, size, targets)


def cpu_and_speed(what, ours, theirs, rounds, size, targets):
    pairs = [(results[ours.name], results[theirs.name]) for results in rounds[size]]
    cpu = [(one.cpu_us, other.cpu_us) for one, other in pairs]
    speed = [(one.events_a_second, other.events_a_second) for one, other in pairs]
    yield Row.of_rounds(f"CPU of an event, {what}, {size} events a write", cpu, targets[0], "us")
    yield Row.of_rounds(f"events a second, {what}, {size} events a write", speed, targets[1])


def beside_the_fastest(ours, peers, rounds):
    theirs = [peer.name for peer in peers if isinstance(peer, THEIRS)]
    if not theirs:
        return
    pairs = [(results[ours.name].cpu_us, min(results[name].cpu_us for name in theirs)) for results in rounds[LARGEST]]
    what = f"{words(ours)} / the fastest peer, {LARGEST} events a write"
    yield Row.of_rounds(f"CPU of an event, {what}", pairs, "<= 0.25", "us")


def of_keeping(kept, without, rounds):
    """What a data directory costs."""
    for size in WRITE_SIZES:
        yield from cpu_and_speed(f"{words(kept)} / without", kept, without, rounds, size, (None, None))


def losses(field, refused):
    """What was sent to us in all rounds, and not counted or refused."""
    for name, refusals in refused.items():
        yield Row(f"events lost or refused, {name}", field.lost[name] + refusals, target="== 0")
