"""Cross-entropy plus soft Dice, pooled over the batch: the loss of the search.

Cross-entropy gives every pixel a gradient from the first step; Dice (Milletari et al. 2016, https://arxiv.org/abs/1606.04797) is close to
the measure that is asked for and does not care how large a class is.
"""

from torch import Tensor

from nas.train.losses.pixels import Pixels, pixels_of


def ce_dice(logits: Tensor, mask: Tensor, weights: Tensor, dice_weight: float) -> Tensor:
    """Cross-entropy over all pixels plus Dice over the foreground classes that the batch holds.

    A batch without foreground has no Dice term.

    Args:
        logits: `batch x classes x height x width`.
        mask: `batch x height x width`, int64: classes, or `VOID`.
        weights: of the classes in the cross-entropy, on the device of the logits.
        dice_weight: weight of the Dice term.

    Returns:
        A scalar.
    """
    pixels = pixels_of(logits, mask)
    loss = pixels.cross_entropy(weights)
    return loss + dice_weight * dice(pixels) if dice_weight else loss


def dice(pixels: Pixels) -> Tensor:
    """One minus the soft Dice coefficient, mean over the foreground classes of the batch; 0 where there is none.

    Args:
        pixels: of the batch.

    Returns:
        A scalar, 0..1.
    """
    hit = (pixels.probability * pixels.truth).sum(dim=(0, 2, 3))
    claimed = (pixels.probability * pixels.valid).sum(dim=(0, 2, 3))
    missed = 1 - 2 * hit / (claimed + pixels.counts).clamp(min=1)  # a class that is present has at least one pixel
    return pixels.mean_over_present(missed)
