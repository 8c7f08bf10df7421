"""What came of telling one peer of events at one write size."""

import dataclasses
import time

# A peer that counts nothing more for so long has lost the rest. netdata and statsd show what they have at each second.
QUIET_SECONDS = 3
LOOK_INTERVAL_SECONDS = 0.05


@dataclasses.dataclass(frozen=True)
class Measurement:
    sent: int
    counted: int
    seconds: float  # until the peer had taken all
    cpu_seconds: float  # of the peer

    @property
    def lost(self):
        return self.sent - self.counted

    @property
    def events_a_second(self):
        return self.counted / self.seconds

    @property
    def cpu_us(self):
        """Of one event."""
        return self.cpu_seconds / self.counted * 1e6


def wait_for_count(look, wanted, begin):
    """What look() came to, and the seconds since `begin` until it did; 0 where it was there at the first look. Ends
    where look() tells nothing new."""
    counted, waited = look(), 0.0
    last_change = time.monotonic()
    while counted != wanted and time.monotonic() - last_change < QUIET_SECONDS:
        time.sleep(LOOK_INTERVAL_SECONDS)
        now = look()
        if now != counted:
            counted, last_change = now, time.monotonic()
            waited = last_change - begin
    return counted, waited
