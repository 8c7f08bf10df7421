#!/usr/bin/env python3
"""objectbench against a real nginx, against its own store, and where things go wrong: one run, one truth."""

import json
import os
import pathlib
import re
import signal
import subprocess

import harness

harness.require("nginx")

NGINX_CONFIG = """
{user}
daemon off;
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      root {root}/objects;
      client_max_body_size 0;
      dav_methods PUT DELETE;
      create_full_put_path on;
    }}
  }}
}}
"""


def start_nginx(test):
    """An nginx with WebDAV, on a free port; returns its URL."""
    root = test.directory / "nginx"
    (root / "objects").mkdir(parents=True)
    for _ in range(5):
        port = harness.free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        (root / "nginx.conf").write_text(NGINX_CONFIG.format(root=root, port=port, user=user))
        # -e: the built-in error log is not ours to write.
        nginx = test.spawn(
            ["nginx", "-e", root / "error.log", "-p", root, "-c", root / "nginx.conf"], stderr=subprocess.DEVNULL
        )
        url = f"http://127.0.0.1:{port}"

        def answers():
            try:
                harness.get(url)
            except OSError as error:
                return hasattr(error, "code")
            return True

        harness.eventually(lambda: nginx.poll() is not None or answers(), "nginx answers")
        if nginx.poll() is None:
            return url
    raise AssertionError((root / "error.log").read_text())


class ObjectbenchTest(harness.Test):
    def bench(self, *flags, expect=0, **options):
        return harness.run(
            harness.BIN / "objectbench",
            *("--export-dir", self.directory / "metrics", "--test-name", "bench"),
            *flags,
            expect=expect,
            env={**os.environ, "TMPDIR": str(self.directory)},
            **options,
        )

    def check_run(self, daemon, processes, users):
        """The scrape, the JSONL, the other files and the independent script agree; returns the summary."""
        run = self.run_directory(self.directory / "metrics")
        operations = harness.read_jsonl(run / "operations.jsonl")
        summary = json.loads((run / "aggregated.json").read_text())
        daemon.wait_for_operations(len(operations))
        scrape = daemon.scrape()

        self.assertGreater(len(operations), 100)
        self.assertEqual(summary["operations"]["total"], len(operations))
        self.assertEqual(summary["dropped"], {})
        self.assertEqual(scrape.sum("workload_operations_total"), len(operations))
        self.assertEqual(scrape.sum("metricsd_rejected_total"), 0)
        for kind in ("upload", "download", "delete"):
            rows = [operation for operation in operations if operation["operation_type"] == kind]
            self.assertEqual(scrape.sum("workload_operations_total", operation=kind), len(rows))
            self.assertEqual(summary["by_operation"][kind]["operations"]["total"], len(rows))
            self.assertEqual(
                scrape.sum("workload_bytes_transferred_total", operation=kind),
                sum(row["object_size_bytes"] for row in rows if row["success"]),
            )
        self.assertEqual(len({operation["operation_id"] for operation in operations}), len(operations))
        self.assertEqual(len({operation["user_id"] for operation in operations}), processes * users)
        self.assertEqual(json.loads((run / "test_config.json").read_text())["num_users"], processes * users)
        rows = json.loads((run / "operations.json").read_text())["operations"]
        self.assertEqual(len(rows), len(operations))
        harness.recompute(run)
        return summary

    def test_against_nginx(self):
        daemon = self.daemon()
        url = start_nginx(self)
        result = self.bench(
            *("--url", url + "/store", "--processes", 4, "--users", 3, "--duration", 3, "--socket", daemon.socket)
        )
        summary = self.check_run(daemon, processes=4, users=3)
        self.assertEqual(summary["operations"]["failed"], 0, summary["errors"])
        for word in ("upload", "download", "delete", "p99.9", str(self.directory / "metrics")):
            self.assertIn(word, result.stdout)
        mib_per_second = re.search(r"(?m)^total +\S+ +\S+ +\S+ +(\S+)", result.stdout)[1]
        self.assertGreater(float(mib_per_second.replace(",", "")), 0)
        left = [path for path in (self.directory / "nginx" / "objects").rglob("*") if path.is_file()]
        self.assertEqual(left, [])

    def test_against_its_own_store(self):
        daemon = self.daemon()
        self.bench(*("--processes", 2, "--users", 4, "--duration", 2, "--socket", daemon.socket))
        summary = self.check_run(daemon, processes=2, users=4)
        self.assertEqual(summary["operations"]["failed"], 0, summary["errors"])
        self.assertEqual(list(self.directory.glob("objectbench-*")), [])

    def test_errors_of_the_server_are_failures_with_their_code(self):
        daemon = self.daemon()
        url = start_nginx(self)
        objects = self.directory / "nginx" / "objects"
        objects.rmdir()
        objects.write_text("not a directory: no upload can succeed\n")
        result = self.bench(*("--url", url, "--duration", 0.5, "--socket", daemon.socket), expect=1)
        self.assertIn("no operation succeeded", result.stderr)
        summary = json.loads((self.run_directory(self.directory / "metrics") / "aggregated.json").read_text())
        self.assertEqual(summary["operations"]["successful"], 0)
        self.assertTrue(all(code.isdigit() for code in summary["errors"]["by_code"]), summary["errors"])

    def test_nobody_at_the_url(self):
        result = self.bench(*("--url", "http://127.0.0.1:1", "--duration", 0.5), expect=1)
        self.assertIn("no operation succeeded", result.stderr)
        summary = json.loads((self.run_directory(self.directory / "metrics") / "aggregated.json").read_text())
        self.assertEqual(list(summary["errors"]["by_code"]), ["connection_failed"])

    def test_interrupt_ends_early_and_well(self):
        daemon = self.daemon()
        metrics = self.directory / "metrics"
        bench = self.spawn(
            [harness.BIN / "objectbench", "--duration", 600, "--processes", 2, "--quiet"]
            + ["--export-dir", metrics, "--socket", daemon.socket],
            env={**os.environ, "TMPDIR": str(self.directory)},
        )
        harness.eventually(lambda: daemon.status()["ingest"]["operations"] > 200, "the load runs")
        bench.send_signal(signal.SIGINT)
        self.assertEqual(bench.wait(timeout=harness.PATIENCE_SECONDS), 0)
        self.check_run(daemon, processes=2, users=4)

    def test_a_killed_process_is_reported_and_the_run_is_finished(self):
        daemon = self.daemon()
        bench = self.spawn(
            [harness.BIN / "objectbench", "--duration", 3, "--processes", 3, "--quiet", "--url", start_nginx(self)]
            + ["--export-dir", self.directory / "metrics", "--socket", daemon.socket],
            stderr=subprocess.PIPE,
            text=True,
        )
        harness.eventually(lambda: daemon.status()["ingest"]["operations"] > 200, "the load runs")
        children = pathlib.Path(f"/proc/{bench.pid}/task/{bench.pid}/children").read_text().split()
        self.assertEqual(len(children), 3)
        os.kill(int(children[1]), signal.SIGKILL)
        _, complaints = bench.communicate(timeout=harness.PATIENCE_SECONDS)
        self.assertEqual(bench.returncode, 1)
        self.assertIn("killed by signal 9", complaints)
        harness.recompute(self.run_directory(self.directory / "metrics"))


if __name__ == "__main__":
    harness.main()
