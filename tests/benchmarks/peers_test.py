"""What the suite reads in the peers' outputs, and what it makes of it."""

import pathlib
import sys
import tempfile
import time
import types
import unittest

SUITE = pathlib.Path(__file__).resolve().parents[2] / "tools" / "benchmarks" / "suite"
sys.path.insert(0, str(SUITE))

import disk  # pylint: disable=wrong-import-position
from context import Unmeasurable  # pylint: disable=wrong-import-position
from parts import peers as part  # pylint: disable=wrong-import-position
from peers import exposition, measurement, metricsd, netdata, report, statsd  # pylint: disable=wrong-import-position
from peers.field import Field  # pylint: disable=wrong-import-position
from peers.measurement import Measurement  # pylint: disable=wrong-import-position

STATSD_OUTPUT = """20 Nov 08:56:02 - server is up INFO
Flushing stats at  Fri Nov 20 2026 08:56:04 GMT+0000 (Coordinated Universal Time)
{
  counters: {
    'statsd.metrics_received': 295875,
    'operation.upload.s3.rest.success.operations': 15435,
    'operation.upload.s3.rest.success.bytes': 9029149425,
    'operation.upload.s3.rest.failure.operations': 1011
  },
  timers: {
    'operation.upload.s3.rest.success.duration': [
      0.0522, 0.0522
    ]
  },
  counter_rates: {
    'operation.upload.s3.rest.success.operations': 99
  },
  sets: {},
  pctThreshold: [ 90 ]
}
Flushing stats at  Fri Nov 20 2026 08:56:05 GMT+0000 (Coordinated Universal Time)
{
  counters: {
    'operation.upload.s3.rest.success.operations': 4
  },
  timers: {},
}
Flushing stats at  Fri Nov 20 2026 08:56:06 GMT+0000 (Coordinated Universal Time)
{
  counters: {
    'operation.upload.s3.rest.success.operations': 1000000,
"""

NETDATA_PAGE = """
netdata_info{instance="vm",application="netdata",version="v1.37.1"} 1 1795164584279
netdata_statsd_operation_upload_s3_rest_success_operations_counter_total{chart="c",dimension="counter"} 3 1795164583475
netdata_statsd_operation_upload_s3_rest_failure_operations_counter_total{chart="c",dimension="counter"} 4 1795164583475
netdata_statsd_operation_upload_s3_rest_success_bytes_counter_total{chart="c",dimension="counter"} 37035 1795164583475
netdata_statsd_operation_upload_s3_rest_success_duration_timer{chart="c",dimension="min"} 0 1795164583475
"""


METRICSD_PAGE = """
workload_operations_total{operation="upload",status="success"} 5
workload_operations_total{operation="upload",status="failure"} 2
metricsd_checkpoint_failing %d
metricsd_checkpoint_failures_total %d
"""


class Outputs(unittest.TestCase):
    def test_samples_are_found_by_name_and_labels(self):
        page = '# TYPE a counter\na{x="1",y="2"} 3 1795164949482\na{x="2"} 1.5e+3\nab{x="1"} 7\na 9\n'
        self.assertEqual(exposition.values(page, "a"), [3, 1500, 9])
        self.assertEqual(exposition.values(page, "a", 'x="1"', 'y="2"'), [3])
        self.assertEqual(exposition.values(page, "b"), [])

    def test_statsd_counts_are_the_sum_of_its_whole_flushes(self):
        self.assertEqual(statsd.count_in(STATSD_OUTPUT), 15435 + 1011 + 4)
        self.assertEqual(statsd.count_in(""), 0)

    def test_netdata_counts_are_those_of_the_operations(self):
        self.assertEqual(netdata.count_in(NETDATA_PAGE), 7)
        self.assertEqual(netdata.count_in(""), 0)

    def test_our_count_is_that_of_all_operations(self):
        self.assertEqual(metricsd.count_in(METRICSD_PAGE % (0, 0)), 7)
        self.assertEqual(metricsd.count_in(METRICSD_PAGE % (0, 0), keeps=True), 7)

    def test_our_count_does_not_stand_where_a_checkpoint_failed(self):
        for failing, failures in ((1, 0), (0, 1)):
            with self.assertRaisesRegex(Unmeasurable, "checkpoints failed"):
                metricsd.count_in(METRICSD_PAGE % (failing, failures), keeps=True)
        with self.assertRaises(Unmeasurable):  # a daemon without a data directory
            metricsd.count_in('workload_operations_total{operation="upload"} 7', keeps=True)


class Disks(unittest.TestCase):
    MOUNTS = r"""
21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
22 21 0:5 / /tmp rw shared:2 - tmpfs tmpfs rw
23 22 254:1 / /tmp/with\040space rw - xfs /dev/vdb rw
24 21 254:2 / /tmpfiles rw - btrfs /dev/vdc rw
25 21 254:3 / /srv rw - ext4 /dev/vdd rw
26 25 0:6 / /srv rw - tmpfs tmpfs rw
""".strip()

    def test_a_path_is_on_the_nearest_mount_above_it(self):
        for path, kind in (
            ("/", "ext4"),
            ("/home/user", "ext4"),
            ("/tmp", "tmpfs"),
            ("/tmp/a/b", "tmpfs"),
            ("/tmp/with space/a", "xfs"),
            ("/tmpfiles/a", "btrfs"),
            ("/srv/a", "tmpfs"),
        ):
            self.assertEqual(disk.filesystem(path, self.MOUNTS), kind, path)

    def test_memory_is_no_disk(self):
        with tempfile.TemporaryDirectory() as preferred, disk.temporary_directory("/dev/shm", preferred) as path:
            on = disk.filesystem(path, pathlib.Path("/proc/self/mountinfo").read_text())
            self.assertNotEqual(on, "tmpfs")


class Waiting(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, measurement, "QUIET_SECONDS", measurement.QUIET_SECONDS)
        measurement.QUIET_SECONDS = 0.2

    def wait(self, counts, wanted):
        remaining = list(counts)
        return measurement.wait_for_count(
            lambda: remaining.pop(0) if len(remaining) > 1 else remaining[0], wanted, time.monotonic()
        )

    def test_what_is_there_at_once_costs_no_time(self):
        self.assertEqual(self.wait([5], 5), (5, 0))

    def test_what_comes_later_costs_the_time_until_then(self):
        counted, waited = self.wait([0, 3, 5], 5)
        self.assertEqual(counted, 5)
        self.assertGreater(waited, 0)

    def test_what_never_comes_is_lost(self):
        self.assertEqual(self.wait([0, 3], 5)[0], 3)


def fake_peer(kind, tell):
    """A peer that is no process."""

    class Fake(kind):
        def __init__(self, context):
            super().__init__(context)
            self.tell = tell

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    return Fake


def at_cost(cpu_us, lost=0):
    return lambda size, seconds: Measurement(1000, 1000 - lost, 0.5, cpu_us * (1000 - lost) / 1e6)


def fails(size, seconds):
    raise Unmeasurable("has gone")


CONTEXT = types.SimpleNamespace(directory="/nowhere", say=lambda text: None)


class Comparing(unittest.TestCase):
    def compare(self, *kinds):
        with Field(CONTEXT, kinds) as field:
            rounds = {size: [field.round(size, 1) for _ in range(3)] for size in part.WRITE_SIZES}
        return field, rounds

    def test_a_peer_that_fails_is_left_out_and_named(self):
        field, rounds = self.compare(
            fake_peer(part.MetricsdLines, at_cost(1)), fake_peer(part.Netdata, fails), fake_peer(part.Statsd, at_cost(4))
        )
        self.assertEqual(field.absent, {"netdata": "has gone"})
        text = report.table(field.peers, rounds, field.absent)
        self.assertIn("netdata: NOT MEASURED: has gone", text)
        self.assertEqual([peer.name for peer in field.peers], ["metricsd, single lines", "statsd"])

    def test_every_peer_has_a_row_for_each_write_size_and_figure(self):
        field, rounds = self.compare(
            fake_peer(part.MetricsdLines, at_cost(1)),
            fake_peer(part.MetricsdBatches, at_cost(0.1)),
            fake_peer(part.ReadOnly, at_cost(0.5)),
            fake_peer(part.Statsd, at_cost(4)),
            fake_peer(part.PrometheusCpp, at_cost(0.5)),
        )
        rows = {row.name: row for row in part.beside(part.MetricsdLines, field.peers, rounds)}
        self.assertEqual(len(rows), 2 * (3 + 3 + 1))
        against_statsd = rows["CPU of an event, single lines / statsd, 8 events a write"]
        self.assertAlmostEqual(against_statsd.value, 0.25)
        self.assertTrue(against_statsd.reached)
        self.assertIsNone(rows["CPU of an event, single lines / read only, 8 events a write"].reached)
        (fastest,) = part.beside_the_fastest(part.MetricsdBatches, field.peers, rounds)
        self.assertAlmostEqual(fastest.value, 0.1 / 0.5)

    def test_a_data_directory_repeats_every_row_and_is_set_beside_none(self):
        costs = {part.MetricsdLines: 1, part.MetricsdLinesKept: 2, part.MetricsdBatches: 0.1, part.MetricsdBatchesKept: 0.3}
        ours = [fake_peer(kind, at_cost(cost)) for kind, cost in costs.items()]
        field, rounds = self.compare(*ours, fake_peer(part.Statsd, at_cost(4)))
        refused = {kind.name: 0 for kind in costs}
        rows = {row.name: row for row in part.rows(field, rounds, refused)}
        self.assertEqual(len(rows), 2 * (2 * 3 + 1 + 2 * 3 + 2))  # beside statsd, the fastest, none; losses
        for name, row in rows.items():
            if ", data directory / " in name and "without" not in name:
                self.assertEqual(row.target, rows[name.replace(", data directory", "")].target)
        self.assertAlmostEqual(rows["CPU of an event, single lines, data directory / statsd, 1 events a write"].value, 0.5)
        without = rows["CPU of an event, batches, data directory / without, 64 events a write"]
        self.assertAlmostEqual(without.value, 3)
        self.assertIsNone(without.reached)

    def test_what_we_lose_in_any_round_is_shown(self):
        field, _ = self.compare(fake_peer(part.MetricsdLines, at_cost(1, lost=2)))
        (row,) = part.losses(field, {part.MetricsdLines.name: 1})
        self.assertEqual(row.value, 2 * 3 * 3 + 1)
        self.assertFalse(row.reached)


if __name__ == "__main__":
    unittest.main(verbosity=2)
