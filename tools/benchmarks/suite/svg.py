"""Plots as SVG, without any library: logarithmic axes, colours that are readable on white and on black."""

import math
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 50, 60
# Mid tones of a palette for the colour blind (Okabe and Ito): each has some contrast to white and to black.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#7f7f7f")
_STYLE = """
text { font: 13px sans-serif; fill: #333 }
.title { font-size: 15px; font-weight: bold }
.grid { stroke: #8888; stroke-width: 0.5 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
"""


class _Axis:
    """Maps values to pixels, from whole powers of ten to whole powers of ten where that wastes little room."""

    def __init__(self, values, first_pixel, last_pixel):
        self.low = math.log10(min(values)) - 0.05
        self.high = math.log10(max(values)) + 0.05
        if self.high - self.low < 1:
            middle = (self.low + self.high) / 2
            self.low, self.high = middle - 0.5, middle + 0.5
        self.first, self.last = first_pixel, last_pixel

    def pixel(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self):
        """Powers of ten; where they are few, 2 and 5 times them as well."""
        steps = (1,) if self.high - self.low > 3 else (1, 2, 5)
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        candidates = [step * 10.0**power for power in powers for step in steps]
        return [value for value in candidates if self.low <= math.log10(value) <= self.high]


def _label(value):
    for divisor, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= divisor:
            return f"{value / divisor:g}{name}"
    return f"{value:g}"


def _text(x, y, text, anchor="start", attributes=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {attributes}>{escape(text)}</text>'


def _line(x1, y1, x2, y2):
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _grid(x_axis, y_axis):
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for value in x_axis.ticks():
        x = x_axis.pixel(value)
        yield _line(x, _TOP, x, bottom)
        yield _text(x, bottom + 18, _label(value), "middle")
    for value in y_axis.ticks():
        y = y_axis.pixel(value)
        yield _line(_LEFT, y, right, y)
        yield _text(_LEFT - 6, y + 4, _label(value), "end")


def _curve(points, colour, x_axis, y_axis):
    pixels = [(x_axis.pixel(x), y_axis.pixel(y)) for x, y in sorted(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in pixels:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'


def _legend(names):
    x = _LEFT
    for name, colour in zip(names, _COLOURS):
        yield f'<rect x="{x}" y="34" width="12" height="4" fill="{colour}"/>'
        yield _text(x + 17, 41, name)
        x += 35 + 7 * len(name)


def render(plot):
    """The plot as the text of an SVG file."""
    points = [point for line in plot.lines.values() for point in line]
    if not points or min(min(point) for point in points) <= 0:
        raise ValueError(f"{plot.name}: a logarithmic plot has positive values only")
    if len(plot.lines) > len(_COLOURS):
        raise ValueError(f"{plot.name}: more lines than colours")
    x_axis = _Axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    y_axis = _Axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(plot.title)}</title><style>{_STYLE}</style>",
        _text(_LEFT, 22, plot.title, attributes='class="title"'),
        *_legend(plot.lines),
        *_grid(x_axis, y_axis),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 18, plot.x_label, "middle"),
        _text(20, middle, plot.y_label, "middle", f'transform="rotate(-90 20 {middle:.0f})"'),
    ]
    for line, colour in zip(plot.lines.values(), _COLOURS):
        parts += _curve(line, colour, x_axis, y_axis)
    return "\n".join([*parts, "</svg>", ""])
