"""Who reads what is sent to a Unix stream: the daemon, or a program that the daemon is compared with. Each is told all
of it, and its CPU time is that between the first byte and the last one folded."""

import contextlib
import socket
import subprocess

from context import harness


class Receiver:
    """A process that listens at a socket, reads a connection to its end and then closes it."""

    def __init__(self, context, command, path):
        self._context = context
        self._command = [str(word) for word in command]
        self.socket = path
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        harness.eventually(self._is_there, f"{self._command[0]} listens")
        return self

    def __exit__(self, *error):
        harness.end_process(self.process)

    def _is_there(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self._command[0]} ended with {self.process.returncode}")
        with contextlib.suppress(OSError):
            connect(self.socket).close()
            return True
        return False

    def take(self, chunks):
        """CPU nanoseconds it spends on reading and folding these."""
        before = self._context.cpu_ns(self.process.pid)
        with connect(self.socket) as connection:
            send(connection, chunks)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # it has read all when it closes
        return self._context.cpu_ns(self.process.pid) - before


def fresh_socket(context, name):
    """Where a receiver may listen; what an earlier one left there is gone."""
    path = context.directory / name
    path.unlink(missing_ok=True)
    return path


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(harness.PATIENCE_SECONDS)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def send(connection, chunks):
    for chunk in chunks:
        connection.sendall(chunk)


class Operations:
    """A daemon whose operations are counted at both ends."""

    def __init__(self, context, daemon):
        self._context = context
        self.daemon = daemon
        self.sent = 0

    def take(self, chunks, operations, greeting=b""):
        """CPU nanoseconds the daemon spends on `chunks`, which hold so many operations."""
        with self.daemon.connect() as connection:
            if greeting:
                connection.sendall(greeting)
                connection.recv(65536)
            return self.measure(lambda: send(connection, chunks), operations)

    def measure(self, tell, operations):
        """The same for tell(), which sends them by whatever connections."""
        before = self._context.cpu_ns(self.daemon.process.pid)
        tell()
        self.sent += operations
        self.daemon.wait_for_operations(self.sent)
        return self._context.cpu_ns(self.daemon.process.pid) - before
