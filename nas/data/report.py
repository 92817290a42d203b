"""What the check of a data set says to a person, in words."""

from collections.abc import Sequence

from nas.data.bands import RGB
from nas.data.check import MOST_LINES, DataReport
from nas.data.dataset import SPLITS, DataSet
from nas.data.facts import DataFacts
from nas.data.size import recommend_size

LABEL = 14
"""Width of the column that says what a line is about."""


def heading(data: DataSet) -> str:
    """What was found, before anything is read: layout, place, number of pairs, where the split comes from."""
    tested = "; of test the images, to find copies of them, and of their masks the sizes alone" if data.splits["test"] else ""
    dealt = "" if data.own_split else f"; before, the masks of {'train and val' if data.own_test else 'all images'}, to deal the split"
    counts = ", ".join(f"{len(data.splits[split])} {split}" for split in SPLITS)
    return "\n".join(
        [
            data.name,
            _line("layout", f"{data.layout}, in {data.location}"),
            *([_line("channels", f"{data.channels} of each image")] if data.channels != RGB else []),
            _line("pairs", f"{counts}; split: {data.split_source}"),
            _line("read", f"images and masks of train and val{tested}{dealt}"),
        ]
    )


def findings(data: DataSet, report: DataReport) -> str:
    """What the pass over the files has found: facts, then warnings, then problems.

    Args:
        data: The set.
        report: What `look_at` returned.
    """
    lines = [] if report.facts is None else _facts(report.facts)
    lines += _classes(report)
    if report.facts is not None:
        lines.append(_line("image size", recommend_size(report.facts).reason))
    lines += _several("warnings", report.warnings)
    lines += _several("problems", report.problems)
    return "\n".join(lines)


def verdict(report: DataReport) -> str:
    """One line on whether training may begin."""
    if report.problems:
        return f"{_counted(len(report.problems), 'problem')}: mend or remove what is named, then check again; no search begins on this"
    if report.warnings:
        return f"sound, with {_counted(len(report.warnings), 'warning')}"
    return "sound"


def _facts(facts: DataFacts) -> list[str]:
    sizes = [f"{height}x{width}" for height, width in (facts.min_size, facts.median_size, facts.max_size)]
    spread = f"smallest sides {sizes[0]}, median {sizes[1]}, largest sides {sizes[2]}" if len(set(sizes)) > 1 else f"all {sizes[0]}"
    return [
        _line("sizes", f"{spread} (height x width, train and val)"),
        _line("void", f"{_percent(facts.void_share)} of the training pixels" if facts.void_share else "none"),
        _line("structures", f"thin ones are {facts.thickness:.1f} px wide (10 % quantile over training images and classes)"),
    ]


def _classes(report: DataReport) -> list[str]:
    """A table: share of the pixels, occurrences, width."""
    rows = [("class", "train pixels", "train images", "val images", "median width")]
    for index, one in enumerate(report.classes):
        width = "" if one.width is None else f"{one.width:.1f} px"
        rows.append((f"{index} {one.name}", _percent(one.share), str(one.images["train"]), str(one.images["val"]), width))
    first, *others = (max(len(row[column]) for row in rows) for column in range(5))
    return [
        (
            _line("classes" if row is rows[0] else "", row[0].ljust(first))
            + "".join(f"  {text:>{w}}" for text, w in zip(row[1:], others, strict=True))
        ).rstrip()
        for row in rows
    ]


def _several(label: str, sentences: Sequence[str]) -> list[str]:
    lines = [_line(label if place == 0 else "", sentence) for place, sentence in enumerate(sentences[:MOST_LINES])]
    return [*lines, _line("", f"and {len(sentences) - MOST_LINES} more")] if len(sentences) > MOST_LINES else lines


def _line(label: str, text: str) -> str:
    return f"  {label:<{LABEL}}{text}"


def _percent(share: float) -> str:
    """Two digits that count, so that rare classes do not become 0."""
    return f"{100 * share:.1f} %" if share >= 0.01 or share == 0 else f"{100 * share:.2g} %"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
