"""System calls of the daemon that fail, and clocks that jump: faults/faults.cpp has the layout of the file."""

import mmap
import struct

# Every call that the library knows, and whether it is left alone where it is not about a regular file: a full disk
# fails no pipe.
CALLS = {
    "open": False,
    "read": True,
    "pread": True,
    "write": True,
    "pwrite": True,
    "fsync": True,
    "ftruncate": True,
    "fallocate": True,
    "rename": False,
    "unlink": False,
    "mkdir": False,
    "accept": False,
    "socket": False,
    "connect": False,
    "recv": False,
    "recvmsg": False,
    "send": False,
    "sendmsg": False,
    "epoll_ctl": False,
    "eventfd": False,
    "mmap": False,
}

_MAGIC = 0x73746C756166726F
_HEAD = struct.Struct("<QqQ")
_ENTRY = struct.Struct("<16sQQQiI")
_ENTRIES_MOST = 64
_NUMBER = struct.Struct("<Q")
_CALLS_AT, _FROM_AT, _UNTIL_AT, _ERROR_AT = 16, 24, 32, 40


class Faults:
    """The file that the preloaded library reads. One for a daemon and those that come after it."""

    def __init__(self, path):
        self.path = path
        head = _HEAD.pack(_MAGIC, 0, len(CALLS))
        entries = b"".join(_ENTRY.pack(name.encode(), 0, 0, 0, 0, regular) for name, regular in CALLS.items())
        size = _HEAD.size + _ENTRIES_MOST * _ENTRY.size
        path.write_bytes((head + entries).ljust(size, b"\0"))
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)
        self._places = {name: _HEAD.size + i * _ENTRY.size for i, name in enumerate(CALLS)}

    def calls(self, call):
        """How often it was made so far."""
        return _NUMBER.unpack_from(self._memory, self._places[call] + _CALLS_AT)[0]

    def arm(self, call, nth, times, error):
        """From the nth call from now on, so many fail with this errno."""
        place = self._places[call]
        first = self.calls(call) + nth
        # Shut first: what is half written must not count.
        _NUMBER.pack_into(self._memory, place + _UNTIL_AT, 0)
        struct.pack_into("<i", self._memory, place + _ERROR_AT, error)
        _NUMBER.pack_into(self._memory, place + _FROM_AT, first)
        _NUMBER.pack_into(self._memory, place + _UNTIL_AT, first + times)

    def failed(self, call):
        """How many calls failed since it was armed."""
        first, until = struct.unpack_from("<QQ", self._memory, self._places[call] + _FROM_AT)
        return max(0, min(self.calls(call) + 1, until) - first)

    def disarm(self, call):
        _NUMBER.pack_into(self._memory, self._places[call] + _UNTIL_AT, 0)

    def set_clock(self, seconds):
        """How far the wall clock is off."""
        struct.pack_into("<q", self._memory, 8, seconds * 1_000_000_000)
