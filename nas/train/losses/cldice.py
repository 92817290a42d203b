"""Cross-entropy plus Dice plus centreline Dice: for thin structures, of which a missing pixel tears the line.

Shit et al., clDice - a Novel Topology-Preserving Loss Function for Tubular Structure Segmentation, 2021, https://arxiv.org/abs/2003.07311:
how much of the prediction's skeleton lies within the truth, and of the truth's within the prediction. Skeletons are soft, by minimum and
maximum filters (its algorithm 1).
"""

import torch.nn.functional as F
from torch import Tensor

from nas.train.losses.ce_dice import dice
from nas.train.losses.pixels import Pixels, pixels_of

SHARE = 0.5
"""Of centreline Dice in the sum with Dice; the paper finds 0.4 to 0.5 best."""

THINNINGS = 5
"""Erosions of a skeleton: enough for lines up to eleven pixels wide."""


def cldice(logits: Tensor, mask: Tensor, weights: Tensor, dice_weight: float) -> Tensor:
    """Cross-entropy, and the mean of Dice and centreline Dice over the foreground classes of the batch.

    Args:
        logits: `batch x classes x height x width`.
        mask: `batch x height x width`, int64: classes, or `VOID`.
        weights: of the classes in the cross-entropy, on the device of the logits.
        dice_weight: weight of the mean of both.

    Returns:
        A scalar.
    """
    pixels = pixels_of(logits, mask)
    loss = pixels.cross_entropy(weights)
    if dice_weight == 0:
        return loss
    return loss + dice_weight * ((1 - SHARE) * dice(pixels) + SHARE * pixels.mean_over_present(_missed(pixels)))


def _missed(pixels: Pixels) -> Tensor:
    """One minus the centreline Dice of each class, over all images of the batch together."""
    predicted, true = pixels.probability * pixels.valid, pixels.truth
    thin, true_thin = skeleton(predicted), skeleton(true)
    within = _share(thin, true), _share(true_thin, predicted)
    return 1 - 2 * within[0] * within[1] / (within[0] + within[1]).clamp(min=1e-6)


def _share(thin: Tensor, region: Tensor) -> Tensor:
    """Which share of a skeleton lies within a region, for each class."""
    return (thin * region).sum(dim=(0, 2, 3)) / thin.sum(dim=(0, 2, 3)).clamp(min=1e-6)


def skeleton(share: Tensor) -> Tensor:
    """The centrelines of what belongs to a class.

    Args:
        share: `batch x classes x height x width`, 0..1.

    Returns:
        The same shape, 0..1.
    """
    found = F.relu(share - _opened(share))
    for _ in range(THINNINGS):
        share = _eroded(share)
        rest = F.relu(share - _opened(share))
        found = found + F.relu(rest - found * rest)
    return found


def _opened(share: Tensor) -> Tensor:
    return F.max_pool2d(_eroded(share), 3, stride=1, padding=1)


def _eroded(share: Tensor) -> Tensor:
    """Minimum over a cross of three by three."""
    rows = -F.max_pool2d(-share, (3, 1), stride=1, padding=(1, 0))
    columns = -F.max_pool2d(-share, (1, 3), stride=1, padding=(0, 1))
    return rows.minimum(columns)
