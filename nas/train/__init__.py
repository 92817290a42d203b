"""Teaches any `nn.Module` to segment; has never heard of genomes or trials. `fit` is a generator of `EpochMetrics`."""

from nas.evaluate.normalise import MEAN, STD, normalise
from nas.train.batches import shown, steps_per_epoch
from nas.train.class_weights import class_weights
from nas.train.fit import Diverged, EpochMetrics, fit
from nas.train.losses import LOSSES, ce_dice
from nas.train.recipe import Recipe
from nas.train.state import TrainState, load_ema

__all__ = [
    "LOSSES",
    "MEAN",
    "STD",
    "Diverged",
    "EpochMetrics",
    "Recipe",
    "TrainState",
    "ce_dice",
    "class_weights",
    "fit",
    "load_ema",
    "normalise",
    "shown",
    "steps_per_epoch",
]
