#!/usr/bin/env python3
"""metrics-run and metrics-monitor around real commands: as if they were not there, and each figure as a witness has it."""

import csv
import json
import os
import pathlib
import pty
import resource
import select
import signal
import subprocess
import sys
import time

import harness
from monitored import Harness

harness.require("bash")

AGGREGATE = [
    "avg_cpu_usage",
    "max_cpu_usage",
    "avg_memory_usage",
    "max_memory_usage",
    "total_disk_read",
    "total_disk_write",
    "total_network_rx",
    "total_network_tx",
    "sample_count",
]
METRICS = {
    "timestamp",
    "cpu_usage_percent",
    "cpu_user_seconds",
    "cpu_system_seconds",
    "memory_usage_bytes",
    "virtual_memory_bytes",
    "memory_usage_percent",
    "disk_read_bytes",
    "disk_write_bytes",
    "network_rx_bytes",
    "network_tx_bytes",
    "thread_count",
    "file_descriptor_count",
    "uptime_seconds",
}

# Burns CPU seconds by its own account, keeps memory, writes and syncs; prints what the kernel says of it at its end.
BURN = """
import os, resource, sys, time
seconds, mebibytes = float(sys.argv[1]), int(sys.argv[2])
block = os.urandom(1 << 20)
kept = [bytearray(block) for _ in range(mebibytes)]
with open(sys.argv[3], "wb") as file:
    for _ in range(16):
        file.write(block)
    file.flush()
    os.fsync(file.fileno())
while sum(os.times()[:2]) < seconds:
    for _ in range(100000): pass
usage = resource.getrusage(resource.RUSAGE_SELF)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
"""


class ExitTest(Harness):
    """The exit code is what a shell says."""

    def test_of_the_command(self):
        for code in (0, 1, 7, 255):
            self.metrics_run("sh", "-c", f"exit {code}", expect=code)

    def test_of_a_signal(self):
        for name in ("TERM", "KILL", "USR1"):
            self.metrics_run("sh", "-c", f"kill -{name} $$", expect=128 + getattr(signal, "SIG" + name))

    def test_of_no_such_command(self):
        result = self.metrics_run("no-such-command-here", expect=127)
        self.assertEqual(result.stderr, "metrics-run: no-such-command-here: command not found\n")
        self.metrics_run("/no/such/command", expect=127)
        self.assertFalse(self.metrics.exists(), "no run was made for nothing")

    def test_of_what_can_not_run(self):
        plain = self.directory / "plain"
        plain.write_text("#!/bin/sh\n")
        result = self.metrics_run(plain, expect=126)
        self.assertIn("Permission denied", result.stderr)
        self.metrics_run(self.directory, expect=126)

    def test_of_wrong_usage(self):
        for flags, word in (
            ((), "command"),
            (("--profile", '{"interval":0}', "--", "true"), "interval"),
            (("--profile", '{"colour":1}', "--", "true"), "colour"),
            (("--profile", '{"collect_cpu":"yes"}', "--", "true"), "collect_cpu"),
            (("--name", "nothing", "--", "true"), "nothing"),
            (("--no-such-flag", "--", "true"), "no-such-flag"),
            (("true",), "behind --"),
            (("--monitoring", "--no-monitoring", "--", "true"), "--no-monitoring"),
            (("--push-delete", "--", "true"), "--push"),
            (("--metrics.namespace", "9 bad", "--", "true"), "--metrics.namespace"),
            (("--profile", "", "--", "true"), "--profile"),
            (("--task", "", "--", "true"), "--task"),
            (("--push", "", "--", "true"), "--push"),
            (("--mqtt", "", "--", "true"), "--mqtt"),
            (("--profile", '{"\\u001b[31mred\\n":1}', "--", "true"), "?[31mred?"),
        ):
            result = harness.run(harness.BIN / "metrics-run", *flags, expect=2, env=self.environment)
            self.assertIn(word, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_a_task_out_of_a_pipe(self):
        words = " ".join(f"'{word}'" for word in self.command("true", flags=("--quiet", "--task", "/dev/stdin")))
        for task, code in (('{"id":"piped"}', 0), ("", 2), ('{"daemon":0}', 2)):
            harness.run("bash", "-c", f"printf %s '{task}' | {words}", expect=code, env=self.environment)
        self.assertTrue(self.run_directory(self.metrics).name.startswith("piped_"))

    def test_help_and_version(self):
        for program in ("metrics-run", "metrics-monitor"):
            self.assertIn("--profile", harness.run(harness.BIN / program, "--help").stdout)
            self.assertRegex(harness.run(harness.BIN / program, "--version").stdout, rf"^{program} \d+\.\d+")
        usage = "Usage: metrics-run [OPTIONS] -- COMMAND [ARGUMENT...]\n"
        self.assertIn(usage, harness.run(harness.BIN / "metrics-run", "--help").stdout)


class TransparencyTest(Harness):
    """The command notices nothing."""

    def test_arguments_streams_and_environment(self):
        result = self.metrics_run("sh", "-c", 'printf "%s|" "$@"; cat; echo err >&2', "sh", "", "a b", "--", "-x", "[1,2]")
        self.assertEqual(result.stdout, "|a b|--|-x|[1,2]|")
        self.assertIn("err\n", result.stderr)
        script = "import os,sys; print(sys.stdin.read(), os.environ['KEPT'])"
        finished = subprocess.run(
            self.command(sys.executable, "-c", script),
            input="typed",
            env={**self.environment, "KEPT": "yes"},
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(finished.stdout, "typed yes\n")

    def test_descriptors_are_the_callers(self):
        read_end, write_end = os.pipe()
        self.addCleanup(os.close, read_end)
        listing = "import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd')))"
        alone = harness.run(sys.executable, "-c", listing, pass_fds=(write_end,)).stdout
        inside = self.metrics_run(sys.executable, "-c", listing, pass_fds=(write_end,)).stdout
        os.close(write_end)
        self.assertEqual(inside, alone)

    def test_signals_are_as_they_were(self):
        """Dispositions and mask of a command are those that metrics-run was started with."""
        show = ["grep", "-E", "Sig(Blk|Ign|Cgt)", "/proc/self/status"]

        def prepare():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR2])

        alone = harness.run(*show, preexec_fn=prepare).stdout
        inside = self.metrics_run(*show, preexec_fn=prepare).stdout
        self.assertEqual(inside, alone)

    def start_counting(self, flags=()):
        """A command that says each signal it gets; ends with the code 9 on SIGTERM."""
        script = (
            "import signal,sys,time\n"
            "def say(number, frame):\n"
            "    print(signal.Signals(number).name if number < 32 else number, flush=True)\n"
            "    if number == signal.SIGTERM: sys.exit(9)\n"
            "for number in (1, 2, 3, 10, 12, 15, 18, 28, 35): signal.signal(number, say)\n"
            "print('ready', flush=True)\n"
            "while True: time.sleep(60)\n"
        )
        process = self.spawn(
            self.command(sys.executable, "-c", script, flags=flags),
            stdout=subprocess.PIPE,
            env=self.environment,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def test_signals_are_passed_once(self):
        process = self.start_counting(("--quiet",))
        said = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "35"]
        for number, name in zip((1, 2, 3, 10, 12, 28, 35), said):
            process.send_signal(number)
            self.assertEqual(process.stdout.readline(), name + "\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.stdout.read(), "SIGTERM\n")
        self.assertEqual(process.wait(harness.PATIENCE_SECONDS), 9)

    def test_a_command_goes_on_with_a_signal(self):
        process = self.start_counting(("--quiet",))
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.stdout.readline(), "SIGCONT\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(harness.PATIENCE_SECONDS), 9)

    def test_an_alarm_that_was_set_before(self):
        self.metrics_run("sleep", "600", expect=128 + signal.SIGALRM, preexec_fn=lambda: signal.alarm(1))

    def test_ends_by_an_interrupt_as_the_command_did(self):
        """Or a shell would go on with its loop."""
        self.metrics_run("sh", "-c", "kill -INT $$", expect=-signal.SIGINT)
        self.metrics_run("sh", "-c", "exit 130", expect=130)

    def test_what_a_command_sends_its_group_stays_there(self):
        script = "trap 'echo got' USR1; kill -USR1 0; sleep 0.2; kill -TERM $$"
        result = self.metrics_run("sh", "-c", script, expect=143, start_new_session=True)
        self.assertEqual(result.stdout, "got\n")

    def test_switched_off_it_is_the_command(self):
        for flags, environment in (
            (("--no-monitoring",), {}),
            ((), {"METRICSD_ENABLE_MONITORING": "false"}),
            (("--profile", '{"enabled": false}'), {}),
        ):
            result = self.metrics_run("sh", "-c", "echo $PPID; exit 4", flags=flags, environment=environment, expect=4)
            self.assertEqual(int(result.stdout), os.getpid())
            self.assertEqual(result.stderr, "")
        self.assertFalse(self.metrics.exists())

    def test_runs_unmeasured_where_there_is_no_descriptor(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
            signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR2])

        show = "grep SigBlk /proc/self/status; exit 3"
        alone = harness.run("sh", "-c", show, preexec_fn=few, expect=3).stdout
        result = self.metrics_run("sh", "-c", show, preexec_fn=few, expect=3)
        self.assertEqual(result.stdout, alone)
        self.assertIn("metrics-run: not measured: pipe: Too many open files\n", result.stderr)

    def test_processes_of_another_namespace_are_not_measured(self):
        unshare = ["unshare", "--pid", "--fork"]
        if os.geteuid() != 0 or subprocess.run([*unshare, "true"], check=False).returncode != 0:
            self.skipTest("needs root, and to be allowed namespaces")
        run = harness.run(*unshare, *self.command("sh", "-c", "echo ran; exit 3"), expect=3, env=self.environment)
        self.assertEqual(run.stdout, "ran\n")
        self.assertEqual(run.stderr, "metrics-run: not measured: /proc is of another PID namespace\n")
        monitor = self.command(flags=("--pid", 1), program="metrics-monitor")
        result = harness.run(*unshare, *monitor, expect=1, env=self.environment)
        self.assertEqual(result.stderr, "metrics-monitor: /proc is of another PID namespace\n")
        self.assertFalse(self.metrics.exists())

    def test_runs_on_where_nothing_can_be_written(self):
        self.metrics.write_text("a file")
        result = self.metrics_run("sh", "-c", "echo ran; exit 3", expect=3)
        self.assertEqual(result.stdout, "ran\n")
        self.assertIn("no files can be written", result.stderr)


class TerminalTest(Harness):
    """At a prompt: Ctrl-C, Ctrl-Z, fg and bg do to a job of metrics-run what they do to any other."""

    def setUp(self):
        super().setUp()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.directory)
            os.environ.update({"PS1": "READY> ", "TERM": "dumb", "METRICSD_ENABLE_MONITORING": "true"})
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        self.addCleanup(self.hang_up)
        self.wait_for("READY> ")

    def hang_up(self):
        os.close(self.terminal)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def wait_for(self, text):
        seen = ""
        deadline = time.monotonic() + harness.PATIENCE_SECONDS
        while text not in seen:
            if time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} in {seen!r}")
            if select.select([self.terminal], [], [], 0.1)[0]:
                seen += os.read(self.terminal, 65536).decode(errors="replace")
        return seen

    def type(self, text, wait_for="READY> "):
        os.write(self.terminal, text.encode())
        return self.wait_for(wait_for)

    def job(self, *command, behind=""):
        return " ".join(f"'{word}'" for word in self.command(*command, flags=("--quiet",))) + behind + "\n"

    def test_interrupt(self):
        self.type(self.job("sh", "-c", "echo be'gun'; exec sleep 100"), "begun")
        self.type("\x03")
        self.assertIn("code 130", self.type("echo co''de $?\n", "code 130"))

    def test_stop_and_go_on(self):
        self.type(self.job("sh", "-c", "echo be'gun'; exec cat"), "begun")
        self.type("one\n", "one\r\none\r\n")
        self.assertIn("Stopped", self.type("\x1a"))
        self.type("fg\n", "cat")
        self.type("two\n", "two\r\ntwo\r\n")
        self.assertIn("Stopped", self.type("\x1a"))
        self.type("bg\n")
        harness.eventually(lambda: "Stopped" in self.type("jobs\n"), "cat reads in the background and is stopped")
        self.type("fg\n", "cat")
        self.type("three\n", "three\r\nthree\r\n")
        self.type("\x04")
        self.type("echo co''de $?\n", "code 0")

    def test_from_the_background(self):
        self.type(self.job("cat", behind=" &"))
        harness.eventually(lambda: "Stopped" in self.type("jobs\n"), "cat reads and is stopped")
        self.type("fg\n", "cat")
        self.type("one\n", "one\r\none\r\n")
        self.type("\x03")
        self.type("echo co''de $?\n", "code 130")

    def test_a_shell_within(self):
        self.type(self.job("bash", "--norc", "--noprofile", "--noediting", "-i"), "READY> ")
        self.type("sleep 100\n", "sleep 100")
        time.sleep(0.3)
        self.assertIn("Stopped", self.type("\x1a"))
        self.type("kill -9 %1; wait -f %1\n")  # plain wait takes a stopped job for one that has ended
        self.type("exit 9\n", "READY> ")
        self.type("echo co''de $?\n", "code 9")

    def test_a_pager_behind_it_has_the_terminal(self):
        """What reads the command's output is in metrics-run's process group, and sets and reads the terminal."""
        pager = self.directory / "pager.py"
        pager.write_text(
            "import sys, tty\n"
            "line = sys.stdin.readline().strip()\n"
            "with open('/dev/tty', 'rb', buffering=0) as terminal:\n"
            "    tty.setcbreak(terminal.fileno())\n"
            "    print('begins with', line, flush=True)\n"
            "    print('key', terminal.read(1).decode(), flush=True)\n"
        )
        self.type(self.job("yes", behind=f" | '{sys.executable}' '{pager}'"), "begins with y")
        self.type("q", "key q")
        self.type(self.job("sh", "-c", "echo be'gun' >&2; exec sleep 100", behind=" | cat"), "begun")
        self.type("\x03")
        self.assertIn("code 130", self.type("echo co''de ${PIPESTATUS[0]}\n", "code 130"))

    def test_a_loop_is_left(self):
        job = self.job("sh", "-c", "echo be'gun'; exec sleep 100", behind="; [ $? -gt 0 ]; do :; done")
        self.type("while " + job, "begun")
        time.sleep(0.3)
        self.type("\x03", "READY> ")
        self.type("echo co''de $?\n", "code 130")

    def test_a_script_is_interrupted_as_a_whole(self):
        script = self.directory / "script"
        script.write_text("echo begun\n" + self.job("sleep", "100") + "echo and on\n")
        self.type(f"sh {script}\n", "begun")
        time.sleep(0.5)
        self.assertNotIn("and on", self.type("\x03"))
        self.type("echo co''de $?\n", "code 130")

    def test_summary_has_colours_on_a_terminal_only(self):
        words = [word for word in self.command("true") if word != "--quiet"]
        self.assertNotIn("\x1b[1mtrue", self.type(" ".join(words) + "\n", "files: "))
        self.assertIn("\x1b[1mtrue", self.type("TERM=xterm " + " ".join(words) + "\n", "files: "))


class FiguresTest(Harness):
    def test_agree_with_the_kernel(self):
        written = self.directory / "written"
        result = self.metrics_run(sys.executable, "-c", BURN, 2, 64, written, flags=("--interval", 0.25))
        cpu, peak = (float(figure) for figure in result.stdout.split())
        outcome = self.outcome()
        aggregated = outcome["aggregated"]
        measured = outcome["cpu_user_seconds"] + outcome["cpu_system_seconds"]
        self.assert_near(measured, cpu, "CPU seconds", slack=0.02)
        self.assert_near(aggregated["max_memory_usage"], peak, "peak memory")
        self.assert_near(aggregated["total_disk_write"], 16 << 20, "bytes written")
        duration = self.rows()[-1]["uptime_seconds"]
        self.assertGreater(aggregated["sample_count"], 4)
        self.assertLess(abs(aggregated["avg_cpu_usage"] - 100 * measured / duration), 15)

    def test_waits_for_what_was_left_behind(self):
        """A double fork in a session of its own: its CPU is the run's, the exit code the command's."""
        burn = "while sum(__import__('os').times()[:2]) < 0.5: pass"
        script = f"(setsid '{sys.executable}' -c \"{burn}\" &) ; exit 3"
        self.metrics_run("sh", "-c", script, flags=("--wait", "--interval", 0.1, "--job", "waited"), expect=3)
        outcome = self.outcome()
        self.assertGreater(outcome["cpu_user_seconds"] + outcome["cpu_system_seconds"], 0.45)

    def test_says_what_was_left_behind(self):
        pid_file = self.directory / "pid"
        script = f"(setsid sh -c 'echo $$ > {pid_file}; exec sleep 100' > /dev/null 2>&1 &); until test -s {pid_file}; do sleep 0.01; done"
        result = self.metrics_run("sh", "-c", script)
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        self.assertIn("1 of its processes still run", result.stderr)

    def test_roles(self):
        script = "sleep 0.6 & exec -a worker-7 sleep 0.6"
        self.metrics_run(
            "bash", "-c", script, flags=("--name", "worker-*=worker", "--name", "sleep=idle", "--interval", 0.1)
        )
        roles = self.outcome()["roles"]
        self.assertIn("worker", roles)
        self.assertIn("idle", roles)


class FilesTest(Harness):
    def test_have_the_documented_names(self):
        self.metrics_run("sleep", 0.5, flags=("--interval", 0.1, "--job", "nap", "--node", "here"))
        directory = self.run_directory(self.metrics)
        self.assertTrue(directory.name.startswith("nap_"))
        rows = self.rows()
        self.assertGreaterEqual(len(rows), 3)
        for row in rows:
            self.assertEqual(set(row), METRICS | {"job_name", "role", "processes"})
            self.assertRegex(row["job_name"], r"^nap_\d{10}$")
        self.assertIsNone(rows[0]["cpu_usage_percent"])
        outcome = self.outcome()
        self.assertEqual(list(outcome["aggregated"]), AGGREGATE)
        self.assertEqual(outcome["aggregated"]["sample_count"], len(rows))
        self.assertEqual((outcome["node"], outcome["exit_code"], outcome["command"]), ("here", 0, ["sleep", "0.5"]))
        with open(directory / "process_metrics.csv", newline="", encoding="utf-8") as text:
            table = list(csv.DictReader(text))
        every = harness.read_jsonl(directory / "process_metrics.jsonl")
        self.assertEqual(len(table), len(every))
        for cells, row in zip(table, every):
            self.assertEqual(set(cells), set(row))
            for name, value in row.items():
                text = "" if value is None else str(value)
                self.assertTrue(cells[name] == text or float(cells[name]) == float(value), (name, cells[name], value))
        self.assertTrue((directory / "aggregated.json").exists())

    def test_have_what_the_profile_collects(self):
        self.metrics_run("true", flags=("--profile", "minimal"))
        self.assertEqual(
            set(self.rows()[0]),
            {"timestamp", "cpu_usage_percent", "cpu_user_seconds", "cpu_system_seconds", "memory_usage_bytes"}
            | {"virtual_memory_bytes", "memory_usage_percent", "uptime_seconds", "job_name", "role", "processes"},
        )

    def test_a_task_file(self):
        task = self.directory / "task.json"
        task.write_text('{"id": "t-1", "name": "x", "daemon": true, "monitoringProfile": {"interval": 0.2}}')
        self.metrics_run("sleep", 0.5, flags=("--task", task), environment={"METRICSD_MONITORING_INTERVAL": "50"})
        outcome = self.outcome()
        self.assertEqual(outcome["task_id"], "t-1")
        self.assertRegex(outcome["job_name"], r"^t-1_\d{10}$")
        self.assertEqual((outcome["profile"]["interval"], outcome["profile"]["history_size"]), (0.2, 500))

    def test_names_are_unique(self):
        for _ in range(3):
            self.metrics_run("true", flags=("--job", "same"))
        outcomes = [json.loads(path.read_text()) for path in self.metrics.glob("*/process_aggregated.json")]
        self.assertEqual(len({outcome["job_name"] for outcome in outcomes}), 3)

    def test_a_workload_is_in_the_same_run(self):
        bench = [harness.BIN / "objectbench", "--duration", 0.5, "--quiet"]
        result = self.metrics_run(*bench, flags=("--interval", 0.1))
        directory = self.run_directory(self.metrics)
        self.assertGreater(len(harness.read_jsonl(directory / "operations.jsonl")), 0)
        self.assertGreater(len(harness.read_jsonl(directory / "process_metrics.jsonl")), 3)
        self.assertIn("upload", result.stderr)
        harness.recompute(directory)

    def test_one_within_another_has_its_own_files(self):
        self.metrics_run(*self.command("true", flags=("--job", "inner")), flags=("--job", "outer"))
        names = {path.name for path in self.run_directory(self.metrics).iterdir()}
        self.assertIn("process_metrics.jsonl", names)
        self.assertEqual(len([name for name in names if name.startswith("inner_")]), 3, names)

    def test_a_full_disk_is_said(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))

        command = [*self.command("sh", "-c", "sleep 0.5; exit 5", flags=("--interval", "0.05"))]
        finished = subprocess.run(
            command, preexec_fn=limit, env=self.environment, capture_output=True, text=True, check=False
        )
        self.assertEqual(finished.returncode, 5)
        self.assertIn("lines could not be written", finished.stderr)


class MonitorTest(Harness):
    def monitor(self, *flags, expect=0):
        return harness.run(*self.command(flags=flags, program="metrics-monitor"), expect=expect, env=self.environment)

    def test_by_pid_until_it_ends(self):
        process = self.spawn(["sleep", 1])
        self.monitor("--pid", process.pid, "--interval", 0.2)
        outcome = self.outcome()
        self.assertRegex(outcome["job_name"], r"^sleep_\d{10}$")
        self.assertGreater(outcome["aggregated"]["sample_count"], 2)
        self.assertIsNone(outcome["exit_code"])

    def test_by_name_with_its_children(self):
        name = f"watched-{os.getpid()}"
        script = f"exec -a {name} sh -c 'sleep 1.5; true'"
        process = self.spawn(["bash", "-c", script])
        harness.eventually(
            lambda: name in pathlib.Path(f"/proc/{process.pid}/cmdline").read_text(), "the process has its name"
        )
        self.monitor("--name", f"{name}*", "--interval", 0.1)
        outcome = self.outcome()
        self.assertIn("sleep", outcome["roles"])

    def test_counts_from_where_it_came(self):
        burn = "import time\nwhile sum(__import__('os').times()[:2]) < 1: pass\nprint('burnt', flush=True)\ntime.sleep(60)"
        process = self.spawn([sys.executable, "-c", burn], stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        process.stdout.readline()
        self.monitor("--pid", process.pid, "--interval", 0.1, "--duration", 0.5)
        outcome = self.outcome()
        self.assertLess(outcome["aggregated"]["avg_cpu_usage"], 50)
        self.assertLess(outcome["cpu_user_seconds"] + outcome["cpu_system_seconds"], 0.5)

    def test_the_machine(self):
        self.monitor("--system", "--interval", 0.1, "--duration", 0.5)
        rows = harness.read_jsonl(self.run_directory(self.metrics) / "system_metrics.jsonl")
        self.assertGreaterEqual(len(rows), 3)
        self.assertIn("cpu", rows[-1])

    def test_an_interrupt_ends_it_in_order(self):
        process = self.spawn(
            self.command(flags=("--pid", os.getpid(), "--quiet"), program="metrics-monitor"), env=self.environment
        )
        harness.eventually(lambda: list(self.metrics.glob("*/process_metrics.jsonl")), "it has begun")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(harness.PATIENCE_SECONDS), 0)
        self.assertEqual(self.outcome()["aggregated"]["sample_count"], 2)

    def test_nothing_to_watch(self):
        process = subprocess.Popen(["true"])
        process.wait()
        self.assertIn("No such process", self.monitor("--pid", process.pid, expect=1).stderr)
        self.assertIn("no process fits", self.monitor("--name", f"no-such-{os.getpid()}", expect=1).stderr)
        self.assertIn("--pid", self.monitor(expect=2).stderr)
        self.assertFalse(self.metrics.exists())


if __name__ == "__main__":
    harness.main()
