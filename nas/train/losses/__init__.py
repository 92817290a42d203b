"""What training may minimise: one file = one loss, its paper on top."""

from nas.train.losses.by_name import LOSSES, Loss
from nas.train.losses.ce_dice import ce_dice

__all__ = ["LOSSES", "Loss", "ce_dice"]
