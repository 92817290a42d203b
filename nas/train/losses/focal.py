"""Focal loss plus Dice: cross-entropy in which pixels that are right already count for little.

Lin et al., Focal Loss for Dense Object Detection, 2017, https://arxiv.org/abs/1708.02002. The class weights take the place of its alpha.
"""

from torch import Tensor

from nas.train.losses.ce_dice import dice
from nas.train.losses.pixels import pixels_of

GAMMA = 2.0
"""The paper's best: a pixel of probability 0.9 counts a hundredth of what it counts in the cross-entropy."""


def focal(logits: Tensor, mask: Tensor, weights: Tensor, dice_weight: float) -> Tensor:
    """Cross-entropy of each pixel times `(1 - its probability) ** GAMMA`, summed and divided as `Pixels.cross_entropy` does, plus Dice.

    Args:
        logits: `batch x classes x height x width`.
        mask: `batch x height x width`, int64: classes, or `VOID`.
        weights: of the classes, on the device of the logits.
        dice_weight: weight of the Dice term.

    Returns:
        A scalar.
    """
    pixels = pixels_of(logits, mask)
    certain = (pixels.probability * pixels.truth).sum(dim=1)
    entropy = -(pixels.log_probability * pixels.truth * weights.view(1, -1, 1, 1)).sum(dim=1)
    loss = ((1 - certain) ** GAMMA * entropy).sum() / pixels.total
    return loss + dice_weight * dice(pixels) if dice_weight else loss
