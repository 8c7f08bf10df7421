"""A temporary directory on a disk: what is synced in memory costs nothing, and says nothing."""

import pathlib
import tempfile

from context import ROOT, Unmeasurable

_IN_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}
_MOUNTS = pathlib.Path("/proc/self/mountinfo")
_MOUNT_POINT = 4  # the fields of a line of it, see proc(5)
_AFTER_THE_OPTIONS = " - "


def temporary_directory(*preferred):
    """As tempfile.TemporaryDirectory, in the first of these directories, /var/tmp and that of the builds that is on a
    disk."""
    mounts = _MOUNTS.read_text()
    for directory in (*preferred, "/var/tmp", ROOT / "build"):
        if pathlib.Path(directory).is_dir() and filesystem(directory, mounts) not in _IN_MEMORY:
            return tempfile.TemporaryDirectory(prefix="metricsd-bench-", dir=directory)
    raise Unmeasurable("no directory of these is on a disk: the temporary one, /var/tmp, build")


def filesystem(path, mounts):
    """The kind of file system that a path is on, by the text of mountinfo."""
    path = pathlib.Path(path).resolve()
    kinds = dict(map(_point_and_kind, mounts.splitlines()))  # of several mounts on one point the last is to be seen
    return next(kinds[point] for point in (path, *path.parents) if point in kinds)


def _point_and_kind(line):
    before, after = line.split(_AFTER_THE_OPTIONS, 1)
    point = before.split()[_MOUNT_POINT]
    return pathlib.Path(point.encode().decode("unicode_escape")), after.split()[0]
