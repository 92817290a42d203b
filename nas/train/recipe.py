"""How a network is taught: one frozen value with every number that training depends on, apart from the network and the data.

The numbers are those of small networks: no dropout and no strong regularisation (10,000 parameters do not overfit 240 images in some
hundred steps), AdamW (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101) with warm-up and one cosine (https://arxiv.org/abs/1608.03983),
cross-entropy plus Dice, and a moving average of the weights for evaluation.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from nas.errors import UserError
from nas.train.losses.by_name import LOSSES

ClassWeights = Literal["sqrt", "none", "inverse"]


@dataclass(frozen=True)
class Recipe:
    """What training depends on besides the network and the data.

    Attributes:
        epochs: the whole length; the schedule spans it, wherever a rung stops.
        parts: into so many parts of equal size the training images of a set are dealt; an epoch shows one of them, each epoch another, and
            so many epochs together are a pass over (nearly) all. 1: each epoch is a pass. With few passes over many images it makes more
            epochs, after which a training can be looked at and stopped.
        batch_size: images in a step, at least 2 (batch normalisation of a pooled feature map needs two values). Images are dealt out
            evenly: batches of one pass differ by at most one image, and none holds a single one.
        learning_rate: the peak, after the warm-up.
        weight_decay: AdamW's, per step in units of the learning rate; weights only, not norms and biases.
        warmup: share of all steps (0..1, 1 excluded) over which the learning rate rises linearly: AdamW's first steps rest
            on a handful of gradients.
        ema_decay: share of the moving average that a step keeps, 0 (none: the weights themselves) to below 1. It is approached from below,
            `(1 + step) / (10 + step)`, so that a short training is not dominated by its initialisation.
        loss: name of what is minimised, one of `LOSSES`: cross-entropy with another term that looks at whole classes, outlines or
            centrelines rather than at pixels.
        dice_weight: weight of that other term (Dice, in `"ce_dice"`) beside the cross-entropy's 1.
        class_weights: how the cross-entropy weighs a class by its share of the pixels: `"sqrt"` by 1 / sqrt(share), `"inverse"` by
            1 / share, `"none"` not at all.
        validations: how often in the whole length the validation set is evaluated, 1 to `epochs`; evenly spread, and always
            after the last epoch.
        seed: of the order of images and of what the network draws itself (dropout); the caller draws the initial weights.
        max_grad_norm: longest gradient, over all parameters together; `None` to leave it as it is. Rare classes make for rare long
            gradients: mean IoU 0.50 with it and 0.44 without (two 10k networks, two seeds, 300 steps on 64 x 64 synthetic pictures).

    Raises:
        UserError: if a number is outside its range.
    """

    epochs: int = 10
    parts: int = 1
    batch_size: int = 8
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    warmup: float = 0.1
    ema_decay: float = 0.98
    loss: str = "ce_dice"
    dice_weight: float = 1.0
    class_weights: ClassWeights = "sqrt"
    validations: int = 1
    seed: int = 0
    max_grad_norm: float | None = 1.0

    def __post_init__(self) -> None:
        _at_least("epochs", self.epochs, 1)
        _at_least("parts", self.parts, 1)
        _at_least("batch_size", self.batch_size, 2)
        _at_least("validations", self.validations, 1)
        _at_least("seed", self.seed, 0)
        if self.validations > self.epochs:
            raise UserError(f"validations must be at most epochs, {self.epochs}; got {self.validations}")
        _between("learning_rate", self.learning_rate, 0, math.inf, low_included=False)
        _between("weight_decay", self.weight_decay, 0, math.inf)
        _between("warmup", self.warmup, 0, 1)
        _between("ema_decay", self.ema_decay, 0, 1)
        _between("dice_weight", self.dice_weight, 0, math.inf)
        if self.max_grad_norm is not None:
            _between("max_grad_norm", self.max_grad_norm, 0, math.inf, low_included=False)
        if self.loss not in LOSSES:
            raise UserError(f"loss must be one of {', '.join(LOSSES)}; got {self.loss!r}")
        if self.class_weights not in get_args(ClassWeights):
            raise UserError(f"class_weights must be one of {', '.join(get_args(ClassWeights))}; got {self.class_weights!r}")

    def validates(self, epoch: int) -> bool:
        """Say whether the validation set is evaluated after an epoch.

        Args:
            epoch: epochs completed, 1 to `epochs`.

        Returns:
            True for `validations` epochs of the whole length, the last among them.
        """
        return epoch * self.validations // self.epochs > (epoch - 1) * self.validations // self.epochs

    def as_dict(self) -> dict[str, Any]:
        """Give the fields, JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Recipe":
        """Rebuild a recipe; fields that are not given have their defaults.

        Args:
            stored: what `as_dict` gave, or a part of it.

        Raises:
            UserError: if a name is not that of a field, or a number is outside its range.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(stored) - set(known))
        if unknown:
            raise UserError(f"a recipe has no {', '.join(unknown)}; its fields are {', '.join(known)}")
        return cls(**stored)


def _at_least(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(f"{name} must be a whole number of at least {least}; got {value!r}")


def _between(name: str, value: float, low: float, high: float, low_included: bool = True) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (low <= value < high) or (value == low and not low_included):
        least = "at least" if low_included else "more than"
        raise UserError(f"{name} must be {least} {low}" + (f" and below {high}" if high < math.inf else "") + f"; got {value!r}")
