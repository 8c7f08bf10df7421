"""What the profiles of monitoring cost: a tree of 100 processes, each profile's figures at each profile's interval."""

from row import Row

NAME = "monitoring"
DESCRIPTION = "CPU and memory of sampling 100 processes, by profile"

PROCESSES = 100
SAMPLES = 40
PAUSE_MS = 100
MEBIBYTE = 1 << 20

_ALL = ("cpu", "memory", "disk_io", "network_io", "threads", "file_descriptors")

# Interval in seconds and figures, as tools/monitoring/profile.cpp has them.
PROFILES = {
    "standard": (10, _ALL),
    "minimal": (60, ("cpu", "memory")),
    "intensive": (1, _ALL),
    "batch": (30, ("cpu", "memory", "disk_io")),
    "realtime": (5, tuple(figure for figure in _ALL if figure != "disk_io")),
    "daemon": (120, _ALL),
}

_HEADINGS = ("profile", "interval", "CPU a sample", "of a core", "of a core at 1 s", "memory")
_DOCUMENT = "monitoring.md"


def run(context):
    measured = {name: middle_of(context, name, figures) for name, (_, figures) in PROFILES.items()}
    context.add_text(NAME, table(measured), _DOCUMENT)
    return rows(measured)


def middle_of(context, name, figures):
    """The round with the median cost."""
    command = ("metricsd_bench_monitoring", PROCESSES, SAMPLES, PAUSE_MS, ",".join(figures))
    rounds = context.rounds(lambda: context.measure(*command), f"{NAME}, {name}", clock_within=False)
    return sorted(rounds, key=lambda result: result["sample_ns"])[len(rounds) // 2]


def rows(measured):
    intensive, minimal = measured["intensive"], measured["minimal"]
    return [
        share("100 processes, all figures, every second / a core", intensive, 1, "<= 0.005"),
        share("100 processes, minimal profile / a core", minimal, PROFILES["minimal"][0], "<= 0.001"),
        Row("100 processes, minimal profile, memory", minimal["memory_bytes"] / MEBIBYTE, None, "<= 1", "MiB"),
        Row("100 processes, all figures, growth of memory", intensive["growth_bytes"], None, "<= 0", "bytes"),
        Row("the whole machine, CPU a sample", intensive["system_ns"] / 1e3, None, None, "us"),
    ]


def share(name, result, interval, target):
    return Row(name, result["sample_ns"] / 1e6, interval * 1e3, target, "ms")


def table(measured):
    lines = [_HEADINGS, *(cells(name, PROFILES[name][0], result) for name, result in measured.items())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    return "\n".join("  ".join(pad(cell, place, widths) for place, cell in enumerate(line)) for line in lines)


def cells(name, interval, result):
    milliseconds = result["sample_ns"] / 1e6
    return (
        name,
        f"{interval} s",
        f"{milliseconds:.2f} ms",
        f"{milliseconds / interval / 10:.4f} %",
        f"{milliseconds / 10:.3f} %",
        f"{result['memory_bytes'] / 1024:.0f} KiB",
    )


def pad(cell, place, widths):
    return cell.ljust(widths[place]) if place == 0 else cell.rjust(widths[place])
