"""Losses by name; a new one is a file here and a line in `LOSSES`."""

from collections.abc import Callable, Mapping

from torch import Tensor

from nas.train.losses.boundary import boundary
from nas.train.losses.ce_dice import ce_dice
from nas.train.losses.cldice import cldice
from nas.train.losses.focal import focal
from nas.train.losses.lovasz import lovasz

Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""Of logits, mask, class weights and the weight of the term beside the cross-entropy."""

LOSSES: Mapping[str, Loss] = {"ce_dice": ce_dice, "focal": focal, "lovasz": lovasz, "boundary": boundary, "cldice": cldice}
"""What a recipe may name."""
