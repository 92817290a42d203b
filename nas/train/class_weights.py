"""What a pixel of each class weighs in the cross-entropy: a function of how frequent the class is."""

from collections.abc import Sequence

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
