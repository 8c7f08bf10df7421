#!/usr/bin/env python3
"""What metrics-run tells arrives: at a Pushgateway that a Prometheus scrapes, at an MQTT broker's subscriber, in the
daemon's scrape; and where one of them is missing or fails, the command never notices."""

import json
import os
import pathlib
import re
import signal
import sys
import time

import harness
import parts

harness.require("prometheus", "promtool", "prometheus-pushgateway")
harness.require("mosquitto", "mosquitto_sub", "mosquitto_passwd", "openssl")

BURN = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass\n"


def burn(seconds):
    """A command that uses so much CPU."""
    return [sys.executable, "-c", BURN.format(seconds=seconds)]


class DestinationsTest(harness.Test):
    def metrics_run(self, *flags, command=("true",), expect=0, env=None):
        return harness.run(
            harness.BIN / "metrics-run",
            *("--export-dir", self.directory / "metrics", "--socket", self.directory / "daemon" / "metricsd.sock"),
            *flags,
            "--",
            *command,
            expect=expect,
            env={**os.environ, **(env or {})},
        )

    def aggregate(self):
        return json.loads((self.run_directory(self.directory / "metrics") / "process_aggregated.json").read_text())

    def broker(self, *settings):
        return self.enter(parts.Broker(self, *settings))

    def test_the_daemon_has_every_figure_in_base_units(self):
        daemon = self.daemon()
        flags = ("--job", "burn", "--interval", "0.2", "--system", "--name", "python*=burner")
        self.metrics_run(*flags, command=burn(0.6))
        scrape = daemon.scrape()
        jobs = {labels["job_name"] for name, labels, _ in scrape.samples if name == "workload_processes"}
        self.assertEqual(len(jobs), 1)
        (job,) = jobs
        self.assertRegex(job, r"^burn_\d+$")
        cpu = scrape.sum("workload_process_cpu_seconds_total", job_name=job, role="burner")
        self.assertGreater(cpu, 0.5)
        self.assertLess(cpu, 30)
        self.assertGreater(scrape.sum("workload_process_collection_duration_seconds_count", job_name=job), 1)
        self.assertGreater(scrape.sum("workload_system_cpu_seconds_total", job_name=job), 1)
        self.assertEqual(scrape.sum("workload_processes"), 0)
        self.assertEqual(scrape.sum("metricsd_rejected_total"), 0)

    def test_the_daemon_keeps_the_samples_that_the_files_have(self):
        daemon = self.daemon()
        self.metrics_run("--job", "kept", "--interval", "0.1", "--name", "sleep=sleeper", command=["sleep", "1"])
        (known,) = {task["task_id"] for task in harness.get_json(daemon.web + "/api/v1/processes")["processes"]}
        self.assertRegex(known, r"^kept_\d+$")
        rows = harness.read_jsonl(self.run_directory(self.directory / "metrics") / "process_metrics.jsonl")
        for role in ("", "sleeper"):
            with self.subTest(role=role):
                answer = harness.get_json(f"{daemon.web}/api/v1/tasks/{known}/metrics?role={role}")
                times = [row["timestamp"] for row in rows if row.get("role", "") == role]
                self.assertEqual([sample["timestamp"] for sample in answer["metrics"]], times[::-1])
                self.assertEqual(answer["aggregated"]["sample_count"], len(times))

    def test_a_pushgateway_has_the_last_figures_and_prometheus_scrapes_them(self):
        gateway = parts.Pushgateway(self)
        flags = ("--push", gateway.url, "--job", "a/b c", "--interval", "0.2", "--name", "python*=burner")
        self.metrics_run(*flags, command=burn(0.5))
        page = gateway.page()
        labels = next(labels for name, labels, _ in page.samples if name == "workload_processes")
        job = labels["job_name"]
        self.assertRegex(job, r"^a/b c_\d+$")
        self.assertEqual(labels["job"], job)
        cpu = page.sum("workload_process_cpu_seconds_total", job=job, role="burner")
        self.assertGreater(cpu, 0.4)
        self.assertEqual(page.sum("push_failure_time_seconds", job=job), 0)

        prometheus = parts.Prometheus(
            self, gateway.url.removeprefix("http://"), job="pushgateway", settings="honor_labels: true, "
        )
        harness.eventually(
            lambda: prometheus.query('sum(workload_process_cpu_seconds_total{job="%s",role="burner"})' % job) == cpu,
            "Prometheus has the job's CPU time under the job's name",
            parts.FIRST_SCRAPE_SECONDS,
        )

    def test_a_pushgateway_has_figures_while_the_command_runs_and_none_after_a_deletion(self):
        gateway = parts.Pushgateway(self)
        run = self.spawn(
            [harness.BIN / "metrics-run", "--export-dir", self.directory / "metrics", "--quiet", "--job", "long"]
            + ["--interval", "0.1", "--push", gateway.url, "--push-delete", "--", "sleep", "600"]
        )
        harness.eventually(lambda: gateway.page().sum("workload_processes") == 1, "it knows of the process")
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(timeout=harness.PATIENCE_SECONDS), 128 + signal.SIGTERM)
        self.assertEqual(gateway.page().values("workload_processes"), [])

    def start_with_a_gateway_of_its_own(self):
        """A metrics-run that sleeps, and the URL it said."""
        said = self.directory / "said"
        with open(said, "wb") as stderr:
            run = self.spawn(
                [harness.BIN / "metrics-run", "--export-dir", self.directory / "metrics", "--interval", "0.1"]
                + ["--job", "mine", "--push", "spawn", "--", "sleep", "600"],
                stderr=stderr,
            )
        text = harness.eventually(lambda: "127.0.0.1" in said.read_text() and said.read_text(), "it says where it is")
        return run, re.search(r"http://127\.0\.0\.1:\d+", text)[0]

    def test_a_pushgateway_of_the_runs_own(self):
        run, url = self.start_with_a_gateway_of_its_own()
        page = harness.eventually(
            lambda: (scrape := parts.page_of(url)).sum("workload_processes") == 1 and scrape, "it knows of the process"
        )
        roles = {labels["role"] for name, labels, _ in page.samples if name == "workload_processes"}
        self.assertEqual(roles, {"sleep"})  # and nothing of the gateway itself
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(timeout=harness.PATIENCE_SECONDS), 128 + signal.SIGTERM)
        harness.eventually(lambda: not parts.listens(url), "it ends with the run")

    def test_a_pushgateway_of_the_runs_own_ends_when_the_run_is_killed(self):
        run, url = self.start_with_a_gateway_of_its_own()
        children = harness.eventually(lambda: self.children_of(run), "the command runs")
        run.kill()
        harness.eventually(lambda: not parts.listens(url), "it ends with the run")
        for child in children:
            os.kill(child, signal.SIGKILL)

    def children_of(self, process):
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def test_a_subscriber_receives_what_the_files_say(self):
        broker = self.broker()
        subscriber = parts.Subscriber(self, broker)
        flags = ("--mqtt", broker.url(), "--mqtt.domain", "plant", "--node", "node-7", "--interval", "0.2")
        self.metrics_run(*flags, command=burn(0.5))
        directory = self.run_directory(self.directory / "metrics")
        rows = [row for row in harness.read_jsonl(directory / "process_metrics.jsonl") if row.get("role", "") == ""]
        messages = subscriber.wait_for(len(rows))
        self.assertEqual(len(messages), len(rows))
        self.assertEqual({topic for topic, _ in messages}, {"m/plant/c/default/metrics/proplet"})
        for _, payload in messages:
            self.assertEqual(list(payload), ["task_id", "proplet_id", "metrics", "aggregated"])
            self.assertEqual(payload["proplet_id"], "node-7")
        times = [payload["metrics"]["timestamp"] for _, payload in messages]
        self.assertEqual(times, [row["timestamp"] for row in rows])
        self.assertIsNone(messages[0][1]["metrics"]["cpu_usage_percent"])
        last = messages[-1][1]
        self.assertEqual(last["metrics"]["cpu_user_seconds"], rows[-1]["cpu_user_seconds"])
        self.assertEqual(
            sorted(last["aggregated"]),
            sorted(
                ["avg_cpu_usage", "max_cpu_usage", "avg_memory_usage", "max_memory_usage", "total_disk_read"]
                + ["total_disk_write", "total_network_rx", "total_network_tx", "sample_count"]
            ),
        )
        self.assertEqual(last["aggregated"]["sample_count"], len(rows))

    def test_a_topic_of_ones_own(self):
        broker = self.broker()
        subscriber = parts.Subscriber(self, broker)
        flags = ("--mqtt", broker.url(), "--mqtt.topic", "nodes/{node}/{channel}", "--mqtt.channel", "x/y")
        self.metrics_run(*flags, "--node", "n")
        messages = subscriber.wait_for(2)
        self.assertEqual({topic for topic, _ in messages}, {"nodes/n/x_y"})

    def test_tls_with_a_user_and_a_password(self):
        parts.make_certificates(self.directory)
        harness.run("mosquitto_passwd", "-b", "-c", self.directory / "users", "reporter", "s3cret word")
        (self.directory / "users").chmod(0o644)
        self.directory.chmod(0o755)
        broker = self.broker(
            [
                *("certfile {directory}/server.pem", "keyfile {directory}/server.key"),
                *("allow_anonymous false", "password_file {directory}/users"),
            ]
        )
        login = ("-u", "reporter", "-P", "s3cret word", "--cafile", self.directory / "ca.pem")
        subscriber = parts.Subscriber(self, broker, flags=login)
        credentials = self.directory / "credentials"
        credentials.write_text("reporter\ns3cret word\n")
        credentials.chmod(0o600)
        flags = ("--mqtt", broker.url("mqtts"), "--mqtt.credentials", credentials, "--interval", "0.2")
        self.metrics_run(*flags, "--mqtt.ca", self.directory / "ca.pem", command=["sleep", "1"])
        count = len(subscriber.wait_for(3))

        with self.subTest("the system's authorities are those of SSL_CERT_FILE"):
            env = {"SSL_CERT_FILE": str(self.directory / "ca.pem")}
            result = self.metrics_run(*flags, command=["sleep", "1"], env=env)
            self.assertNotIn("MQTT", result.stderr)
            subscriber.wait_for(count + 3)
        with self.subTest("a certificate that nobody vouches for"):
            result = self.metrics_run(*flags, command=["sleep", "1"])
            self.assertRegex(result.stderr, r"(?m)^metrics-run: MQTT.*certificate")
        with self.subTest("a wrong password"):
            credentials.write_text("reporter\nwrong\n")
            result = self.metrics_run(*flags, "--mqtt.ca", self.directory / "ca.pem", command=["sleep", "1"])
            self.assertRegex(result.stderr, r"(?m)^metrics-run: MQTT.*not authorised")

    def test_a_broker_that_comes_late_gets_what_waited(self):
        broker = parts.Broker(self)
        run = self.spawn(
            [harness.BIN / "metrics-run", "--export-dir", self.directory / "metrics", "--quiet", "--interval", "0.2"]
            + ["--mqtt", broker.url(), "--", "sleep", "600"]
        )
        time.sleep(0.5)
        broker.start()
        self.addCleanup(broker.stop)
        subscriber = parts.Subscriber(self, broker)
        subscriber.wait_for(1)
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(timeout=harness.PATIENCE_SECONDS), 128 + signal.SIGTERM)

    def test_nobody_is_there(self):
        nobody = f"127.0.0.1:{harness.free_port()}"
        flags = ("--push", "http://" + nobody, "--mqtt", "mqtt://" + nobody, "--interval", "0.1")
        result = self.metrics_run(*flags, command=["sh", "-c", "sleep 0.5; echo said; exit 7"], expect=7)
        self.assertEqual(result.stdout, "said\n")
        for name in ("Pushgateway", "MQTT"):
            with self.subTest(name):
                self.assertEqual(len(re.findall(rf"(?m)^metrics-run: {name}.*tried again", result.stderr)), 1)
                self.assertRegex(result.stderr, rf"(?m)^metrics-run: {name}: \d+ of \d+ observations did not arrive")

    def test_those_that_do_not_answer_end_at_the_same_time(self):
        gateway = parts.MutePeer(self)  # is given up after another two seconds, for the deletion
        broker = parts.MutePeer(self, greeting=b"\x20\x02\0\0")
        result = self.metrics_run(
            *("--push", "http://" + gateway.address, "--push-delete", "--mqtt", "mqtt://" + broker.address),
            *("--interval", "0.1"),
            command=["sleep", "0.5"],
        )
        self.assertRegex(result.stderr, r"MQTT: \d+ of \d+ .*: the broker did not acknowledge it in time")
        self.assertRegex(result.stderr, r"Pushgateway at .*: the job could not be deleted: no whole answer")
        harness.eventually(lambda: gateway.last_left and broker.last_left, "both are left")
        self.assertLess(broker.last_left, gateway.last_left)

    def test_a_signal_ends_the_waiting_for_those_that_do_not_answer(self):
        gateway = parts.MutePeer(self)
        said = self.directory / "said"
        with open(said, "wb") as stderr:
            run = self.spawn(
                [harness.BIN / "metrics-run", "--export-dir", self.directory / "metrics", "--quiet"]
                + ["--push", "http://" + gateway.address, "--push-delete", "--", "sh", "-c", "exit 5"],
                stderr=stderr,
            )
        aggregates = (self.directory / "metrics").glob
        harness.eventually(lambda: list(aggregates("*/process_aggregated.json")), "the run's end has begun")
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(timeout=harness.PATIENCE_SECONDS), 5)
        self.assertIn("the job could not be deleted: the waiting was broken off", said.read_text())

    def test_a_url_that_is_none_is_said_once_and_the_command_runs(self):
        result = self.metrics_run("--push", "localhost:9091", "--mqtt", "http://broker", command=["echo", "ran"])
        self.assertEqual(result.stdout, "ran\n")
        for flag in ("--push", "--mqtt"):
            self.assertEqual(len([line for line in result.stderr.splitlines() if flag in line]), 1, result.stderr)

    def test_credentials_that_others_can_read_are_refused(self):
        credentials = self.directory / "credentials"
        credentials.write_text("user\npassword\n")
        credentials.chmod(0o644)
        result = self.metrics_run("--mqtt", "mqtt://127.0.0.1", "--mqtt.credentials", credentials)
        self.assertIn("can be read by others", result.stderr)

    def test_no_export_tells_nobody(self):
        gateway = parts.Pushgateway(self)
        daemon = self.daemon()
        self.metrics_run("--no-export", "--push", gateway.url)
        self.assertEqual(gateway.page().values("workload_processes"), [])
        self.assertEqual(daemon.scrape().values("workload_processes"), [])


if __name__ == "__main__":
    harness.main()
