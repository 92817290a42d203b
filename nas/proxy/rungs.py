"""How long the stages of a proxy training are, and at which size each works."""

from collections.abc import Sequence
from math import ceil

ETA = 3
"""Of so many candidates that reach a rung one goes on, and a rung is so many times as long as the one before."""

RUNGS = 3
"""Rungs at most: 1/9, 1/3 and all of the epochs."""

EARLY_IMAGES = 256
"""Validation images of a set that a rung before the last is judged by, at most: it decides who goes on, and no value of the end."""


def rung_ends(epochs: int, rungs: int) -> tuple[int, ...]:
    """Epochs completed at the end of each rung, the last of them all: 31 epochs in 3 rungs are 4, 11, 31."""
    return tuple(ceil(epochs / ETA ** (rungs - 1 - rung)) for rung in range(rungs))


def rungs_of(epochs: Sequence[int]) -> int:
    """How many rungs trainings of such lengths have in common, so that each rung of each has an epoch of its own."""
    return max(count for count in range(1, RUNGS + 1) if all(len(set(rung_ends(length, count))) == count for length in epochs))


def rung_scales(rungs: int) -> tuple[float, ...]:
    """Share of the image size that each rung works at where it grows: from a half, in equal steps, to the whole."""
    return tuple(0.5 + 0.5 * rung / (rungs - 1) for rung in range(rungs)) if rungs > 1 else (1.0,)
