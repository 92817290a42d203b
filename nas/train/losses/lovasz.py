"""Cross-entropy plus Lovasz-softmax: a surrogate of the IoU itself, convex in the errors of the pixels.

Berman et al., The Lovasz-Softmax Loss, 2018, https://arxiv.org/abs/1705.08790: the errors of a class, sorted, times what the Jaccard loss
grows by when each of them is added. Sorting makes a step slower the more pixels a batch has.
"""

import torch
from torch import Tensor

from nas.train.losses.pixels import Pixels, pixels_of


def lovasz(logits: Tensor, mask: Tensor, weights: Tensor, dice_weight: float) -> Tensor:
    """Cross-entropy plus the Lovasz extension of the Jaccard loss, mean over the foreground classes of the batch.

    Args:
        logits: `batch x classes x height x width`.
        mask: `batch x height x width`, int64: classes, or `VOID`.
        weights: of the classes in the cross-entropy, on the device of the logits.
        dice_weight: weight of the Lovasz term, in the place of Dice.

    Returns:
        A scalar.
    """
    pixels = pixels_of(logits, mask)
    loss = pixels.cross_entropy(weights)
    return loss + dice_weight * pixels.mean_over_present(_extensions(pixels)) if dice_weight else loss


def _extensions(pixels: Pixels) -> Tensor:
    """The Lovasz extension for each class, over all pixels of the batch together."""
    classes = pixels.truth.shape[1]
    truth = pixels.truth.transpose(0, 1).reshape(classes, -1)
    errors = ((pixels.truth - pixels.probability).abs() * pixels.valid).transpose(0, 1).reshape(classes, -1)
    # Void pixels have error 0 and truth 0: they come last, where they add nothing.
    ordered, places = errors.sort(dim=1, descending=True)
    foreground = truth.gather(1, places)
    hit = pixels.counts.unsqueeze(1) - foreground.cumsum(1)
    union = pixels.counts.unsqueeze(1) + (1 - foreground).cumsum(1)
    jaccard = 1 - hit / union.clamp(min=1)
    growth = torch.cat([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], dim=1)
    return (ordered * growth.detach()).sum(1)
