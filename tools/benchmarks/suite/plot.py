"""How a cost grows: the points of one line of a plot."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Plot:
    """One picture, `performance-<name>.svg`. Both axes are logarithmic: growth spans orders of magnitude."""

    name: str  # [a-z-]+
    title: str
    x_label: str
    y_label: str
    lines: dict[str, list[tuple[float, float]]]  # points by the line's name

    def as_json(self):
        return dataclasses.asdict(self)
