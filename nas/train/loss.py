"""Cross-entropy plus soft Dice for semantic segmentation, pooled over the batch, void pixels left out.

Cross-entropy gives every pixel a gradient from the first step; Dice (Milletari et al. 2016, https://arxiv.org/abs/1606.04797) is close to
the measure that is asked for and does not care how large a class is. Everything is computed on the device; nothing is read by the host.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from nas.data import VOID
from nas.train.recipe import ClassWeights

MAX_RATIO = 20.0
"""No class weighs more than this many times the most frequent one: beyond it single mislabelled pixels steer the training."""

_POWER = {"none": 0.0, "sqrt": 0.5, "inverse": 1.0}


def class_weights(pixel_shares: Sequence[float], rule: ClassWeights) -> tuple[float, ...]:
    """Weigh classes against their frequency.

    With `share` the share of a class and `top` that of the most frequent one, the weight is in proportion to
    `min((top / share) ** power, MAX_RATIO)`, the power being 0 for `"none"`, 1/2 for `"sqrt"` and 1 for `"inverse"`, and such that the
    expected weight of a training pixel is 1: a loss and a learning rate mean the same under every rule.

    Args:
        pixel_shares: share of each class in the training pixels that are not void, 0..1; a class without pixels weighs as much as the
            cap allows, which has no effect as long as it has none.
        rule: how strongly rare classes are lifted.

    Returns:
        A weight for each class.
    """
    top = max(pixel_shares)
    if top <= 0:
        return (1.0,) * len(pixel_shares)
    power = _POWER[rule]
    ratios = [min((top / max(share, top / MAX_RATIO**2)) ** power, MAX_RATIO) for share in pixel_shares]
    expected = sum(share * ratio for share, ratio in zip(pixel_shares, ratios, strict=True)) / sum(pixel_shares)
    return tuple(ratio / expected for ratio in ratios)


def segmentation_loss(logits: Tensor, mask: Tensor, weights: Tensor, dice_weight: float) -> Tensor:
    """Cross-entropy over all pixels plus Dice over the foreground classes that the batch holds.

    The cross-entropy is divided by the number of pixels, not by their weights: with weights of expectation 1 that is unbiased, and a
    batch of rare pixels counts for more instead of being levelled. A batch without foreground has no Dice term; one that is void
    altogether has loss 0 and gradient 0.

    Args:
        logits: `batch x classes x height x width`.
        mask: `batch x height x width`, int64: classes, or `VOID`.
        weights: of the classes in the cross-entropy, on the device of the logits.
        dice_weight: weight of the Dice term.

    Returns:
        A scalar.
    """
    # Plain NCHW from here: softmax and sums over channels_last take 1.4 times as long for 6 classes on a CPU. One log-softmax serves
    # both terms. Flattened (pixels x classes) forms and a hand-written backward were measured too, and were not faster.
    log_probability = F.log_softmax(logits.float().contiguous(), dim=1)
    classes = torch.arange(logits.shape[1], device=logits.device)
    truth = (mask.unsqueeze(1) == classes.view(1, -1, 1, 1)).float()
    pixels = truth.sum(dim=(0, 2, 3))
    cross_entropy = F.nll_loss(log_probability, mask, weights, ignore_index=VOID, reduction="sum") / pixels.sum().clamp(min=1)
    if dice_weight == 0:
        return cross_entropy

    probability = log_probability.exp()
    hit = (probability * truth).sum(dim=(0, 2, 3))
    claimed = (probability * (mask != VOID).unsqueeze(1)).sum(dim=(0, 2, 3))
    present = ((pixels > 0) & (classes > 0)).float()
    missed = 1 - 2 * hit / (claimed + pixels).clamp(min=1)  # a class that is present has at least one pixel: the clamp is for the others
    return cross_entropy + dice_weight * (missed * present).sum() / present.sum().clamp(min=1)
