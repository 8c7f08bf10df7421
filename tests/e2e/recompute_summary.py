#!/usr/bin/env python3
"""Recomputes a run's aggregated.json from its operations.jsonl and compares every number with ==.

    recompute_summary.py DIR [--jsonl FILE]

Shares nothing with the programs it checks: exact fractions, math.fsum and sorted lists, all operations in memory.
Prints the path of each figure that differs and exits with 1 if there is any, else one line and 0.
`dropped` is not compared: what was lost is in no row.
"""

import argparse
import collections
import json
import math
import pathlib
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

PER_MILLE = {"p50": 500, "p75": 750, "p90": 900, "p95": 950, "p99": 990, "p99_9": 999}
NS_PER_MS = 10**6
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

WINDOW_NS = 10 * 10**9
MAX_WINDOWS = 10_000
MAX_WINDOW_ROWS = 100_000
MAX_GROUPS = 10_000
MAX_ERROR_CODES = 10_000
OVERFLOW = "__overflow__"

Operation = collections.namedtuple(
    "Operation", "group success start_ns end_ns duration_ns throughput size response_ns error_code")


# --- reading ---------------------------------------------------------------------------------------------------

def moment_ns(text):
    """RFC 3339 in UTC with six digits, or None, as nanoseconds since 1970."""
    if text is None:
        return None
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // timedelta(microseconds=1) * 1000


def moment_text(ns):
    if ns is None:
        return None
    return (EPOCH + timedelta(microseconds=ns // 1000)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_operation(line):
    row = json.loads(line, parse_float=Decimal)
    start, end, intended = (moment_ns(row.get(key)) for key in ("timestamp_start", "timestamp_end", "intended_start"))
    if row.get("duration_ms") is not None:
        duration = math.floor(Fraction(row["duration_ms"]) * NS_PER_MS + Fraction(1, 2))
    else:
        duration = end - start
    size = int(row.get("object_size_bytes") or 0)
    throughput = None
    if size > 0 and duration > 0:
        given = row.get("throughput_mbps")
        throughput = float(given) if given is not None else float(Fraction(size * 10**9, duration * 2**20))
    return Operation(
        group=(row["operation_type"], row.get("workload_type") or ""),
        success=row["success"],
        start_ns=start if start is not None else end - duration if end is not None else None,
        end_ns=end if end is not None else start + duration if start is not None else None,
        duration_ns=duration,
        throughput=throughput,
        size=size,
        response_ns=max(end - intended, 0) if end is not None and intended is not None else None,
        error_code=row.get("error_code") or "unknown")


def read_operations(path):
    """Every row that is whole; what a crash cut off is passed over."""
    operations = []
    for line in path.read_bytes().split(b"\n"):
        try:
            if line.strip():
                operations.append(read_operation(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
    return operations


def fold(keys, limit, overflow):
    """The keys, those that appear after `limit` others replaced."""
    known = set()
    for key in keys:
        if key not in known and len(known) >= limit:
            key = overflow
        else:
            known.add(key)
        yield key


# --- statistics ------------------------------------------------------------------------------------------------

def neighbours(ordered, per_mille):
    """The values that a type 7 percentile lies between, and how many thousandths of the way."""
    rank, thousandths = divmod((len(ordered) - 1) * per_mille, 1000)
    return ordered[rank], ordered[min(rank + 1, len(ordered) - 1)], thousandths


def statistics(ordered, minimum, maximum, mean, stddev, percentile):
    result = {"count": len(ordered), "min": minimum, "max": maximum, "mean": mean, "stddev": stddev}
    result.update({name: percentile(*neighbours(ordered, per_mille)) for name, per_mille in PER_MILLE.items()})
    result["median"] = result["p50"]
    return result


def time_statistics(values):
    """Of nanoseconds, in milliseconds: fractions, rounded once."""
    if not values:
        return None
    ordered = sorted(values)
    n, total, squares = len(ordered), sum(ordered), sum(value * value for value in ordered)
    variance = Fraction(n * squares - total * total, n * (n - 1) * NS_PER_MS**2) if n > 1 else Fraction(0)
    return statistics(
        ordered, float(Fraction(ordered[0], NS_PER_MS)), float(Fraction(ordered[-1], NS_PER_MS)),
        float(Fraction(total, n * NS_PER_MS)), math.sqrt(float(variance)),
        lambda low, high, rest: float(Fraction(low * 1000 + (high - low) * rest, 1000 * NS_PER_MS)))


def double_statistics(values):
    if not values:
        return None
    ordered = sorted(values)
    n = len(ordered)
    mean = math.fsum(ordered) / n
    stddev = math.sqrt(math.fsum((value - mean) * (value - mean) for value in ordered) / (n - 1)) if n > 1 else 0.0
    return statistics(ordered, ordered[0], ordered[-1], mean, stddev,
                      lambda low, high, rest: low + (high - low) * (rest / 1000.0))


def size_statistics(sizes):
    if not sizes:
        return None
    return {"min": min(sizes), "max": max(sizes), "mean": float(Fraction(sum(sizes), len(sizes))),
            "total": min(sum(sizes), 2**64 - 1)}


def counts(operations):
    total, successful = len(operations), sum(operation.success for operation in operations)
    return {"total": total, "successful": successful, "failed": total - successful,
            "success_rate": float(Fraction(100 * successful, total)) if total else None}


def group_summary(operations, seconds):
    successful = [operation for operation in operations if operation.success]
    rate = len(operations) / seconds if seconds > 0 else None
    return {
        "operations": counts(operations),
        "duration_ms": time_statistics([o.duration_ns for o in successful]),
        "throughput_mbps": double_statistics([o.throughput for o in successful if o.throughput is not None]),
        "object_size_bytes": size_statistics([o.size for o in operations]),
        "request_rate": {"rps": rate, "rpm": rate * 60 if rate is not None else None},
        "response_time_ms": time_statistics([o.response_ns for o in successful if o.response_ns is not None]),
    }


def seconds_between(start_ns, end_ns):
    return max(end_ns - start_ns, 0) // 1000 / 1e6


def by_key(items, key):
    groups = collections.defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def windows(operations, start_ns, end_ns):
    placed = [operation for operation in operations if operation.start_ns is not None]
    length = WINDOW_NS
    while True:
        rows = by_key(placed, lambda operation: ((operation.start_ns - start_ns) // length, operation.group))
        if len(rows) <= MAX_WINDOW_ROWS and len({index for index, _ in rows}) <= MAX_WINDOWS:
            break
        length *= 2
    result = []
    for (index, (operation_type, workload_type)), members in sorted(rows.items(), key=lambda row: row[0]):
        begin = start_ns + index * length
        seconds = seconds_between(begin, min(begin + length, end_ns))
        row = {"window_start": moment_text(begin), "window_seconds": seconds,
               "operation_type": operation_type, "workload_type": workload_type}
        row.update(group_summary(members, seconds))
        result.append(row)
    return result


def summary(run, operations):
    def run_time(key, seen, choose):
        ns = moment_ns(run.get(key))
        if ns is None and seen:
            ns = choose(seen)
        return None if ns is None else ns // 1000 * 1000

    start = run_time("start_time", [o.start_ns for o in operations if o.start_ns is not None], min)
    end = run_time("end_time", [o.end_ns for o in operations if o.end_ns is not None], max)
    known = start is not None and end is not None
    seconds = seconds_between(start, end) if known else 0.0
    codes = collections.Counter(fold((o.error_code for o in operations if not o.success), MAX_ERROR_CODES, OVERFLOW))
    return {
        "schema_version": 1, "method": "exact",
        "test_run_id": run.get("test_run_id"), "test_name": run.get("test_name"),
        "start_time": moment_text(start), "end_time": moment_text(end), "duration_seconds": seconds,
        "operations": counts(operations),
        "overall": group_summary(operations, seconds),
        "by_operation": {name: group_summary(members, seconds)
                         for name, members in by_key(operations, lambda o: o.group[0]).items()},
        "errors": {"total": sum(codes.values()), "by_code": dict(codes)},
        "windows": windows(operations, start, end) if known else [],
    }


# --- comparing -------------------------------------------------------------------------------------------------

def flatten(value, path=""):
    """(path, leaf) of all that is not null; an infinity, which JSON cannot say, is null too."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from flatten(item, f"{path}[{index}]")
    elif value is not None and not (isinstance(value, float) and not math.isfinite(value)):
        yield path, value


def differences(expected, actual):
    expected, actual = dict(flatten(expected)), dict(flatten(actual))
    for path in sorted(expected.keys() | actual.keys()):
        if expected.get(path) != actual.get(path):
            yield f"{path}: recomputed {expected.get(path)!r}, file {actual.get(path)!r}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("directory", type=pathlib.Path, metavar="DIR")
    arguments.add_argument("--jsonl", type=pathlib.Path, metavar="FILE", help="instead of DIR/operations.jsonl")
    options = arguments.parse_args()

    operations = read_operations(options.jsonl or options.directory / "operations.jsonl")
    groups = fold((operation.group for operation in operations), MAX_GROUPS, (OVERFLOW, OVERFLOW))
    operations = [operation._replace(group=group) for operation, group in zip(operations, groups)]
    run = json.loads((options.directory / "test_config.json").read_text())
    actual = json.loads((options.directory / "aggregated.json").read_text())
    actual.pop("dropped", None)

    expected = summary(run, operations)
    found = list(differences(expected, actual))
    for difference in found:
        print(difference)
    if found:
        print(f"{len(found)} figures differ", file=sys.stderr)
        return 1
    print(f"OK: {len(dict(flatten(expected)))} figures of {len(operations)} operations agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
