#!/usr/bin/env python3
"""Every test that tests/failures.md names is there."""

import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]


def main():
    defined = set()
    for source in TESTS.rglob("*_test.cpp"):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", source.read_text(), re.MULTILINE):
            defined.add(f"{suite}.{name}")
    for source in TESTS.rglob("*_test.py"):
        for name in re.findall(r"^ +def (test_\w+)\(", source.read_text(), re.MULTILINE):
            defined.add(f"{source.name}::{name}")

    table = "\n".join(line for line in (TESTS / "failures.md").read_text().splitlines() if line.startswith("|"))
    named = re.findall(r"`(\w+\.[A-Z]\w+|\w+\.py::\w+)`", table)
    missing = [name for name in named if name not in defined]
    print(f"{len(named)} tests named, {len(missing)} of them missing")
    for name in missing:
        print(f"  {name}")
    return 1 if missing or not named else 0


if __name__ == "__main__":
    sys.exit(main())
