"""From a run's JSONL to its other files."""

import os
import subprocess
import time

import lines
from context import Unmeasurable
from row import Row

NAME = "export"
DESCRIPTION = "speed of metricsctl export, against write() and fsync() of the same bytes"

FORMATS = {"csv": "operations.csv", "json": "operations.json"}
DISTINCT = 10_000
PIECE = 1 << 20


def run(context):
    operations = 10_000_000 if context.full else 500_000
    directory = make_run(context, operations)
    return [row(context, directory, name, file) for name, file in FORMATS.items()]


def make_run(context, operations):
    directory = context.directory / "run"
    directory.mkdir()
    blob = lines.usual_lines(DISTINCT)
    with open(directory / "operations.jsonl", "wb") as file:
        for _ in range(operations // DISTINCT):
            file.write(blob)
    (directory / "test_config.json").write_text('{"schema_version":1,"test_run_id":"bench","test_name":"bench"}')
    return directory


def row(context, directory, name, file):
    def measure():
        export_seconds = export(context, directory, name)
        size = (directory / file).stat().st_size
        plain_seconds = write_again(directory / file)
        megabytes = size / 1e6
        return megabytes / export_seconds, megabytes / plain_seconds

    rounds = context.rounds(measure, f"{NAME}, {name}")
    return Row.of_rounds(f"export to {name} and its statistics / write() and fsync()", rounds, None, "MB/s")


def export(context, directory, name):
    """Seconds of one export, statistics included."""
    command = [str(context.program("metricsctl")), "export", "--export", name, str(directory)]
    begin = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Unmeasurable(f"metricsctl export: {result.stderr.strip()}")
    return time.monotonic() - begin


def write_again(path):
    """Seconds of writing a file's bytes to another one."""
    data = memoryview(path.read_bytes())
    copy = path.with_name("copy")
    begin = time.monotonic()
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for at in range(0, len(data), PIECE):
            os.write(descriptor, data[at : at + PIECE])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    taken = time.monotonic() - begin
    copy.unlink()
    return taken
