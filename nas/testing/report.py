"""Sends a space file through all promises and says in words what is wrong, all of it in one pass."""

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from nas.blocks import AnyOperator, built_in_blocks
from nas.cost import Budget
from nas.space import SearchSpace
from nas.testing.blocks import block_variants, check_operator
from nas.testing.spaces import check_space

DRAWS, RUNS = 100, 20
"""Random genomes, and how many of them are also run."""


def check_space_file(space: SearchSpace, path: Path, budget: Budget, say: Callable[[str], None]) -> list[str]:
    """What a space, and the operators that it brings along, do not keep of their promises.

    Args:
        space: Of the file.
        path: The file, for messages.
        budget: Caps of the scaled genomes.
        say: Is told what holds.

    Returns:
        Problems, one sentence each; empty where all is well.
    """
    problems: list[str] = []
    for cls in own_operators(space):
        variants = list(block_variants(cls))
        found = [problem for variant in variants if (problem := _problem(lambda variant=variant: check_operator(variant), path))]  # type: ignore[misc]
        problems += found[:1]
        if not found:
            say(f"block {cls.kind}: {len(variants)} combinations of its genes keep all promises")
    if problems:
        return problems
    seen: dict[str, float] = {}
    problem = _problem(lambda: seen.update(check_space(space, DRAWS, RUNS, budget)), path)
    if problem:
        return [problem]
    if seen["misfits"] == 1:
        return [f"none of {DRAWS} random genomes fits the caps at its narrowest: raise the caps, or add narrower widths or cheaper blocks"]
    say(f"{DRAWS} random genomes keep all promises; {seen['misfits']:.0%} of the draws are over the cap at their narrowest")
    say(f"the others fill at least {seen['least_fill']:.0%} of the tightest cap, {seen['filled']:.0%} of them 85 % or more")
    return []


def own_operators(space: SearchSpace) -> Iterator[type[AnyOperator]]:
    """Operators that the space brings along."""
    return (cls for kind, cls in space.vocabulary.items() if kind not in built_in_blocks())


def _problem(check: Callable[[], None], path: Path) -> str | None:
    try:
        check()
    except AssertionError as broken:
        return str(broken)
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
        where = f" at line {lines[-1]} of {path}" if lines else ""
        return f"{type(error).__name__}{where}: {error}"
    return None
