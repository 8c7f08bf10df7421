#!/usr/bin/env python3
"""What a scrape takes alone, and beside slow HTTP clients and idle senders.

As a test: with few of them, and every scrape must come. With arguments it measures:

    slow_clients_test.py --idle 10000 --slow 1000 --scrapes 1000
"""

import argparse
import http.client
import json
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time

import harness

SERIES = 1000


class Crowd:
    """Idle senders, and HTTP clients that send a byte of their request a second and come again when they are let go.

    Lives in a process of its own, so that it takes no time from who measures.
    """

    def __init__(self, daemon, idle, slow):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--crowd", str(daemon.socket), daemon.web.rsplit(":", 1)[1], str(idle), str(slow)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError("the crowd did not come")
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=harness.PATIENCE_SECONDS)


class SlowClient:
    REQUEST = b"GET /metrics HTTP/1.1\r\nHost: slow\r\nX-Long: "

    def __init__(self, port):
        self.port = port
        self.connection = None
        self.sent = 0

    def send_a_byte(self):
        try:
            if self.connection is None:
                self.connection = socket.create_connection(("127.0.0.1", self.port))
                self.sent = 0
            self.connection.sendall(self.REQUEST[self.sent : self.sent + 1] or b"x")
            self.sent += 1
        except OSError:
            if self.connection is not None:
                self.connection.close()
            self.connection = None


def be_a_crowd(path, port, idle, slow):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    senders = []
    for _ in range(idle):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        senders.append(connection)
    clients = [SlowClient(port) for _ in range(slow)]
    for client in clients:
        client.send_a_byte()
    print("ready", flush=True)
    turn = 0
    while not select.select([sys.stdin], [], [], 1 / max(slow, 1))[0]:
        if clients:
            clients[turn % slow].send_a_byte()
        turn += 1


def fill(daemon):
    """Some thousand series, as a daemon in use has them."""
    lines = [
        json.dumps({"operation_type": "upload", "duration_ms": n % 997, "success": True, "driver": f"driver-{n}"})
        for n in range(SERIES)
    ]
    daemon.send(("\n".join(lines) + "\n").encode())
    daemon.wait_for_operations(SERIES)


def scrape_times(daemon, count):
    """How long each of so many scrapes took, in milliseconds."""
    host = daemon.web.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=harness.PATIENCE_SECONDS)
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        page = answer.read()
        times.append((time.perf_counter() - begin) * 1000)
        if answer.status != 200 or b"\nworkload_operations_total" not in page:
            raise AssertionError(f"no scrape: {answer.status} {page[:200]!r}")
        time.sleep(0.005)
    connection.close()
    return sorted(times)


def percentile(times, share):
    return times[min(int(len(times) * share), len(times) - 1)]


def measure(daemon, idle, slow, scrapes):
    """The difference that the crowd makes to the 99th percentile, in milliseconds; prints both."""
    fill(daemon)
    alone = scrape_times(daemon, scrapes)
    with Crowd(daemon, idle, slow):
        harness.eventually(lambda: daemon.status()["ingest"]["connections"] == idle + 1, "the idle senders are there")
        beside = scrape_times(daemon, scrapes)
    for name, times in (("alone", alone), (f"beside {slow} slow clients and {idle} idle senders", beside)):
        p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
        print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, most {times[-1]:.2f} ms of {len(times)} scrapes")
    difference = percentile(beside, 0.99) - percentile(alone, 0.99)
    print(f"p99 is {difference:.2f} ms more")
    return difference


class SlowClientsTest(harness.Test):
    def test_every_scrape_comes_beside_a_crowd(self):
        daemon = self.daemon()
        # A stall would be a matter of seconds: requests have ten.
        self.assertLess(measure(daemon, idle=1000, slow=200, scrapes=100), 5000)
        self.assertGreater(daemon.scrape().sum("metricsd_build_info"), 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle", type=int, default=10_000, help="connected senders that say nothing")
    parser.add_argument("--slow", type=int, default=1000, help="HTTP clients that send a byte a second")
    parser.add_argument("--scrapes", type=int, default=1000)
    parser.add_argument("--crowd", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.crowd:
        path, port, idle, slow = options.crowd
        be_a_crowd(path, int(port), int(idle), int(slow))
        return
    with tempfile.TemporaryDirectory(prefix="metricsd-e2e-") as directory, harness.Daemon(directory) as daemon:
        measure(daemon, options.idle, options.slow, options.scrapes)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main()
    else:
        harness.main()
