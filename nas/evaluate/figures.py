"""Figures of merit of a tally, each with a bootstrap confidence interval over images.

A resampled data set is a vector of how often each image is drawn, so all resamples are one matrix product and every figure is computed for
all of them at once. Percentile intervals (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.evaluate.tally import Tally

RESAMPLES = 2_000
LEVEL = 0.95

Floats = NDArray[np.float64]

WORDS = {
    "iou": "IoU, mean over foreground classes, pooled",
    "miou": "mIoU, all classes, pooled",
    "dice_pooled": "Dice, mean over foreground classes, pooled",
    "dice_per_image": "Dice, foreground classes, mean over images",
    "precision": "precision, mean over foreground classes, pooled",
    "recall": "recall, mean over foreground classes, pooled",
    "boundary_f": "boundary F-score, mean over foreground classes, pooled",
}
"""What the figures are called, beside the IoU of each class."""


@dataclass(frozen=True)
class Figure:
    """A figure of merit.

    Attributes:
        value: On the data themselves, 0..1 (of a difference -1..1); None where nothing says it.
        low: Lower end of the interval; None as well.
        high: Upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """JSON-ready."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        return f"{self.value:.4f}" + (f" ({self.low:.4f} to {self.high:.4f})" if self.low is not None else "")


def figures_of(counted: Tally, seed: int = 0) -> dict[str, Figure]:
    """All figures of a tally.

    Args:
        counted: The tally.
        seed: Of the resampling.

    Returns:
        By name: those of `WORDS`, and `iou <class>` for each class.
    """
    own = _figures(counted, _draws(len(counted.names), 0, seed))
    resampled = _figures(counted, _draws(len(counted.names), RESAMPLES, seed))
    return {name: _figure(own[name][0], resampled[name]) for name in own}


def differences(ours: Tally, theirs: Tally, seed: int = 0) -> dict[str, tuple[Figure, float]]:
    """How much better one model is than another on the same images: a paired bootstrap, both on the same resamples.

    Args:
        ours: Of the one.
        theirs: Of the other; of the same items.
        seed: Of the resampling.

    Returns:
        By name the difference with its interval, and the share of resamples in which the one is ahead.

    Raises:
        ValueError: The items differ.
    """
    if ours.names != theirs.names or ours.classes != theirs.classes:
        raise ValueError("two models can be compared on the same images and classes only")
    draws, none = _draws(len(ours.names), RESAMPLES, seed), _draws(len(ours.names), 0, seed)
    own = [_figures(one, none) for one in (ours, theirs)]
    resampled = [_figures(one, draws) for one in (ours, theirs)]
    found = {}
    for name in own[0]:
        apart = resampled[0][name] - resampled[1][name]
        known = apart[~np.isnan(apart)]
        ahead = float(((known > 0) + 0.5 * (known == 0)).mean()) if len(known) else 0.5
        found[name] = _figure(own[0][name][0] - own[1][name][0], apart), ahead
    return found


def _draws(images: int, resamples: int, seed: int) -> Floats:
    """How often each image is drawn in each resample; every image once where none is asked for."""
    if resamples == 0:
        return np.ones((1, images))
    return np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=resamples).astype(float)


def _figure(value: float, resampled: Floats) -> Figure:
    known = resampled[~np.isnan(resampled)]
    if np.isnan(value):
        return Figure(None)
    if len(known) == 0:
        return Figure(float(value))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(float(value), float(low), float(high))


def _figures(counted: Tally, draws: Floats) -> dict[str, Floats]:
    """Every figure for every row of draws; NaN where it says nothing.

    A class that is there and was never predicted has precision 0, not none: a network would raise the mean by leaving out hard classes.
    """
    images, classes, _ = counted.confusion.shape
    pooled = (draws @ counted.confusion.reshape(images, -1)).reshape(-1, classes, classes)
    outline = (draws @ counted.outline.reshape(images, -1)).reshape(-1, classes, 4)
    hit, true, found = np.einsum("bii->bi", pooled), pooled.sum(2), pooled.sum(1)
    iou = _ratio(hit, true + found - hit)
    per_image = _dice_per_image(counted)
    known = ~np.isnan(per_image)
    precise, complete = _ratio(outline[..., 1], outline[..., 0]), _ratio(outline[..., 3], outline[..., 2])
    edges = _ratio(2 * np.nan_to_num(precise) * np.nan_to_num(complete), np.nan_to_num(precise) + np.nan_to_num(complete))
    # A class that fills its images, or whose outlines void hides, has none to find; one that is only predicted has drawn false ones.
    edges = np.where((outline[..., 2] > 0) | ((true == 0) & (outline[..., 0] > 0)), np.nan_to_num(edges), np.nan)
    return {
        "iou": _mean(iou[:, 1:]),
        "miou": _mean(iou),
        **{f"iou {name}": iou[:, index] for index, name in enumerate(counted.classes)},
        "dice_pooled": _mean(_ratio(2 * hit, true + found)[:, 1:]),
        "dice_per_image": _ratio(draws @ np.nan_to_num(per_image), draws @ known.astype(float)),
        "precision": _mean(np.where((found == 0) & (true > 0), 0.0, _ratio(hit, found))[:, 1:]),
        "recall": _mean(_ratio(hit, true)[:, 1:]),
        "boundary_f": _mean(edges[:, 1:]),
    }


def _dice_per_image(counted: Tally) -> Floats:
    """Mean Dice of the foreground classes that an image has or was said to have; NaN where there is none."""
    hit = np.einsum("nii->ni", counted.confusion)
    return _mean(_ratio(2 * hit, counted.confusion.sum(2) + counted.confusion.sum(1))[:, 1:])


def worst_first(counted: Tally) -> Sequence[int]:
    """Positions of the images, those with the lowest Dice first; images without foreground come last."""
    dice = _dice_per_image(counted)
    return [int(index) for index in np.argsort(np.where(np.isnan(dice), 2.0, dice), kind="stable")]


def _ratio(top: NDArray[np.generic], bottom: NDArray[np.generic]) -> Floats:
    above, below = np.asarray(top, dtype=float), np.asarray(bottom, dtype=float)
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0))


def _mean(values: Floats) -> Floats:
    """Over the last axis, NaN left out; NaN where nothing is left."""
    known = ~np.isnan(values)
    return _ratio(np.nan_to_num(values).sum(-1), known.sum(-1))
