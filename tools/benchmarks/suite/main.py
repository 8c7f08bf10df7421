"""Runs the parts of the suite that were asked for, prints the table and writes the results. See tools/bench."""

import argparse
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import time
import traceback

import svg
import table
from context import ROOT, Context, Unmeasurable
from parts import PARTS

DOCUMENT = ROOT / "docs" / "performance.md"


def parse_arguments(words):
    # What they mean is told by tools/bench --help.
    parser = argparse.ArgumentParser(prog="tools/bench", add_help=False)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--output", type=pathlib.Path, default="bench-results.json")
    parser.add_argument("--update-docs", action="store_true")
    parser.add_argument("parts", metavar="PART", nargs="*")
    arguments = parser.parse_args(words)
    unknown = [name for name in arguments.parts if name not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; tools/bench --list names them")
    return arguments


class Progress:
    """Lines with the time since the beginning on stderr, so that stdout is the table."""

    def __init__(self):
        self._begin = time.monotonic()

    def __call__(self, text):
        print(f"[{time.monotonic() - self._begin:5.0f} s] {text}", file=sys.stderr, flush=True)


def run_part(name, context):
    """The rows of a part; None where it could not be measured."""
    context.say(f"{name}: {PARTS[name].DESCRIPTION}")
    try:
        return PARTS[name].run(context)
    except Unmeasurable as reason:
        context.say(f"{name}: FAILED: {reason}")
    except Exception:  # pylint: disable=broad-except  # the other parts are worth their minutes all the same
        context.say(f"{name}: FAILED:\n{traceback.format_exc()}")
    return None


def run_parts(names, context):
    rows = {}
    for name in names:
        with tempfile.TemporaryDirectory(prefix="metricsd-bench-") as directory:
            context.directory = pathlib.Path(directory)
            rows[name] = run_part(name, context)
    return rows


def plots_path(output):
    return output.with_name(output.stem + "-plots.json")


def write_results(output, rows, plots):
    output.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n")
    plots_path(output).write_text(json.dumps([plot.as_json() for plot in plots], indent=1) + "\n")


def update_docs(document, rows_by_part, context):
    text = table.for_docs(document.read_text(), rows_by_part, list(PARTS))
    document.write_text(text)
    for name, own in context.texts.items():
        place = document.with_name(own.document)
        place.write_text(table.with_text(place.read_text(), name, own.text))
    for plot in context.plots:
        document.with_name(f"performance-{plot.name}.svg").write_text(svg.render(plot))


def main(words):
    arguments = parse_arguments(words)
    if arguments.list:
        for part in PARTS.values():
            print(f"{part.NAME:<14}{part.DESCRIPTION}")
        return 0

    context = Context(directory=".", say=Progress(), full=arguments.full)
    by_part = run_parts(arguments.parts or list(PARTS), context)
    measured = {name: rows for name, rows in by_part.items() if rows is not None}
    rows = [row for part in measured.values() for row in part]
    write_results(arguments.output, rows, context.plots)
    if arguments.update_docs:
        update_docs(DOCUMENT, measured, context)
    for own in context.texts.values():
        print(own.text, end="\n\n")
    print(table.for_terminal(rows, sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    print_summary(rows, arguments.output, [name for name in by_part if name not in measured])
    return 0 if len(measured) == len(by_part) else 1


def print_summary(rows, output, failed):
    judged = [row for row in rows if row.target is not None]
    print(f"\n{sum(row.reached for row in judged)} of {len(judged)} targets reached. Rows: {output}")
    if failed:
        print(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    sys.exit(130)
