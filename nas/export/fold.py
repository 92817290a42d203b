"""The form of a network for inference: norms folded into the convolutions before them, computed kernels computed once.

A batch norm in use multiplies and shifts each channel by numbers that no longer change, which the convolution's weights and bias can do
(Jacob et al. 2018, https://arxiv.org/abs/1712.05877, section 3.2); a difference convolution is a plain one with a kernel of its own making.
"""

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

TOLERANCE = 1e-5
"""Largest difference that folding may make, relative to the largest number of the answer."""


def folded(model: nn.Module) -> nn.Module:
    """A copy of a network for inference.

    Args:
        model: Any; in eval mode its answers are the copy's, but for rounding.

    Returns:
        The copy, in eval mode. Norms that do not follow a convolution within an `nn.Sequential` stay as they are.
    """
    made = copy.deepcopy(model)
    for parent in list(made.modules()):
        for name, child in list(parent.named_children()):
            if callable(plain := getattr(child, "folded", None)):
                setattr(parent, name, plain())
    made.eval()
    for parent in list(made.modules()):
        if isinstance(parent, nn.Sequential):
            _fold_pairs(parent)
    return made


def _fold_pairs(layers: nn.Sequential) -> None:
    for first, second in pairwise(list(layers._modules)):
        one, other = layers._modules[first], layers._modules[second]
        if isinstance(one, nn.Conv2d) and isinstance(other, nn.BatchNorm2d) and one.out_channels == other.num_features:
            layers._modules[first] = fuse_conv_bn_eval(one, other)
            layers._modules[second] = nn.Identity()
