"""Who looks on all the while: scrapes, which are parsed strictly and must never fall, and the daemon's own ledger."""

import contextlib
import http.client
import subprocess
import threading
import time
import urllib.request

import processes

_FAULTS_KEPT = 50


class Witness:
    """A thread. What it found wrong is in `faults`, and the scrape it was found in lies in the directory."""

    def __init__(self, daemon, directory):
        self.faults = []
        self.scrapes = 0
        self.missed = 0  # that the daemon did not answer, or not to the end
        self.ledgers = {}  # pid -> what the status said last
        self.lock = threading.Lock()
        self._daemon = daemon
        self._directory = directory
        self._ended = threading.Event()
        self._checker = subprocess.Popen(
            # What describes the process begins anew with it.
            [processes.BUILD / "bin" / "metricsd_check_exposition", "--except", "process_", "--watch"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._ended.set()
        self._thread.join()
        self._checker.stdin.close()
        self._checker.wait()

    def look(self):
        """One scrape, checked, as text; None where there was none to be had. Any thread."""
        with self.lock:
            text = self._scrape()
            if text is not None:
                self._check(text)
            self._read_ledgers()
            return text

    def _run(self):
        while not self._ended.is_set():
            begin = time.monotonic()
            self.look()
            # At most a third of the time: the load is what counts.
            self._ended.wait(max(0.1, 2 * (time.monotonic() - begin)))

    def _scrape(self):
        web = self._daemon.web
        if web is None:
            return None
        try:
            with urllib.request.urlopen(web + "/metrics", timeout=20) as answer:
                return answer.read()
        except (OSError, http.client.HTTPException):
            self.missed += 1
            return None

    def _check(self, text):
        self._checker.stdin.write(b"%d\n" % len(text) + text)
        self._checker.stdin.flush()
        verdict = self._checker.stdout.readline().decode().rstrip("\n")
        self.scrapes += 1
        if verdict.startswith("ok "):
            (self._directory / "last-good-scrape").write_bytes(text)
        else:
            self._note(verdict, text)

    def _note(self, fault, text=None):
        if len(self.faults) >= _FAULTS_KEPT:
            return
        if text is not None:
            path = self._directory / f"bad-scrape-{len(self.faults)}"
            path.write_bytes(text)
            fault = f"{fault} ({path.name})"
        self.faults.append(fault)

    def _read_ledgers(self):
        with contextlib.suppress(OSError, ValueError, LookupError):
            for client in self._daemon.status()["clients"]:
                if client["emitted"] != client["folded"] + client["rejected"] + client["dropped"]:
                    self._note(f"the ledger of client {client['client_id']} does not add up: {client}")
                self.ledgers[client["pid"]] = client
