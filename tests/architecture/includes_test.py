#!/usr/bin/env python3
"""Shows that the picture of docs/architecture.md is kept by the compiler.

For each room it takes the command that compiles one of the room's sources, and compiles other sources with it: one
that includes every header the room may see (it must compile), and one for each header it may not see (it must fail
because there is no such file).
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

# Room -> layers whose public headers it may include.
PICTURE = {
    "models": {"models"},
    "ipc": {"ipc", "models"},
    "exporters": {"exporters", "models"},
    "server": {"server", "ipc", "exporters", "models"},
    "client": {"client", "ipc", "exporters", "models"},
    "tools/metricsctl": {"ipc", "exporters", "models"},
    "tools/objectbench": {"client"},
    "tools/process": {"models"},
    "tools/monitoring": {"client", "ipc", "exporters", "models"},
    "tools/metrics-run": {"client", "exporters", "models"},
    "tools/metrics-monitor": {"client", "exporters", "models"},
}
LAYERS = ("models", "ipc", "exporters", "server", "client")

# Headers that need a library which the layer itself does not link.
OPTIONAL_HEADERS = {"metricsd/exporters/prometheus_collectable.h"}

LAUNCHERS = {"ccache", "sccache", "distcc"}


def public_headers(source, layer):
    root = source / layer / "include"
    headers = {header.relative_to(root).as_posix() for header in root.glob("**/*.h")}
    return sorted(headers - OPTIONAL_HEADERS)


def command_of(room, source, entries):
    """The compiler call for one source of the room, without its input and output."""
    for entry in entries:
        path = pathlib.Path(entry["directory"], entry["file"])
        if not path.is_relative_to(source / room):
            continue
        words = shlex.split(entry["command"])
        if pathlib.Path(words[0]).name in LAUNCHERS:
            words.pop(0)
        output = words.index("-o")
        del words[output : output + 2]
        words = [word for word in words if word not in ("-c", entry["file"], str(path))]
        return words + ["-fsyntax-only"], entry["directory"]
    sys.exit(f"no source of {room} in the compilation database")


def compile_probe(command, directory, headers, scratch):
    probe = scratch / "probe.cpp"
    probe.write_text("".join(f"#include <{header}>\n" for header in headers) + "int probe;\n")
    return subprocess.run([*command, str(probe)], cwd=directory, capture_output=True, text=True, check=False)


def check_room(room, headers_of, entries, source, scratch):
    faults = []
    command, directory = command_of(room, source, entries)
    allowed = [header for layer in LAYERS if layer in PICTURE[room] for header in headers_of[layer]]
    result = compile_probe(command, directory, allowed, scratch)
    if result.returncode != 0:
        faults.append(f"{room} may include {allowed}, but:\n{result.stderr}")

    forbidden = [header for layer in LAYERS if layer not in PICTURE[room] for header in headers_of[layer]]
    for header in forbidden:
        result = compile_probe(command, directory, [header], scratch)
        if result.returncode == 0:
            faults.append(f"{room} must not include <{header}>, but it compiles")
        elif "No such file" not in result.stderr and "file not found" not in result.stderr:
            faults.append(f"{room} including <{header}> fails for another reason:\n{result.stderr}")
    print(f"{room}: {len(allowed)} headers may be included, {len(forbidden)} may not")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--commands", type=pathlib.Path, required=True)
    arguments = parser.parse_args()

    entries = json.loads(arguments.commands.read_text())
    headers_of = {layer: public_headers(arguments.source, layer) for layer in LAYERS}
    if not any(headers_of.values()):
        sys.exit(f"no public headers below {arguments.source}")
    faults = []
    with tempfile.TemporaryDirectory(prefix="metricsd-architecture-") as scratch:
        for room in PICTURE:
            faults += check_room(room, headers_of, entries, arguments.source, pathlib.Path(scratch))
    print("\n".join(faults) if faults else "every include that the picture forbids fails to compile")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
