"""What any network costs, counted while it answers one image: parameters and multiply-accumulates.

In the convention of the search's closed form (`nas/cost.py`): convolutions and linear layers, one multiply-accumulate = 1, zero taps of a
fixed kernel included. That form is exact for genomes; this one is for whatever a person brings.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nas.evaluate.answer import asked, told_domain


@dataclass(frozen=True)
class MeasuredCost:
    """Cost of one image.

    Attributes:
        params: Numbers in all `nn.Parameter`s, raw ones included.
        macs: Multiply-accumulates of convolutions and matrix products.
    """

    params: int
    macs: int


def measured_cost(model: nn.Module, in_shape: tuple[int, int, int], domain: int | None = None) -> MeasuredCost:
    """Counts while a network answers an image of zeros.

    Args:
        model: Any, on the CPU; its modes and statistics stay as they are.
        in_shape: Channels, height and width.
        domain: Position of the head that answers, for a network with several; None for all of them.

    Raises:
        UserError: It does not take such an image.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            asked(model, torch.zeros(1, *in_shape), told_domain(model, domain))
    finally:
        for module, mode in modes:
            module.training = mode
    return MeasuredCost(sum(parameter.numel() for parameter in model.parameters()), counter.get_total_flops() // 2)
