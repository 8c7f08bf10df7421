"""The table of all peers, for people."""

from peers.measurement import Measurement

_HEADINGS = ("peer", "transport", "events a write", "sent", "counted", "lost %", "events/s", "CPU us/event")
_WORDS = 2  # columns of words; the rest are numbers


def table(peers, rounds, absent):
    """`rounds`: by write size, each a dictionary of measurements by name. `absent`: why, by name."""
    lines = [_HEADINGS]
    for peer in peers:
        for size, of_size in rounds.items():
            lines += [_cells(peer, size, median(of_size, peer.name))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    text = ["  ".join(_pad(cell, column, widths) for column, cell in enumerate(line)).rstrip() for line in lines]
    text += [f"{peer.name}: {peer.note}" for peer in peers if peer.note]
    text += [f"{name}: NOT MEASURED: {why}" for name, why in absent.items()]
    return "\n".join(text)


def median(rounds, name) -> Measurement:
    """The measurement with the median CPU of an event."""
    measured = sorted((results[name] for results in rounds), key=lambda measurement: measurement.cpu_us)
    return measured[len(measured) // 2]


def _cells(peer, size, measured):
    return (
        peer.name,
        peer.transport,
        str(size) if peer.has_write_size else "-",
        str(measured.sent),
        str(measured.counted),
        f"{100 * measured.lost / measured.sent:.3g}",
        f"{measured.events_a_second:,.0f}",
        f"{measured.cpu_us:.3g}",
    )


def _pad(cell, column, widths):
    return cell.ljust(widths[column]) if column < _WORDS else cell.rjust(widths[column])
