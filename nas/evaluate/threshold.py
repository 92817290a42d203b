"""The threshold of a binary task: from which probability on a pixel is foreground.

Chosen on validation images, never on those that it is judged by.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nas.data import VOID, DataSet, Item
from nas.data.images import Bytes

STEPS = 100
"""Thresholds that are tried: every hundredth."""


def best_threshold(data: DataSet, items: Sequence[Item], probability: Callable[[Bytes], Tensor]) -> float:
    """The threshold with the highest pooled foreground IoU.

    Args:
        data: A set of two classes.
        items: Its validation items.
        probability: Gives `2 x H x W` of an image.

    Returns:
        From 0.01 to 0.99; nearest to a half where several are as good.
    """
    # How often each hundredth of probability occurs on background and on foreground: one pass serves all thresholds.
    counts: NDArray[np.int64] = np.zeros((2, STEPS + 1), dtype=np.int64)
    for item in items:
        image, mask = data.read(item)
        shares = probability(image)[1].numpy()
        known = mask != VOID
        bins = np.floor(shares[known] * STEPS).astype(np.int64).clip(0, STEPS)
        for label in (0, 1):
            counts[label] += np.bincount(bins[mask[known] == label], minlength=STEPS + 1)
    above = counts[:, ::-1].cumsum(1)[:, ::-1]  # pixels at or above each hundredth
    false, right, true = above[0], above[1], counts[1].sum()
    iou = right / np.maximum(true + false, 1)
    candidates = np.arange(1, STEPS)
    best = candidates[iou[candidates] >= iou[candidates].max() - 1e-12]
    return float(best[np.argmin(np.abs(best - STEPS // 2))]) / STEPS


def classes_of(probability: Tensor, threshold: float | None) -> Bytes:
    """The class of every pixel.

    Args:
        probability: `classes x H x W`.
        threshold: Of the foreground of a binary task; None for the most probable class.

    Returns:
        `H x W`, uint8.
    """
    found = probability.max(dim=0).indices if threshold is None else (probability[1] >= threshold).long()
    return found.numpy().astype(np.uint8)
