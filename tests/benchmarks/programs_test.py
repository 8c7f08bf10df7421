"""The measuring programs, each for a moment: they say what the parts read. No time is asserted."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "benchmarks" / "suite"))

import checkpoints  # pylint: disable=wrong-import-position
import disk  # pylint: disable=wrong-import-position
import lines  # pylint: disable=wrong-import-position
import micro  # pylint: disable=wrong-import-position
from context import Context, harness  # pylint: disable=wrong-import-position
from parts import metrics_api, obvious, scrape  # pylint: disable=wrong-import-position
from peers.metricsd import MetricsdBatchesKept, MetricsdLinesKept  # pylint: disable=wrong-import-position
from receivers import Operations  # pylint: disable=wrong-import-position


class Test(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="metricsd-bench-")
        self.addCleanup(directory.cleanup)
        self.context = Context(directory.name, say=lambda text: None)


class Programs(Test):
    def check(self, keys, *command):
        result = self.context.measure(*command)
        for key in keys:
            self.assertGreater(result[key], 0, (command, key))

    def test_each_says_what_it_measured(self):
        self.check(("select_ns", "sort_ns"), "metricsd_bench_percentiles", 1000)
        self.check(("prometheus_ns", "bytes"), "metricsd_bench_scrape", 10)
        self.check(("sample_ns", "memory_bytes", "system_ns"), "metricsd_bench_monitoring", 3, 4, 1, "cpu,memory")
        for kind in ("counters", "histograms"):
            self.check(("ours_ns", "prometheus_ns"), "metricsd_bench_render", kind, 20)
            self.check(("ours_bytes", "prometheus_bytes"), "metricsd_bench_memory", kind, 20)

    def test_the_clock_has_percentiles_in_their_order(self):
        clock = self.context.clock()
        self.assertTrue(0 < clock["p50"] <= clock["p99"] <= clock["p99_9"])

    def test_wrong_usage_is_told(self):
        for name in ("percentiles", "scrape", "render", "memory", "record", "client", "obvious", "monitoring"):
            with self.assertRaisesRegex(Exception, "usage: metricsd_bench_"):
                self.context.measure(f"metricsd_bench_{name}")

    def test_the_micro_benchmarks_that_parts_read_are_there(self):
        names = [name for _, ours, theirs, _ in metrics_api.PAIRS for name in (ours, theirs)]
        self.assertEqual(set(micro.cpu_ns(self.context, *names)), set(names))


class Receiving(Test):
    def test_the_daemon_takes_every_line(self):
        with self.context.daemon() as daemon:
            told = Operations(self.context, daemon)
            self.assertGreater(told.take([lines.usual_lines(100)] * 3, 300), 0)
            self.assertEqual(daemon.status()["ingest"]["rejected_total"], 0)

    def test_the_daemon_takes_every_row_of_a_batch(self):
        with self.context.daemon() as daemon:
            told = Operations(self.context, daemon)
            told.take(lines.batches(50, 4), 200, lines.hello())
            self.assertEqual(daemon.status()["ingest"]["rejected_total"], 0)

    def test_the_obvious_pipeline_reads_to_the_end(self):
        with obvious.pipeline(self.context) as pipeline:
            self.assertGreater(pipeline.take([lines.usual_lines(100)]), 0)

    def test_a_scrape_during_ingest_is_timed(self):
        with self.context.daemon() as daemon:
            with scrape.SteadySender(daemon, lines.usual_lines(2)) as sender:
                seconds = []
                self.assertGreater(sender.longest_wait(lambda: seconds.append(scrape.scrape(daemon))), 0)
            self.assertGreater(seconds[0], 0)


class Keeping(Test):
    def test_what_a_daemon_with_a_data_directory_is_told_is_counted_at_both_ends(self):
        for kind in (MetricsdLinesKept, MetricsdBatchesKept):
            with kind(self.context) as peer:
                data = pathlib.Path(peer.data.name)
                for size in (1, 64):
                    told = peer.tell(size, 0.05)
                    self.assertGreater(told.sent, 0)
                    self.assertEqual(told.lost, 0, kind.name)
                self.assertEqual(peer.refused(), 0)
                self.assertGreater((data / "checkpoint").stat().st_size, 0)
            self.assertFalse(data.exists())

    def test_a_checkpoint_of_all_is_larger_than_one_of_few(self):
        with disk.temporary_directory(self.context.directory) as data, self.context.daemon("--data-dir", data) as daemon:
            teller = checkpoints.Teller(daemon)
            every, few = teller.change(5000), teller.change(10)
            self.assertGreater(every.written_bytes, few.written_bytes)
            for made in (every, few):
                self.assertTrue(0 < made.pause_seconds < made.seconds)
            self.assertGreater(checkpoints.sync_seconds(data, few.written_bytes), 0)


if __name__ == "__main__":
    if not (harness.BIN / "metricsd_bench_clock").exists():
        sys.exit(harness.SKIPPED)
    unittest.main(verbosity=2)
