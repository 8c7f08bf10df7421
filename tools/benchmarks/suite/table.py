"""The table of rows: for a terminal, and as Markdown for docs/performance.md."""

BEGIN = "<!-- made by tools/bench --update-docs: begin -->"
END = "<!-- made by tools/bench --update-docs: end -->"

_GREEN, _RED, _PLAIN = "\033[32m", "\033[31m", "\033[0m"
_HEADINGS = ("what", "ratio", "both sides", "target", "reached")


def number(value):
    """Three digits that say something, without an exponent where a person would write none."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    if abs(value) >= 1e6:
        for divisor, name in ((1e9, "G"), (1e6, "M")):
            if abs(value) >= divisor:
                return f"{value / divisor:.3g} {name}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def sides(row):
    unit = f" {row.unit}" if row.unit else ""
    if row.denominator is None:
        return number(row.numerator) + unit
    return f"{number(row.numerator)} / {number(row.denominator)}{unit}"


def verdict(row):
    if row.target is None:
        return ""
    if row.reached:
        return "yes"
    return "no" if row.miss is None else f"no: {row.miss:.2f}x the target"


def cells(row):
    return (row.name, number(row.value) if row.denominator is not None else "", sides(row), row.target or "", verdict(row))


def for_terminal(rows, colours):
    lines = [_HEADINGS, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    if colours:
        texts[1:] = [_coloured(text, row.reached) for text, row in zip(texts[1:], rows)]
    return "\n".join(texts)


def _coloured(text, reached):
    return text if reached is None else (_GREEN if reached else _RED) + text + _PLAIN


def for_docs(document, rows_by_part, part_order):
    """`document` with the rows of these parts in its table instead of those it had; other parts' rows stay."""
    before, rest = document.split(BEGIN)
    table, after = rest.split(END)
    kept = {}
    for line in table.strip().splitlines()[2:]:
        kept.setdefault(line.split("|")[1].strip(), []).append(line)
    for part, rows in rows_by_part.items():
        kept[part] = ["| " + " | ".join((part, *cells(row))) + " |" for row in rows]
    lines = ["| part | " + " | ".join(_HEADINGS) + " |", "|---" * (len(_HEADINGS) + 1) + "|"]
    for part in part_order:
        lines += kept.get(part, [])
    return "\n".join([before + BEGIN, "", *lines, "", END + after])


def with_text(document, name, text):
    """`document` with the text between its markers of that name, as it stands."""
    begin, end = (f"<!-- made by tools/bench --update-docs: {name}: {edge} -->" for edge in ("begin", "end"))
    before, rest = document.split(begin)
    after = rest.split(end)[1]
    return "\n".join([before + begin, "", "```text", text, "```", "", end + after])
