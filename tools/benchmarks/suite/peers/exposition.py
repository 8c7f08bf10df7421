"""Samples of the Prometheus text format, as every peer writes it: with timestamps, in any order, of any origin. The
tests' own reader (tests/e2e/harness.py) is stricter, as befits our own page."""

import re

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? +(\S+)(?: +-?\d+)?$", re.MULTILINE)


def values(text, name, *label_texts):
    """The values of the samples of `name` whose labels contain each of `label_texts`, such as 'code="200"'."""
    return [
        float(value)
        for sample, labels, value in _SAMPLE.findall(text)
        if sample == name and all(label in labels for label in label_texts)
    ]
