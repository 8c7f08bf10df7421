#!/usr/bin/env python3
"""A daemon that is absent, dies or stands still costs the workload nothing but counted drops."""

import json
import os
import signal

import harness


class UndeliveredTest(harness.Test):
    def start_bench(self, name, socket, seconds):
        return self.spawn(
            [harness.BIN / "objectbench", "--duration", seconds, "--processes", 2, "--quiet", "--size", "1KiB"]
            + ["--export-dir", self.directory / name, "--socket", socket],
            env={**os.environ, "TMPDIR": str(self.directory)},
        )

    def finish(self, name, bench):
        """The summary of the run once objectbench has ended, well; its JSONL is complete whatever the daemon does."""
        self.assertEqual(bench.wait(timeout=harness.PATIENCE_SECONDS), 0)
        run = self.run_directory(self.directory / name)
        summary = json.loads((run / "aggregated.json").read_text())
        self.assertEqual(len(harness.read_jsonl(run / "operations.jsonl")), summary["operations"]["total"])
        self.assertEqual(harness.total_drops(summary, "jsonl"), 0)
        harness.recompute(run)
        print(f"{name}: {summary['overall']['request_rate']['rps']:,.0f} operations/s, dropped {summary['dropped']}")
        return summary

    def test_present(self):
        daemon = self.daemon()
        summary = self.finish("present", self.start_bench("present", daemon.socket, 2))
        self.assertEqual(summary["dropped"], {})
        daemon.wait_for_operations(summary["operations"]["total"])

    def test_absent(self):
        summary = self.finish("absent", self.start_bench("absent", self.directory / "nobody.sock", 2))
        self.assertEqual(harness.total_drops(summary, "socket"), summary["operations"]["total"])

    def test_stands_still(self):
        daemon = self.daemon()
        daemon.process.send_signal(signal.SIGSTOP)
        bench = self.start_bench("stopped", daemon.socket, 2)
        summary = self.finish("stopped", bench)
        daemon.process.send_signal(signal.SIGCONT)
        delivered = summary["operations"]["total"] - harness.total_drops(summary, "socket")
        daemon.wait_for_operations(delivered)
        scrape = daemon.scrape()
        self.assertEqual(scrape.sum("workload_operations_total"), delivered)
        self.assertGreater(harness.total_drops(summary, "socket"), 0)

    def test_dies_and_comes_back(self):
        daemon = self.daemon()
        bench = self.start_bench("restarted", daemon.socket, 3)
        harness.eventually(lambda: daemon.status()["ingest"]["operations"] > 100, "operations arrive")
        daemon.stop(signal.SIGKILL)
        daemon.start()
        harness.eventually(lambda: daemon.status()["ingest"]["operations"] > 100, "operations arrive again")
        summary = self.finish("restarted", bench)
        taken = daemon.scrape().sum("workload_operations_total")
        self.assertLessEqual(taken, summary["operations"]["total"])


if __name__ == "__main__":
    harness.main()
