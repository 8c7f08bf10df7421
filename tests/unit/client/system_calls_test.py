#!/usr/bin/env python3
"""No record makes a system call: seen by strace, between two marks that the recording thread sets."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77  # SKIP_RETURN_CODE of the test
SHAPES = (
    "bound",
    "bound_without_start",
    "bound_with_texts",
    "bound_timer",
    "texts",
    "texts_without_start",
    "timer",
    "metrics",
)
MARK = "getppid("


def trace(program, shape, scratch):
    """The calls of each thread, as (thread, call) in their order."""
    log = scratch / f"{shape}.strace"
    command = ["strace", "-f", "-qq", "-o", log, program, shape, scratch / shape]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{shape}: {done.returncode}\n{done.stderr}")
    return [line.split(maxsplit=1) for line in log.read_text(errors="replace").splitlines()]


def calls_between_marks(calls):
    marks = [i for i, (_, call) in enumerate(calls) if call.startswith(MARK)]
    if len(marks) != 2:
        sys.exit(f"{len(marks)} marks in the trace")
    thread = calls[marks[0]][0]
    # strace writes a call in two pieces where another thread's comes between.
    rest_of_mark = "<... getppid resumed>"
    between = calls[marks[0] + 1 : marks[1]]
    return [call for who, call in between if who == thread and not call.startswith(rest_of_mark)]


def main():
    program = pathlib.Path(sys.argv[1])
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], check=False).returncode != 0:
        print("skipped: strace is not installed or may not trace (tools/test installs it)")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as scratch:
        for shape in SHAPES:
            calls = calls_between_marks(trace(program, shape, pathlib.Path(scratch)))
            if calls:
                sys.exit(f"{shape}: {len(calls)} system calls for 100,000 records, the first: {calls[:5]}")
            print(f"{shape}: none")


if __name__ == "__main__":
    main()
