"""Kills, stops and starves a daemon and its clients, and shows what became of every operation. See tools/torture."""

import argparse
import collections
import contextlib
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import ledger
import plan
from faults import Faults
from processes import Daemon, TortureError, Workload
from witness import Witness

_FINISHING_SECONDS = 120


def parse_arguments(words):
    # What they mean is told by tools/torture --help.
    parser = argparse.ArgumentParser(prog="tools/torture", add_help=False)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--faults", default=",".join(plan.FAULTS))
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--directory", type=pathlib.Path)
    parser.add_argument("--ledger", type=pathlib.Path)
    parser.add_argument("--data-dir")
    parser.add_argument("--patience", type=float, default=90)
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args(words)
    arguments.faults = [fault for fault in arguments.faults.split(",") if fault]
    unknown = set(arguments.faults) - set(plan.FAULTS)
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(plan.FAULTS)}")
    if arguments.cycles < 1 or arguments.clients < 1:
        parser.error("--cycles and --clients are at least 1")
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 32)
    return arguments


class Torture:
    def __init__(self, arguments, directory):
        self._arguments = arguments
        self._directory = directory
        self._begin = time.monotonic()
        (directory / "books").mkdir()
        self._faults = Faults(directory / "faults")
        self._clocks = Faults(directory / "clocks")  # of the workloads: nothing of theirs fails
        data = arguments.data_dir or directory / "data"
        self._daemon = Daemon(directory, self._faults, ["--data-dir", data])
        self._witness = None
        self._workloads = []
        self.done = collections.Counter()  # what was done, by name
        self.wrong = []

    def say(self, text):
        if not self._arguments.quiet:
            print(f"[{time.monotonic() - self._begin:6.1f} s] {text}", file=sys.stderr, flush=True)

    def run(self):
        """All cycles, and the end; the rows of the ledger."""
        try:
            self._daemon.start()
            self._witness = Witness(self._daemon, self._directory)
            for number in range(self._arguments.cycles):
                self._run_cycle(plan.cycle(self._arguments.seed, number, self._arguments.faults))
            return self._finish()
        finally:
            self._end_everything()

    # A cycle.

    def _run_cycle(self, cycle):
        self._replace_workloads()
        self._wait_for_load()
        time.sleep(cycle.load_seconds)
        self._expect_alive("while nobody did it any harm")
        self.say(f"cycle {cycle.number + 1}/{self._arguments.cycles}: {cycle}")
        if cycle.fault:
            self._disturb(cycle.fault, cycle.choice)
        if cycle.kill:
            self._kill(cycle.kill, cycle.choice)

    def _running(self):
        return [workload for workload in self._workloads if not workload.has_ended()]

    def _replace_workloads(self):
        for _ in range(self._arguments.clients - len(self._running())):
            number = len(self._workloads)
            wanted = plan.workload(self._arguments.seed, number)
            self._workloads.append(
                Workload(self._directory, number, self._daemon.socket, self._clocks, wanted)
            )

    def _client(self, choice):
        running = self._running()
        return running[int(choice * len(running))] if running else None

    def _wait_for_load(self):
        """Until operations come in: a daemon without any is no use to kill."""
        deadline = time.monotonic() + 5
        first = None
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError, LookupError):
                operations = self._daemon.status()["ingest"]["operations"]
                first = operations if first is None else first
                if operations > first:
                    return
            self._replace_workloads()
            time.sleep(0.02)
        self.done["cycles without load"] += 1

    def _kill(self, kill, choice):
        client = self._client(choice) if kill.client else None
        if client and kill.client != "after":
            self._kill_client(client)
            time.sleep(kill.gap)
        self._daemon.kill()
        self.done["kills of the daemon"] += 1
        if client and kill.client == "after":
            time.sleep(kill.gap)
            self._kill_client(client)
        time.sleep(kill.restart_after)
        self._daemon.start()

    def _kill_client(self, client):
        client.kill()
        self.done["kills of a client"] += client.killed

    # What disturbs.

    def _disturb(self, fault, choice):
        if fault.kind != "kill-client":  # is counted where it succeeds
            self.done[fault.kind] += 1
        harm = {
            "kill-client": self._kill_some_client,
            "stop": self._stop,
            "clock": self._move_clock,
            "oom": self._starve,
        }
        harm.get(fault.kind, self._fail_calls)(fault, choice)
        if fault.kind == "oom" and self._daemon.has_ended():
            self.done["ends for want of memory"] += 1
            self._daemon.start()
        self._expect_alive(f"under {fault}")

    def _expect_alive(self, when):
        if not self._daemon.has_ended():
            return
        self.wrong.append(f"the daemon ended with {self._daemon.process.returncode} {when}")
        self._daemon.start()

    def _kill_some_client(self, _, choice):
        client = self._client(choice)
        if client:
            self._kill_client(client)

    def _stop(self, fault, choice):
        stopped = [self._daemon] if "daemon" in fault.targets else []
        client = self._client(choice)
        if "client" in fault.targets and client:
            stopped.append(client)
        for process in stopped:
            process.signal(signal.SIGSTOP)
        time.sleep(fault.seconds)
        for process in stopped:
            process.signal(signal.SIGCONT)

    def _move_clock(self, fault, _):
        for clock in (self._faults, self._clocks):
            clock.set_clock(fault.clock_offset)
        time.sleep(fault.seconds)
        for clock in (self._faults, self._clocks):
            clock.set_clock(0)

    def _starve(self, fault, _):
        self._daemon.limit_memory(fault.memory_bytes)
        time.sleep(fault.seconds)
        self._daemon.limit_memory(None)

    def _fail_calls(self, fault, _):
        self._faults.arm(fault.call, fault.nth, fault.times, fault.error)
        time.sleep(fault.seconds)
        self.done["failed calls"] += self._faults.failed(fault.call)
        self._faults.disarm(fault.call)

    # The end.

    def _finish(self):
        self.say("the workloads are told to finish")
        for workload in self._running():
            workload.signal(signal.SIGCONT)
            workload.signal(signal.SIGTERM)
        deadline = time.monotonic() + _FINISHING_SECONDS
        while self._running() and time.monotonic() < deadline:
            time.sleep(0.05)
        for workload in self._running():
            self.wrong.append(f"{workload.name} did not finish within {_FINISHING_SECONDS} s")
            workload.kill()
        rows = self._settle()
        self._check_end(rows)
        return rows

    def _rows(self):
        """The ledger as it is now; None while there is no scrape."""
        scrape = self._witness.look()
        if scrape is None:
            return None
        counts = ledger.counts_of(scrape)
        rows = [
            ledger.row_of(workload, counts, self._witness.ledgers.get(workload.pid, {}))
            for workload in self._workloads
        ]
        operations = ledger.total(scrape, "metricsd_ingest_operations_total")
        if operations != sum(row.folded for row in rows):
            self.done["operations in no row"] = operations - sum(row.folded for row in rows)
        return rows

    def _settle(self):
        """The rows once all is well, or after a while; what is replayed and adopted takes its time."""
        self.say("waiting for what the dead have left")
        deadline = time.monotonic() + self._arguments.patience
        while True:
            rows = self._rows()
            settled = rows is not None and all(row.verdict == "ok" for row in rows)
            if settled or time.monotonic() > deadline:
                break
            time.sleep(0.25)
        time.sleep(2)  # nothing may come a second time
        return self._rows() or rows or []

    def _check_end(self, rows):
        if not rows:
            self.wrong.append("there was no scrape at the end")
        self.wrong += [f"{row.name}: {row.verdict}" for row in rows if row.verdict != "ok"]
        segments = self._daemon.socket.parent / "segments"
        left = sorted(path.name for path in segments.iterdir()) if segments.is_dir() else []
        if left:
            self.wrong.append(f"segments that nobody adopted: {', '.join(left)}")
        self._expect_alive("at the end")
        seconds = self._daemon.end()
        if self._daemon.process.returncode != 0 or seconds > 2:
            self.wrong.append(f"SIGTERM took {seconds:.1f} s, exit code {self._daemon.process.returncode}")
        if "Sanitizer" in self._daemon.log.read_text(errors="replace"):
            self.wrong.append("a sanitizer had something to say: see metricsd.log")

    def _end_everything(self):
        if self._witness:
            self._witness.end()
            self.wrong += self._witness.faults
            self.done["scrapes"] = self._witness.scrapes
            self.done["scrapes not answered"] = self._witness.missed
        for workload in self._running():
            workload.kill()
        if self._daemon.process and not self._daemon.has_ended():
            self._daemon.kill()


def main(words):
    arguments = parse_arguments(words)
    replay = f"--cycles {arguments.cycles} --seed {arguments.seed} --faults {','.join(arguments.faults)}"
    print(f"torture {replay} --clients {arguments.clients}", flush=True)
    if arguments.directory:
        arguments.directory.mkdir(parents=True)
        directory = arguments.directory
    else:
        # In memory where it can be: the daemon is to be killed, not the disk.
        in_memory = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
        directory = pathlib.Path(tempfile.mkdtemp(prefix="metricsd-torture-", dir=in_memory))
    torture = Torture(arguments, directory)
    rows = []
    try:
        rows = torture.run()
    except TortureError as error:
        torture.wrong.append(str(error))
    text = ledger.table(rows)
    if arguments.ledger:
        arguments.ledger.write_text(text + "\n")
    print(text)
    print(", ".join(f"{count:,} {name}" for name, count in torture.done.items()))
    for wrong in torture.wrong:
        print(f"WRONG: {wrong}")
    if torture.wrong:
        print(f"{len(torture.wrong)} promises broken; what there is to see lies in {directory}")
        return 1
    if not arguments.directory:
        shutil.rmtree(directory, ignore_errors=True)
    print("nothing lost, nothing twice, no counter fell")
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    sys.exit(130)
