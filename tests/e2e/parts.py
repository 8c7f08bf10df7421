"""Real parts that others have made and tests run: Prometheus, a Pushgateway, an MQTT broker and its subscriber."""

import contextlib
import json
import socket
import subprocess
import threading
import time
import urllib.parse

import harness


# A first scrape was seen to take 9 s.
FIRST_SCRAPE_SECONDS = 90


class Prometheus:
    """A Prometheus with one target. Its port is chosen anew where somebody else was faster.

    `settings` are more of its job's, each with a comma behind it.
    """

    def __init__(self, test, target, job="metricsd", settings=""):
        config = test.directory / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: {job}, {settings}static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        for _ in range(5):
            port = harness.free_port()
            log = open(test.directory / "prometheus.log", "ab")
            with log:
                process = test.spawn(
                    [
                        "prometheus",
                        f"--config.file={config}",
                        f"--storage.tsdb.path={test.directory / 'tsdb'}",
                        f"--web.listen-address=127.0.0.1:{port}",
                    ],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            self.url = f"http://127.0.0.1:{port}"
            if harness.eventually(lambda: process.poll() is not None or self.is_ready(), "Prometheus is ready") and (
                process.poll() is None
            ):
                return
        raise AssertionError((test.directory / "prometheus.log").read_text())

    def is_ready(self):
        try:
            return harness.get(self.url + "/-/ready")
        except OSError:
            return False

    def query(self, expression):
        """The value of an expression that is one number; nothing where it has no value yet."""
        answer = harness.get_json(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else None


class Pushgateway:
    """A Pushgateway on a free port; it ends with the test."""

    def __init__(self, test):
        self.log = test.directory / "pushgateway.log"
        self.url = start(
            test,
            self.log,
            lambda port: ["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}", "--persistence.file="],
        )

    def page(self):
        return page_of(self.url)


class Broker:
    """A mosquitto on a free port. `settings` are lines of its configuration; {directory} in them is the test's."""

    def __init__(self, test, settings=("allow_anonymous true",)):
        self.test = test
        self.log = test.directory / "mosquitto.log"
        self.config = test.directory / "mosquitto.conf"
        self.settings = [line.format(directory=test.directory) for line in settings]
        self.process = None
        self.port = harness.free_port()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def start(self):
        self.config.write_text("\n".join(["log_type all", f"listener {self.port} 127.0.0.1", *self.settings]) + "\n")
        with open(self.log, "ab") as log:
            self.process = self.test.spawn(["mosquitto", "-c", self.config], stdout=log, stderr=log)
        harness.eventually(lambda: listens(self.url()) or self.process.poll() is not None, "mosquitto listens")
        if self.process.poll() is not None:
            raise AssertionError(self.log.read_text())

    def url(self, scheme="mqtt"):
        return f"{scheme}://127.0.0.1:{self.port}"

    def subscriptions(self):
        """How many it has taken."""
        return self.log.read_text().count("Sending SUBACK")

    def stop(self):
        if self.process is not None:
            harness.end_process(self.process)
        self.process = None


class Subscriber:
    """mosquitto_sub: every message of a topic, as it comes."""

    def __init__(self, test, broker, topic="#", flags=()):
        self.path = test.directory / "received.jsonl"
        subscriptions = broker.subscriptions()
        with open(self.path, "wb") as received:
            self.process = test.spawn(
                ["mosquitto_sub", "-h", "127.0.0.1", "-p", broker.port, "-t", topic]
                + ["-F", "%t %p", "-q", 1, *flags],
                stdout=received,
            )
        harness.eventually(lambda: broker.subscriptions() > subscriptions, "mosquitto_sub has subscribed")

    def messages(self):
        """Topics and payloads so far."""
        lines = [line.split(" ", 1) for line in self.path.read_text().rpartition("\n")[0].splitlines()]
        return [(topic, json.loads(payload)) for topic, payload in lines]

    def wait_for(self, count):
        """All messages, once there are so many."""
        return harness.eventually(
            lambda: len(received := self.messages()) >= count and received, f"{count} messages were received"
        )


class MutePeer:
    """Takes connections, greets each with `greeting` once it has said something, and never says anything again."""

    def __init__(self, test, greeting=b""):
        self.greeting = greeting
        self.last_left = None  # when a connection was closed by the other side, of time.monotonic()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        test.addCleanup(self.listener.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.listen, args=[connection], daemon=True).start()

    def listen(self, connection):
        with connection, contextlib.suppress(OSError):
            if connection.recv(1 << 16):
                connection.sendall(self.greeting)
            while connection.recv(1 << 16):
                pass
        self.last_left = time.monotonic()


def page_of(url):
    """What a Prometheus would scrape there."""
    text = harness.get(url + "/metrics")
    harness.check_with_promtool(text, lint=False)
    return harness.Scrape(text.decode())


def listens(url):
    """Whether somebody does, on a port of the loopback interface."""
    try:
        with socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(url).port), timeout=5):
            return True
    except OSError:
        return False


def start(test, log_path, command_for):
    """Starts a server that listens on the port its command says; returns its URL. Another port where it was taken."""
    for _ in range(5):
        port = harness.free_port()
        url = f"http://127.0.0.1:{port}"
        with open(log_path, "ab") as log:
            process = test.spawn(command_for(port), stdout=log, stderr=log)
        harness.eventually(lambda: process.poll() is not None or listens(url), f"{log_path.stem} listens")
        if process.poll() is None:
            return url
    raise AssertionError(log_path.read_text())


def make_certificates(directory):
    """An authority (ca.pem) and a certificate of localhost and 127.0.0.1 (server.pem, server.key)."""

    def openssl(*words):
        harness.run("openssl", *words, cwd=directory)

    new_key = ("req", "-newkey", "rsa:2048", "-nodes")
    openssl(*new_key, *"-x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.pem".split())
    openssl(*new_key, *"-subj /CN=localhost -keyout server.key -out server.csr".split())
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl(*"x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial".split(), "-days", "2",
            "-extfile", "names", "-out", "server.pem")
    (directory / "server.key").chmod(0o644)  # the broker may have another user
