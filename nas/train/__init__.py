"""Teaches any `nn.Module` to segment; has never heard of genomes or trials. `fit` is a generator of `EpochMetrics`."""

from nas.evaluate.normalise import MEAN, STD, normalise
from nas.train.fit import Diverged, EpochMetrics, fit
from nas.train.loss import class_weights, segmentation_loss
from nas.train.recipe import Recipe
from nas.train.state import TrainState, load_ema

__all__ = [
    "MEAN",
    "STD",
    "Diverged",
    "EpochMetrics",
    "Recipe",
    "TrainState",
    "class_weights",
    "fit",
    "load_ema",
    "normalise",
    "segmentation_loss",
]
