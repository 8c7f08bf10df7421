#!/usr/bin/env python3
"""What metrics-run and metrics-monitor say of processes, beside what others say of the very same ones: /usr/bin/time,
what was sent and written, the process exporter; and a real Prometheus and the daemon's history, beside the files.

Where a witness leaves no slack for clock ticks, the amounts are such that 5 % is more than those.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import harness
import parts
from monitored import Harness

harness.require("bash", "time", "unshare", "setpriv", "prometheus", "prometheus-process-exporter")

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
MIB = 1 << 20

# Costs what it is told to, says that it has, and idles until somebody opens the gate.
PROGRAM = """
import fcntl, os, socket, struct, sys
directory, seconds, allocated, written, sent = sys.argv[1], float(sys.argv[2]), *map(int, sys.argv[3:])

def exchange(count):  # with itself, over the loopback of a namespace that is new
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as both_ends:
        fcntl.ioctl(both_ends, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS: IFF_UP
        both_ends.bind(("127.0.0.1", 0))
        both_ends.settimeout(30)
        datagram = bytes(60_000)
        for _ in range(0, count, len(datagram)):
            both_ends.sendto(datagram, both_ends.getsockname())
            both_ends.recv(1 << 16)

kept = b"x" * allocated
if written:
    with open(directory + "/written", "wb", buffering=0) as file:
        for begin in range(0, written, 1 << 20):
            file.write(kept[begin : begin + (1 << 20)])
        os.fsync(file.fileno())
if sent:
    exchange(sent)
while sum(os.times()[:2]) < seconds:
    for _ in range(10_000): pass
open(directory + "/done", "wb").close()
open(directory + "/gate", "rb").read()
"""

# 500 children in a row that burn a little each, then generations that fork and die, all at once.
FAMILY = """
import os, time

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass

def child(act):
    pid = os.fork()
    if pid: return pid
    act()
    os._exit(0)

def generations(depth):
    children = [child(lambda: generations(depth - 1)) for _ in range(3)] if depth else []
    burn(0.02)
    for pid in children: os.waitpid(pid, 0)

for _ in range(500): os.waitpid(child(lambda: burn(0.002)), 0)
generations(3)
"""


class Witness(Harness):
    def setUp(self):
        super().setUp()
        self.directory.chmod(0o755)
        self.place = self.directory / "place"  # of a program, whoever's it is
        self.place.mkdir()
        self.place.chmod(0o777)
        os.mkfifo(self.place / "gate")
        (self.place / "gate").chmod(0o666)

    def start(self, *command, **options):
        """A process that ends with the test, and all that it has started with it."""
        process = self.spawn(command, env=self.environment, start_new_session=True, **options)
        self.addCleanup(self.kill_group, process.pid)
        return process

    def kill_group(self, group):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)

    def unshare(self, *flags):
        """The beginning of a command that has namespaces of its own, as root or as the root of a namespace of users."""
        for ways in ((), ("--map-root-user",)):
            command = ["unshare", *ways, *flags, "--"]
            if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
                return command
        return self.skipTest(f"the kernel forbids unshare {' '.join(flags)}")

    def require_root(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")

    def program(self, seconds, allocated, written=0, sent=0, python=sys.executable):
        return [python, "-c", PROGRAM, self.place, seconds, allocated, written, sent]

    def witnessed(self, *command):
        """The command with /usr/bin/time before it."""
        return ["/usr/bin/time", "-v", "-o", self.place / "time", *command]

    def time_says(self):
        lines = [line.strip().rpartition(": ") for line in (self.place / "time").read_text().splitlines()]
        said = {name: value for name, _, value in lines}
        return {
            "cpu": float(said["User time (seconds)"]) + float(said["System time (seconds)"]),
            "memory": int(said["Maximum resident set size (kbytes)"]) * 1024,
            "written": int(said["File system outputs"]) * 512,
        }

    def hold(self):
        """The beginning of a command that begins with begin()."""
        os.mkfifo(self.place / "begin")
        return ["bash", "-c", 'read -r < "$0"/begin; exec "$@"', self.place]

    def begin(self):
        (self.place / "begin").write_text("now\n")

    def wait_for_rows(self, role=""):
        harness.eventually(
            lambda: list(self.metrics.glob("*/process_metrics.jsonl")) and self.rows(role), "it samples"
        )

    def wait_until_done(self, process):
        harness.eventually(
            lambda: (self.place / "done").exists() or process.poll() is not None, "the program has done its work"
        )
        self.assertTrue((self.place / "done").exists(), "it ended too early")

    def open_gate(self):
        os.close(os.open(self.place / "gate", os.O_WRONLY | os.O_NONBLOCK))

    def next_row(self):
        """Waits for a sample that was wholly taken after now."""
        known = len(self.rows())
        harness.eventually(lambda: len(self.rows()) >= known + 2, "it samples on")

    def assert_as_time_says(self, outcome):
        said = self.time_says()
        self.assert_near(cpu_of(outcome), said["cpu"], "CPU seconds")
        self.assert_near(outcome["aggregated"]["max_memory_usage"], said["memory"], "peak memory")
        return said


def cpu_of(row):
    return row["cpu_user_seconds"] + row["cpu_system_seconds"]


class KnownAmountsTest(Witness):
    def test_of_everything_in_the_files_and_in_prometheus(self):
        """The namespace around it all is silent; the program is in one of its own, within."""
        unshare = self.unshare("--net")
        written, sent = 32 * MIB, 60_000_000
        daemon = self.daemon()
        prometheus = parts.Prometheus(self, daemon.web.removeprefix("http://"))
        flags = ("--socket", daemon.socket, "--interval", 0.2, "--job", "known", "--quiet")
        program = self.program(2, 192 * MIB, written, sent)
        run = self.start(*unshare, *self.command(*self.witnessed(*unshare, *program), flags=flags))
        self.wait_until_done(run)
        self.next_row()
        job = self.rows()[-1]["job_name"]

        def seen(metric, **labels):
            selector = ",".join(f'{name}="{value}"' for name, value in {"job_name": job, **labels}.items())
            return prometheus.query(f"sum(workload_process_{metric}{{{selector}}})") or 0

        resident = harness.eventually(
            lambda: (value := seen("resident_memory_bytes")) > 192 * MIB and value,
            "Prometheus has seen the program",
            parts.FIRST_SCRAPE_SECONDS,
        )
        self.open_gate()
        self.assertEqual(run.wait(harness.PATIENCE_SECONDS), 0)

        said = self.assert_as_time_says(outcome := self.outcome())
        total = outcome["aggregated"]
        self.assert_near(resident, said["memory"], "resident memory in Prometheus")
        scrape = daemon.scrape()
        figures = [
            ("cpu_seconds_total", {}, cpu_of(outcome), said["cpu"]),
            ("network_bytes_total", {"direction": "transmit"}, total["total_network_tx"], sent),
            ("network_bytes_total", {"direction": "receive"}, total["total_network_rx"], sent),
        ]
        if said["written"]:  # by a file system that says so
            self.assert_near(said["written"], written, "what time(1) says was written")
            figures.append(("disk_bytes_total", {"direction": "write"}, total["total_disk_write"], written))
        for metric, labels, in_files, truth in figures:
            with self.subTest(metric, **labels):
                self.assert_near(in_files, truth, "in the files")
                self.assertAlmostEqual(
                    scrape.sum("workload_process_" + metric, job_name=job, **labels), in_files, places=5
                )
                harness.eventually(
                    lambda: abs(seen(metric, **labels) - in_files) < 1e-5, "the files' last word in Prometheus"
                )
        self.assertEqual(set(outcome["faults"].values()), {0}, outcome["faults"])

    def test_of_many_that_live_briefly(self):
        self.metrics_run(*self.witnessed(sys.executable, "-c", FAMILY), flags=("--interval", 0.1))
        outcome = self.outcome()
        self.assertGreater(self.time_says()["cpu"], 1.5)
        self.assert_near(cpu_of(outcome), self.time_says()["cpu"], "CPU seconds")


    def test_of_a_steady_process_as_the_process_exporter_has_them(self):
        """Both look from outside. The exporter counts from when it found the process: compared is what came since."""
        program = self.start(*self.hold(), *self.program(2, 128 * MIB))
        config = self.directory / "exporter.yml"
        config.write_text(f"process_names: [{{name: program, cmdline: ['{self.place}']}}]\n")
        command = ["prometheus-process-exporter", "-config.path", config, "-children=false", "-threads=false"]
        exporter = parts.start(
            self,
            self.directory / "exporter.log",
            lambda port: [*command, "-web.listen-address", f"127.0.0.1:{port}"],
        )

        def exported(metric, **labels):
            return harness.Scrape(harness.get(exporter + "/metrics").decode()).sum(
                "namedprocess_namegroup_" + metric, groupname="program", **labels
            )

        flags = ("--pid", program.pid, "--interval", 0.2, "--quiet")
        monitor = self.start(*self.command(flags=flags, program="metrics-monitor"))
        self.wait_for_rows()
        harness.eventually(lambda: exported("num_procs") == 1, "the exporter has found the process")
        before = exported("cpu_seconds_total")
        self.begin()
        self.wait_until_done(program)
        self.next_row()
        first, last = self.rows()[0], self.rows()[-1]
        self.assert_near(cpu_of(last) - cpu_of(first), exported("cpu_seconds_total") - before, "CPU seconds")
        self.assert_near(last["memory_usage_bytes"], exported("memory_bytes", memtype="resident"), "resident memory")
        self.assertEqual(last["thread_count"], exported("num_threads"))
        self.assertEqual(harness.end_process(monitor, signal.SIGINT), 0)
        self.open_gate()
        self.assertEqual(program.wait(harness.PATIENCE_SECONDS), 0)


class OtherUsersTest(Witness):
    def test_a_command_that_becomes_another_user(self):
        self.require_root()
        python = shutil.which("python3", path="/usr/bin:/bin")  # ours may lie where nobody comes
        if python is None:
            self.skipTest("there is no python3 for everybody")
        program = self.program(1.5, 128 * MIB, 16 * MIB, python=python)
        command = self.command(*self.witnessed(*NOBODY, *program), flags=("--interval", 0.2))
        run = self.start(*command, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.stderr.close)
        self.wait_until_done(run)
        self.assertEqual((self.place / "written").stat().st_uid, 65534)
        self.open_gate()
        self.assertNotIn("of other users", run.stderr.read())
        self.assertEqual(run.wait(harness.PATIENCE_SECONDS), 0)
        outcome = self.outcome()
        said = self.assert_as_time_says(outcome)
        self.assert_near(outcome["aggregated"]["total_disk_write"], said["written"], "bytes written", slack=MIB / 4)
        self.assertEqual(outcome["faults"]["denied"], 0)

    def test_a_process_that_is_closed_to_who_watches(self):
        self.require_root()
        self.metrics.mkdir()
        self.metrics.chmod(0o777)
        process = self.start(*self.witnessed(*self.hold(), *self.program(2, 128 * MIB)))
        # The build need not be open to everybody.
        monitor = shutil.copy(harness.BIN / "metrics-monitor", self.directory)
        flags = ("--export-dir", self.metrics, "--no-export", "--pid", process.pid, "--interval", 0.1)
        watching = self.start(*NOBODY, monitor, *flags, stderr=subprocess.PIPE, text=True)
        self.addCleanup(watching.stderr.close)
        self.wait_for_rows()
        self.begin()
        self.wait_until_done(process)
        self.next_row()
        watching.send_signal(signal.SIGINT)
        self.assertRegex(watching.stderr.read(), r"unread +2 of other users")  # time and the program
        self.assertEqual(watching.wait(harness.PATIENCE_SECONDS), 0)
        self.open_gate()
        self.assertEqual(process.wait(harness.PATIENCE_SECONDS), 0)

        outcome = self.outcome()
        self.assert_as_time_says(outcome)
        self.assertEqual(outcome["faults"]["denied"], 2)
        for name in ("total_disk_read", "total_disk_write", "total_network_rx", "total_network_tx"):
            self.assertIsNone(outcome["aggregated"][name], name)
        last = self.rows()[-1]
        self.assertEqual((last["processes"], last["thread_count"]), (2, 2))


# Run as the first process of a namespace of pids, with /proc of its own. While the one that watches stands still, who
# is watched ends, is waited for, and another gets its pid.
REUSED = r"""
place=$1
shift

burn='
import os, sys
kept = b"x" * (int(sys.argv[1]) << 20)
while sum(os.times()[:2]) < 1: pass
open(sys.argv[2], "wb").close()
open(sys.argv[3], "rb").read()
'
# burner NAME MEBIBYTES: idles behind NAME.gate once it has burnt a second. In the background: $! is its pid.
burner() { exec "$PYTHON" -c "$burn" "$2" "$place/$1.burnt" "$place/$1.gate"; }
wait_for() { until [[ -e $1 ]]; do sleep 0.02; done; }
rows() { cat "$place"/metrics/*/process_metrics.jsonl 2>/dev/null | wc -l; }
wait_for_rows() {
  local -i wanted=$(($(rows) + $1))
  until (($(rows) >= wanted)); do sleep 0.02; done
}
stand_still() {
  kill -STOP "$1"
  until grep -q '^State:.*T' "/proc/$1/status"; do sleep 0.01; done
}
# again PID NAME MEBIBYTES: a burner as PID.
again() {
  while true; do
    echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
    burner "$2" "$3" &
    if (($! == $1)); then break; fi
    kill -KILL $! # somebody else was faster
    wait $!
  done
  wait_for "$place/$2.burnt"
}
for name in victim outsider insider; do mkfifo "$place/$name.gate"; done
"""

REUSED_BY_A_STRANGER = """
sleep 1000 &
victim=$!
"$@" --pid $victim --interval 0.1 &
watching=$!
wait_for_rows 2
stand_still $watching
kill -KILL $victim
wait $victim
again $victim outsider 256
kill -CONT $watching
wait $watching || exit
kill -0 $victim  # the other one
"""

REUSED_WITHIN = """
export -f burner wait_for again
export burn place PYTHON
command='
burner victim 32 &
echo $! >"$place/pid"
wait $!
: >"$place/reaped"
wait_for "$place/go"
again $(<"$place/pid") insider 96
: >"$place/gone-on"
wait
'
"$@" --interval 0.1 -- /usr/bin/time -v -o "$place/time" bash -c "$command" &
watching=$!
wait_for "$place/victim.burnt"
victim=$(<"$place/pid")
wait_for_rows 4
stand_still $watching
: >"$place/victim.gate" # it ends
wait_for "$place/reaped"
again $victim outsider 256
kill -CONT $watching
wait_for_rows 4
stand_still $watching
kill -KILL $victim
wait $victim
: >"$place/go"
wait_for "$place/insider.burnt"
kill -CONT $watching
wait_for_rows 4
: >"$place/insider.gate"
wait $watching
"""


class ReusedPidTest(Witness):
    def in_pid_namespace(self, scenario, program):
        unshare = self.unshare("--pid", "--fork", "--kill-child", "--mount-proc")
        writes = 'cat /proc/sys/kernel/ns_last_pid > /proc/sys/kernel/ns_last_pid'
        if subprocess.run([*unshare, "sh", "-c", writes], capture_output=True, check=False).returncode != 0:
            self.skipTest("the kernel lets nobody choose a pid")
        watch = [harness.BIN / program, "--export-dir", self.place / "metrics", "--no-export", "--quiet"]
        self.metrics = self.place / "metrics"
        result = subprocess.run(
            [str(word) for word in (*unshare, "bash", "-c", REUSED + scenario, "bash", self.place, *watch)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**self.environment, "PYTHON": sys.executable},
            timeout=2 * harness.PATIENCE_SECONDS,
            check=False,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.outcome()

    def test_a_monitor_does_not_go_on_with_another(self):
        outcome = self.in_pid_namespace(REUSED_BY_A_STRANGER, "metrics-monitor")
        self.assertLess(cpu_of(outcome), 0.5)
        self.assertLess(outcome["aggregated"]["max_memory_usage"], 32 * MIB)
        self.assertEqual(set(outcome["roles"]), {"sleep"})
        self.assertEqual(outcome["faults"]["reused"], 1)
        self.assertEqual(self.rows()[-1]["processes"], 0)

    def test_a_run_counts_its_own_alone(self):
        """Twice: first a stranger gets the pid, which does not count, then one of the command's, which does."""
        outcome = self.in_pid_namespace(REUSED_WITHIN, "metrics-run")
        self.assertGreater(self.time_says()["cpu"], 2)
        self.assert_near(cpu_of(outcome), self.time_says()["cpu"], "CPU seconds")
        self.assertLess(outcome["aggregated"]["max_memory_usage"], 200 * MIB)


# Of a program and all together.
ROLES = ("", "program")


class KilledDaemonTest(Witness):
    def history(self, daemon, role):
        job = self.rows()[0]["job_name"]
        answer = harness.get_json(f"{daemon.web}/api/v1/tasks/{job}/metrics?limit=1000&role={role}")
        self.assertEqual(answer["total"], len(answer["metrics"]))
        return answer["metrics"][::-1], answer["aggregated"]

    def in_files(self, role):
        beside = ("job_name", "role", "processes")
        return [{name: value for name, value in row.items() if name not in beside} for row in self.rows(role)]

    def all_is_shown(self, daemon):
        return all(len(self.history(daemon, role)[0]) == len(self.rows(role)) for role in ROLES)

    def stop_with_all_shown(self, run, daemon):
        """Stops metrics-run where it has nothing on its way."""
        run.send_signal(signal.SIGSTOP)
        status = pathlib.Path(f"/proc/{run.pid}/status")
        harness.eventually(lambda: "(stopped)" in status.read_text(), "it stands still")
        if self.all_is_shown(daemon):
            return True
        run.send_signal(signal.SIGCONT)
        return False

    def test_history_and_counters_are_those_of_the_files(self):
        """What was shown is durable, what comes while there is no daemon waits for one, and counters are told once."""
        daemon = self.daemon("--data-dir", self.directory / "state", "--data.checkpoint-interval", "200ms")
        profile = '{"interval": 0.2, "history_size": 1000}'
        flags = ("--socket", daemon.socket, "--profile", profile, "--name", "*=program", "--quiet")
        run = self.start(*self.command(*self.program(3, 16 * MIB, 16 * MIB), flags=flags))
        self.wait_for_rows(ROLES[1])
        for _ in range(3):
            self.next_row()
            harness.eventually(lambda: self.stop_with_all_shown(run, daemon), "the daemon shows what it was told")
            daemon.stop(signal.SIGKILL)
            run.send_signal(signal.SIGCONT)
            self.next_row()
            daemon.start()
        self.wait_until_done(run)
        self.open_gate()
        self.assertEqual(run.wait(harness.PATIENCE_SECONDS), 0)
        self.assert_shown_is_in_files(daemon)
        daemon.stop(signal.SIGKILL)
        daemon.start()
        self.assert_shown_is_in_files(daemon)

    def assert_shown_is_in_files(self, daemon):
        last = self.rows()[-1]
        job = last["job_name"]
        for role in ROLES:
            kept, aggregated = self.history(daemon, role)
            self.assertEqual(kept, self.in_files(role))
            self.assertEqual(aggregated["sample_count"], len(kept))
        scrape = daemon.scrape()
        for metric, labels, name in (
            ("cpu_seconds_total", {"mode": "user"}, "cpu_user_seconds"),
            ("cpu_seconds_total", {"mode": "system"}, "cpu_system_seconds"),
            ("disk_bytes_total", {"direction": "write"}, "disk_write_bytes"),
            ("disk_bytes_total", {"direction": "read"}, "disk_read_bytes"),
            ("network_bytes_total", {"direction": "receive"}, "network_rx_bytes"),
            ("collection_duration_seconds_count", {}, None),
        ):
            told = scrape.sum("workload_process_" + metric, job_name=job, **labels)
            self.assertAlmostEqual(told, last[name] if name else len(self.rows()), places=5, msg=(metric, labels))


if __name__ == "__main__":
    harness.main()
