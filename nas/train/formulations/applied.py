"""Layers of a network, while it is trained on a CPU, in forms that compute the same numbers faster.

Each form is a file of its own with a function that looks at a layer and gives its faster forward, or None. The sums are the plain
layer's in another order, so results differ from it by rounding (some 1e-6 of the largest number), and not from run to run.

In eval mode, on a GPU and in an exported file a layer is the plain one. So is one of a class derived from PyTorch's, whose forward may be
another, such as a norm with an activation of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from nas.train.formulations.dilated import faster_dilated
from nas.train.formulations.enlarging import faster_enlargement
from nas.train.formulations.folded_norm import faster_norm
from nas.train.formulations.per_channel import faster_per_channel
from nas.train.formulations.pointwise import faster_pointwise
from nas.train.formulations.small_maps import faster_small_maps
from nas.train.formulations.wide_depthwise import faster_wide_depthwise

FORMULATIONS: tuple[Callable[[nn.Module], Callable[[Tensor], Tensor] | None], ...] = (
    faster_dilated,
    faster_enlargement,
    faster_norm,
    faster_per_channel,
    faster_pointwise,
    faster_wide_depthwise,
    faster_small_maps,
)
"""In this order; where two take the same layer, a later one hands maps that do not suit it to the earlier one."""


PLAIN = (nn.Conv2d, nn.BatchNorm2d, nn.Upsample)
"""What the forms stand for."""


def _is_plain(layer: nn.Module) -> bool:
    """Whether a layer computes what PyTorch's own class does."""
    kind = type(layer).__base__ if is_parametrized(layer) else type(layer)  # A parametrised layer has a class of its own.
    return kind in PLAIN and "forward" not in vars(layer)


@contextmanager
def fast_layers(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Lets the layers of a model train fast, on a CPU; elsewhere it does nothing.

    Args:
        model: whose layers are changed until the block ends.
        device: where it trains.
    """
    changed: set[nn.Module] = set()
    try:
        for layer in filter(_is_plain, model.modules()) if device.type == "cpu" else ():
            for formulation in FORMULATIONS:
                if (forward := formulation(layer)) is not None:
                    layer.forward = forward
                    changed.add(layer)
        yield
    finally:
        for layer in changed:
            del layer.forward
