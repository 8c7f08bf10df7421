"""All peers of a comparison, running at once; those that are not told have nothing to do."""

import collections
import contextlib

from context import Unmeasurable
from peers.measurement import Measurement


class Field:
    """A context manager. A peer that can not be started, or fails on the way, is absent from there on."""

    def __init__(self, context, kinds):
        self._context = context
        self._kinds = kinds
        self._running = contextlib.ExitStack()
        self.peers = []
        self.absent = {}  # why, by name
        self.lost = collections.Counter()  # events by name, in every round, those among them that are thrown away

    def __enter__(self):
        with self._running:  # ends those that run where this one is interrupted
            for kind in self._kinds:
                self._start(kind(self._context))
            self._running = self._running.pop_all()
        return self

    def __exit__(self, *error):
        self._running.close()

    def _start(self, peer):
        try:
            self._running.enter_context(peer)
            self.peers.append(peer)
        except Unmeasurable as error:
            self._give_up(peer, error)

    def _give_up(self, peer, error):
        self._context.say(f"{peer.name}: NOT MEASURED: {error}")
        self.absent[peer.name] = str(error)

    def round(self, events_a_write, seconds) -> dict[str, Measurement]:
        """Tells one peer after the other; the measurements by name."""
        results = {}
        for peer in list(self.peers):
            try:
                results[peer.name] = peer.tell(events_a_write, seconds)
                self.lost[peer.name] += results[peer.name].lost
            except (Unmeasurable, AssertionError, OSError, ValueError) as error:
                self.peers.remove(peer)
                self._give_up(peer, error)
        return results
