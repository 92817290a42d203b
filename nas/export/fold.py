"""The form of a network for inference: norms folded into the convolutions before them, computed kernels computed once.

A batch norm in use multiplies and shifts each channel by numbers that no longer change, which the convolution's weights and bias can do
(Jacob et al. 2018, https://arxiv.org/abs/1712.05877, section 3.2); a difference convolution is a plain one with a kernel of its own making.
"""

import copy

import torch
from torch import Tensor, nn

TOLERANCE = 1e-5
"""Largest difference that folding may make, relative to the largest number of the answer."""


def folded(model: nn.Module) -> nn.Module:
    """A copy of a network for inference.

    A module may say how it is folded: by `folded()`, which gives what takes its place, or by `absorb(scale, shift)`, which makes it
    multiply and shift the channels of its output from then on.

    Args:
        model: Any; in eval mode its answers are the copy's, but for rounding.

    Returns:
        The copy, in eval mode. Within an `nn.Sequential` a norm is folded into the convolution before it, plain or transposed, with a pixel
        shuffle between them or without, and into a module with `absorb`; others stay as they are. Of the built-in operators' that is the
        one of `conv_pool` alone, where a part of the channels comes from pooling.
    """
    made = copy.deepcopy(model)
    for parent in list(made.modules()):
        for name, child in list(parent.named_children()):
            if callable(plain := getattr(child, "folded", None)):
                setattr(parent, name, plain())
    made.eval()
    with torch.no_grad():
        for parent in list(made.modules()):
            if isinstance(parent, nn.Sequential):
                _fold_norms(parent)
    return made


def _fold_norms(layers: nn.Sequential) -> None:
    names = list(layers._modules)
    for at, name in enumerate(names):
        norm, before = layers._modules[name], at - 1
        if not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None or norm.running_var is None or before < 0:
            continue
        scale = (norm.running_var + norm.eps).rsqrt() * (1 if norm.weight is None else norm.weight)
        shift = (0 if norm.bias is None else norm.bias) - norm.running_mean * scale
        if isinstance(shuffle := layers._modules[names[before]], nn.PixelShuffle) and before > 0:
            # It makes each channel of so many that follow each other.
            scale, shift = (one.repeat_interleave(shuffle.upscale_factor**2) for one in (scale, shift))
            before -= 1
        # A copy, since a layer may stand in several places, and before a norm in one of them alone.
        taker = copy.deepcopy(layers._modules[names[before]])
        if taker is not None and _absorbed(taker, scale, shift):
            layers._modules[names[before]], layers._modules[name] = taker, nn.Identity()


def _absorbed(layer: nn.Module, scale: Tensor, shift: Tensor) -> bool:
    """Lets a layer multiply and shift the channels of its output, where it can; says whether."""
    if callable(own := getattr(layer, "absorb", None)):
        own(scale, shift)
    elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.out_channels == len(scale):
        factor = scale.view(-1, 1, 1, 1)
        if isinstance(layer, nn.ConvTranspose2d):
            # Its weights are inputs x outputs of a group: each input of a group meets the same outputs.
            inputs = layer.in_channels // layer.groups
            factor = scale.view(layer.groups, -1).repeat_interleave(inputs, 0)[..., None, None]
        layer.weight = nn.Parameter(layer.weight * factor)
        layer.bias = nn.Parameter(shift if layer.bias is None else layer.bias * scale + shift)
    else:
        return False
    return True
