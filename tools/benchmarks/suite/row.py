"""One figure of the table: what was measured, against what, what was to be reached, and whether it was."""

import dataclasses
import operator
import re

_TARGET = re.compile(r"^(<=|>=|==|<|>) (\d+(?:\.\d+)?)(?:/(\d+))?$")
_OPERATORS = {"<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt}


def parse_target(text):
    """`<= 0.33` or `<= 1/30` as (operator, number)."""
    match = _TARGET.match(text)
    if match is None:
        raise ValueError(f"not a target: {text!r}")
    sign, number, divisor = match.groups()
    return sign, float(number) / float(divisor or 1)


@dataclasses.dataclass(frozen=True)
class Row:
    """`value` is numerator / denominator, or the numerator where there is nothing to compare with."""

    name: str
    numerator: float
    denominator: float | None = None
    target: str | None = None  # None: told, not judged
    unit: str = ""  # of numerator and denominator

    def __post_init__(self):
        if self.target is not None:
            parse_target(self.target)
        if self.denominator is not None and self.denominator <= 0:
            raise ValueError(f"{self.name}: nothing was measured to compare with")

    @classmethod
    def of_rounds(cls, name, rounds, target=None, unit=""):
        """The round with the median ratio of `rounds`, pairs of (numerator, denominator): both of its sides were
        measured together, which the medians of each side were not."""
        by_ratio = sorted(rounds, key=lambda pair: pair[0] / pair[1])
        return cls(name, *by_ratio[len(by_ratio) // 2], target, unit)

    @property
    def value(self):
        return self.numerator if self.denominator is None else self.numerator / self.denominator

    @property
    def reached(self):
        if self.target is None:
            return None
        sign, limit = parse_target(self.target)
        return _OPERATORS[sign](self.value, limit)

    @property
    def miss(self):
        """How many times the target the value is; None where the target is 0."""
        _, limit = parse_target(self.target)
        return self.value / limit if limit else None

    def as_json(self):
        return {
            "name": self.name,
            "value": self.value,
            "target": self.target,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unit": self.unit,
            "reached": self.reached,
        }
