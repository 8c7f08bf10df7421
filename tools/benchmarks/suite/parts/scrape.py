"""A scrape over HTTP: by series, while operations come in, and after many."""

import socket
import threading
import time
import urllib.parse

import lines
from plot import Plot
from receivers import Operations
from row import Row

NAME = "scrape"
DESCRIPTION = "scrape time from 1,000 to 100,000 series, during ingest, and after 10^7 operations"

LABEL_SETS = (200, 2000, 20_000)  # five series each
SCRAPES = 3  # a figure; the median counts
DISTINCT = 2000


def run(context):
    results = context.rounds(lambda: [measure(context, count) for count in LABEL_SETS], NAME)
    by_size = [[found[place] for found in results] for place in range(len(LABEL_SETS))]
    add_plot(context, by_size)
    return [row for rounds in by_size for row in rows(rounds)] + [after_many(context)]


def add_plot(context, by_size):
    def line(key):
        return [(rounds[0]["series"], middle([found[key] for found in rounds])) for rounds in by_size]

    kinds = {"idle": "idle_ms", "during ingest": "busy_ms", "prometheus-cpp, no HTTP": "prometheus_ms"}
    curves = {name: line(key) for name, key in kinds.items()}
    context.add_plot(Plot("scrape", "Scrape time, by series", "series", "ms", curves))


def rows(rounds):
    series = f"{rounds[0]['series']:,} series"
    against = [(found["busy_ms"], found["prometheus_ms"]) for found in rounds]
    pauses = [(found["pause_ms"], found["busy_ms"]) for found in rounds]
    return [
        Row.of_rounds(f"scrape during ingest, {series} / prometheus-cpp, no HTTP", against, None, "ms"),
        Row.of_rounds(f"ingest's longest pause in a scrape, {series} / that scrape", pauses, None, "ms"),
    ]


def measure(context, label_sets):
    blob = lines.usual_lines(label_sets, lambda number: f"operation-{number}")
    with context.daemon("--metrics.max-series", str(label_sets + 1)) as daemon:
        Operations(context, daemon).take([blob] * 10, label_sets * 10)
        idle = scrapes(daemon)
        sender = SteadySender(daemon, lines.usual_lines(16, lambda number: f"operation-{number}"))
        with sender:
            time.sleep(0.2)
            busy = []
            pauses = [sender.longest_wait(lambda: busy.append(scrape(daemon))) for _ in range(SCRAPES)]
        series = daemon.status()["series"]["total"]
    theirs = context.measure("metricsd_bench_scrape", label_sets)
    return {
        "series": series,
        "idle_ms": middle(idle) * 1e3,
        "busy_ms": middle(busy) * 1e3,
        "pause_ms": middle(pauses) * 1e3,
        "prometheus_ms": theirs["prometheus_ns"] / 1e6,
    }


def after_many(context):
    """Two daemons with the same series, scraped in turns."""
    power = 8 if context.full else 7
    context.say(f"{NAME}: 10^{power} operations")
    few, many = lines.usual_lines(1000), lines.usual_lines(DISTINCT)
    with context.daemon() as young, context.daemon() as old:
        Operations(context, young).take([few], 1000)
        Operations(context, old).take((many for _ in range(10**power // DISTINCT)), 10**power)

        def measure_both():
            pairs = [(scrape(old) * 1e6, scrape(young) * 1e6) for _ in range(50)]
            return middle([pair[0] for pair in pairs]), middle([pair[1] for pair in pairs])

        rounds = context.rounds(measure_both, f"{NAME}, after many")
    return Row.of_rounds(f"scrape after 10^{power} operations / after 10^3", rounds, "<= 1.05", "us")


def scrapes(daemon):
    return [scrape(daemon) for _ in range(SCRAPES)]


def scrape(daemon):
    """Seconds until the last byte has come."""
    place = urllib.parse.urlsplit(daemon.web)
    buffer = bytearray(1 << 20)
    begin = time.monotonic()
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while connection.recv_into(buffer):
            pass
    return time.monotonic() - begin


def middle(values):
    return sorted(values)[len(values) // 2]


class SteadySender:
    """Writes some lines every now and then through a buffer that holds only a few writes: a daemon that pauses makes
    it wait. A context manager."""

    PAUSE_SECONDS = 0.0002
    BUFFER_BYTES = 16 * 1024

    def __init__(self, daemon, chunk):
        self._daemon = daemon
        self._chunk = chunk
        self._waits = []  # (end, seconds) of each write
        self._thread = threading.Thread(target=self._run)
        self._end = False

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._end = True
        self._thread.join()

    def _run(self):
        with self._daemon.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.BUFFER_BYTES)
            while not self._end:
                begin = time.monotonic()
                connection.sendall(self._chunk)
                end = time.monotonic()
                self._waits.append((end, end - begin))
                time.sleep(self.PAUSE_SECONDS)

    def longest_wait(self, act):
        """Of the writes that ended while act() ran or at once after it."""
        begin = time.monotonic()
        act()
        count = len(self._waits)
        while len(self._waits) == count:
            time.sleep(self.PAUSE_SECONDS)
        return max(seconds for end, seconds in self._waits if end >= begin)
