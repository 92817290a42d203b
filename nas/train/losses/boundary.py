"""Cross-entropy plus Dice plus the boundary F-score as a loss: for objects whose outline matters.

Bokhovkin and Burnaev, Boundary Loss for Remote Sensing Imagery Semantic Segmentation, 2019, https://arxiv.org/abs/1905.07852: outlines are
what a small maximum filter adds to the outside, the tolerance is a larger one, and precision and recall of the outlines are soft.
"""

import torch.nn.functional as F
from torch import Tensor

from nas.train.losses.ce_dice import dice
from nas.train.losses.pixels import Pixels, pixels_of

OUTLINE = 3
"""Side in pixels of the filter that draws an outline: outlines are one pixel wide."""

TOLERANCE = 5
"""Side in pixels of the filter that widens one: outlines up to two pixels apart agree."""


def boundary(logits: Tensor, mask: Tensor, weights: Tensor, dice_weight: float) -> Tensor:
    """Cross-entropy, Dice, and one minus the soft boundary F-score, mean over the foreground classes of the batch.

    Args:
        logits: `batch x classes x height x width`.
        mask: `batch x height x width`, int64: classes, or `VOID`.
        weights: of the classes in the cross-entropy, on the device of the logits.
        dice_weight: weight of Dice and of the boundary term.

    Returns:
        A scalar.
    """
    pixels = pixels_of(logits, mask)
    loss = pixels.cross_entropy(weights)
    return loss + dice_weight * (dice(pixels) + pixels.mean_over_present(_missed(pixels))) if dice_weight else loss


def _missed(pixels: Pixels) -> Tensor:
    """One minus the F-score of each class's outlines, over all images of the batch together."""
    # Void is no class's, so outlines run along it: where it rings every object (PASCAL VOC) there are no others.
    predicted, true = _outline(pixels.probability * pixels.valid), _outline(pixels.truth)
    found = (predicted * _widened(true, TOLERANCE)).sum(dim=(0, 2, 3)), (true * _widened(predicted, TOLERANCE)).sum(dim=(0, 2, 3))
    precision, recall = found[0] / predicted.sum(dim=(0, 2, 3)).clamp(min=1), found[1] / true.sum(dim=(0, 2, 3)).clamp(min=1)
    has_outline = (true.sum(dim=(0, 2, 3)) > 0).to(precision.dtype)  # a class that fills its images has none to miss
    return (1 - 2 * precision * recall / (precision + recall).clamp(min=1e-6)) * has_outline


def _outline(share: Tensor) -> Tensor:
    """What belongs to a class, 0..1, and touches what does not."""
    outside = 1 - share
    return _widened(outside, OUTLINE) - outside


def _widened(share: Tensor, side: int) -> Tensor:
    return F.max_pool2d(share, side, stride=1, padding=side // 2)
