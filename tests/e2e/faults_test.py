#!/usr/bin/env python3
"""Every system call of the daemon fails once, at its Nth call: it lives on, counts on, and a start that fails says why.

--calls N sweeps over the first N calls of each (default 3; the long form is 30).
"""

import argparse
import contextlib
import errno
import os
import signal
import sys

import harness

sys.path.append(str(harness.HERE.parents[1] / "tools" / "torturing"))
import faults  # noqa: E402  # pylint: disable=wrong-import-position

CALLS = 3
LIBRARY = harness.BIN.parent / "lib" / "metricsd_torture_faults.so"

# What the system may answer, beside EIO, which it may always.
ERRORS = {
    "open": (errno.EMFILE, errno.ENOSPC),
    "write": (errno.ENOSPC,),
    "pwrite": (errno.ENOSPC,),
    "ftruncate": (errno.ENOSPC,),
    "fallocate": (errno.ENOSPC,),
    "rename": (errno.ENOSPC,),
    "mkdir": (errno.ENOSPC, errno.EROFS),
    "accept": (
        errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EINTR, errno.EPROTO,
        errno.EPERM, errno.EAGAIN,
    ),
    "socket": (errno.EMFILE,),
    "recv": (errno.ECONNRESET, errno.EINTR, errno.EAGAIN, errno.ENOMEM),
    "recvmsg": (errno.ECONNRESET, errno.EINTR, errno.EAGAIN, errno.ENOMEM),
    "send": (errno.EPIPE, errno.ECONNRESET, errno.EINTR, errno.EAGAIN, errno.ENOBUFS),
    "sendmsg": (errno.EPIPE, errno.ECONNRESET, errno.EINTR, errno.EAGAIN, errno.ENOBUFS),
    "epoll_ctl": (errno.ENOMEM, errno.ENOSPC),
    "eventfd": (errno.EMFILE,),
    "mmap": (errno.ENOMEM,),
}  # fmt: skip


def faults_of_each_call():
    """(call, errno), all there are."""
    return [(call, error) for call in faults.CALLS for error in (errno.EIO, *ERRORS.get(call, ()))]


class FaultsTest(harness.Test):
    def setUp(self):
        super().setUp()
        self.faults = faults.Faults(self.directory / "faults")
        environment = {"LD_PRELOAD": str(LIBRARY), "METRICSD_TORTURE_FAULTS": str(self.faults.path)}
        self.environment = {**os.environ, **environment}

    def harmed_daemon(self):
        """A daemon with the library preloaded."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            return self.daemon("--data-dir", str(self.directory / "data"))
        finally:
            os.environ.clear()
            os.environ.update(before)

    @contextlib.contextmanager
    def failing(self, call, nth, error):
        self.faults.arm(call, nth, 1, error)
        try:
            yield
        finally:
            self.faults.disarm(call)

    def exercise(self, daemon):
        """A sender that asks for the status, and one who scrapes; each of them may fare badly, and get no answer."""
        with contextlib.suppress(OSError), daemon.connect() as connection:
            connection.settimeout(0.5)
            connection.sendall(b'{"operation_type":"harmed","duration_ms":1,"success":true}\n{"type":"status"}\n')
            connection.recv(65536)
        with contextlib.suppress(OSError):
            harness.get(daemon.web + "/metrics", timeout=0.5)

    def be_served(self, daemon):
        """A sender that is answered, before anything fails again."""
        with daemon.connect() as connection:
            connection.sendall(b'{"operation_type":"healthy","duration_ms":1,"success":true}\n{"type":"status"}\n')
            self.assertIn('"ready":true', connection.makefile().readline())

    def test_a_daemon_at_work(self):
        daemon = self.harmed_daemon()
        sent = 0
        for call, error in faults_of_each_call():
            for nth in range(1, CALLS + 1):
                with self.subTest(call=call, error=errno.errorcode[error], nth=nth):
                    with self.failing(call, nth, error):
                        self.exercise(daemon)
                    # Who comes afterwards is served as if nothing had been.
                    self.assertIsNone(daemon.process.poll(), daemon.log.read_text()[-2000:])
                    self.be_served(daemon)
                    sent += 1
        # With a data directory the page shows what is durable, a checkpoint later.
        harness.eventually(
            lambda: daemon.scrape().sum("workload_operations_total", operation="healthy") >= sent, f"{sent} are shown"
        )
        self.assertEqual(daemon.scrape().sum("workload_operations_total", operation="healthy"), sent)
        self.assertEqual(daemon.stop(), 0)

    def test_a_daemon_that_starts(self):
        """It becomes ready all the same, or ends at once with a word and exit code 1; never by a signal."""
        for call, error in faults_of_each_call():
            if call == "epoll_ctl":
                continue  # Asio passes over it where it listens to signals
            for nth in range(1, CALLS + 1):
                with self.subTest(call=call, error=errno.errorcode[error], nth=nth), self.failing(call, nth, error):
                    self.start_and_end(f"{call}-{errno.errorcode[error]}-{nth}")

    def start_and_end(self, name):
        socket = self.directory / "run" / "metricsd.sock"
        log = self.directory / f"{name}.log"
        command = [harness.BIN / "metricsd", "--socket", socket, "--web.listen-address", "127.0.0.1:0"]
        with open(log, "wb") as output:
            daemon = self.spawn(
                command + ["--data-dir", self.directory / "data"], stdout=output, stderr=output, env=self.environment
            )
        harness.eventually(
            lambda: daemon.poll() is not None or b"ready" in log.read_bytes(), f"{name}: ready or ended", interval=0.01
        )
        if daemon.poll() is None:
            code = harness.end_process(daemon, signal.SIGTERM)
            self.assertEqual(code, 0, log.read_text())
        else:
            self.assertEqual(daemon.returncode, 1, log.read_text())
            self.assertNotEqual(log.read_text(), "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=CALLS)
    arguments, rest = parser.parse_known_args()
    CALLS = arguments.calls
    sys.argv[1:] = rest
    harness.main()
