"""One look at every file before anything is trained: either every offence in one message, or the facts that choices need.

A search that stops in its second hour on a broken file is worse than one that never starts.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from nas.data.cautions import cautions
from nas.data.dataset import VOID, DataSet, Item, all_items
from nas.data.facts import ClassFacts, DataFacts, gather, gather_classes, pixels_of
from nas.data.look import Look, expected, look_at_item
from nas.errors import UserError

MOST_LINES = 50
"""Offences that are spelled out; the rest is counted."""


@dataclass(frozen=True)
class DataReport:
    """All that one pass over a data set has found.

    Attributes:
        facts: Facts about the items of training and validation that are whole; None where no training mask holds foreground.
        classes: Facts about each class, by index.
        strange: Mask values that are neither a class nor void -> number of masks that hold them.
        warnings: What would spoil a result, one sentence each.
        problems: What would make training wrong, one sentence each.
    """

    facts: DataFacts | None
    classes: tuple[ClassFacts, ...]
    strange: Mapping[int, int]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]


def check_data(data: DataSet) -> DataFacts:
    """Reads every item once.

    Args:
        data: The set; of its test split only presence, headers and sizes are looked at.

    Returns:
        Facts about the training and validation splits.

    Raises:
        UserError: If anything is wrong, with one line per offence.
    """
    report = look_at(data)
    if report.problems or report.facts is None:
        raise UserError(complaint(data, report.problems))
    return report.facts


def check_items(data: DataSet, items: Sequence[Item]) -> None:
    """Reads items whole, whatever their split: before networks are judged by them.

    Args:
        data: The set.
        items: Some of its items.

    Raises:
        UserError: One cannot be read, or its mask is of another size or holds unexpected values; with one line per offence.
    """
    looks = _looks(data, [("val", item) for item in items], compare=False)
    if problems := [*_strange_words(data, looks), *(problem for look in looks for problem in look.problems)]:
        raise UserError(complaint(data, problems))


def look_at(data: DataSet, compare: bool = False) -> DataReport:
    """Reads every item once, and raises nothing about what it finds.

    Args:
        data: The set; of its test split only presence, headers and sizes are looked at, unless `compare` asks for more.
        compare: Whether copies of images are looked for, within and across splits. It reads the test images, and never their masks.

    Returns:
        Facts, warnings and problems.
    """
    looks = _looks(data, all_items(data), compare)
    classes = gather_classes(data, looks)
    return DataReport(
        facts=gather(data, looks),
        classes=classes,
        strange=_strange(looks),
        warnings=cautions(data, classes, looks),
        problems=_problems(data, looks),
    )


def complaint(data: DataSet, problems: Sequence[str]) -> str:
    """All problems of a set as one message."""
    lines = [f"  {problem}" for problem in problems[:MOST_LINES]]
    if len(problems) > MOST_LINES:
        lines.append(f"  and {len(problems) - MOST_LINES} more")
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"{data.location} has {count}; mend or remove these, then run again:\n" + "\n".join(lines)


def _looks(data: DataSet, items: Iterable[tuple[str, Item]], compare: bool) -> list[Look]:
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(lambda pair: look_at_item(data, pair[0], pair[1], compare), items))


def _problems(data: DataSet, looks: Sequence[Look]) -> tuple[str, ...]:
    problems = list(data.problems)
    problems += [f"{split}: no images; expected at least one" for split in ("train", "val") if not data.splits[split]]
    if data.num_classes < 2:
        problems.append("the masks hold the background alone; expected at least one foreground class (index 1, or 255 in a binary mask)")
    problems += _strange_words(data, looks)
    problems += [problem for look in looks for problem in look.problems]
    if not problems and not pixels_of(looks, "train")[1:VOID].any():
        problems.append("train: no mask holds a foreground pixel; expected at least one")
    if not problems and not pixels_of(looks, "val")[1:VOID].any():
        problems.append("val: no mask holds a foreground pixel, so every network would score 0; expected at least one")
    return tuple(problems)


def _strange(looks: Sequence[Look]) -> dict[int, int]:
    return dict(sorted(Counter(value for look in looks for value in look.strange).items()))


def _strange_words(data: DataSet, looks: Sequence[Look]) -> list[str]:
    """One line that counts unexpected values over all masks, where several hold some: a long list of files would hide the pattern."""
    files = sum(bool(look.strange) for look in looks)
    if files < 2:
        return []
    found = ", ".join(f"{value} in {count} {'files' if count > 1 else 'file'}" for value, count in _strange(looks).items())
    return [f"{files} masks hold unexpected values ({found}); expected {expected(data)}"]
