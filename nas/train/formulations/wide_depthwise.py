"""Depthwise convolutions wider than three pixels: the gradient of their weights, in pieces three pixels wide.

oneDNN has a fast kernel for that gradient up to three columns; from four on it takes the general one, nine times slower (14 channels,
8 images of 64 x 64 pixels, one thread: 0.4 ms for 5 x 3 and 3.6 for 5 x 5). Each weight is a sum of its own, so the five columns of a
kernel are those of two kernels of three (`benchmarks/formulations.py`). Output and gradient of the input are the plain layer's own.

For training only: in eval mode, on a GPU and in an exported file the layer is the plain one.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PIECE = 3
"""Columns of a piece."""

MIN_PIXELS = 4096
"""Pixels of a batch below which the plain layer's lower overhead wins."""

MIN_PIXELS_FIRST = 2048
"""The same in channels-first order, in which the plain layer is slower (16 channels of 16 x 16: 1.30 against 0.63 ms a step)."""


def weight_grad(x: Tensor, grad: Tensor, height: int, width: int) -> Tensor:
    """Gradient of the weights of a 'same'-padded depthwise convolution.

    Args:
        x: `batch x channels x h x w`, the input.
        grad: the same shape, gradient of the output.
        height: of the kernel in pixels, odd.
        width: of the kernel in pixels, odd, at least `PIECE`.

    Returns:
        `channels x 1 x height x width`.
    """
    channels, columns = x.shape[1], x.shape[3]
    padded, like = F.pad(x, (width // 2, width // 2)), x.new_empty(channels, 1, height, PIECE)
    found = x.new_empty(channels, 1, height, width)
    for first in range(0, width, PIECE):
        first = min(first, width - PIECE)  # the last piece overlaps the one before
        seen = padded[..., first : first + columns + PIECE - 1]
        piece = _backward(grad, seen, like, (height // 2, 0), (False, True, False))[1]
        found[..., first : first + PIECE] = piece
    return found


def _backward(
    grad: Tensor, x: Tensor, weight: Tensor, padding: tuple[int, int], wanted: tuple[bool, bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        grad, x, weight, None, (1, 1), padding, (1, 1), False, (0, 0), x.shape[1], wanted
    )
    return found


class WideDepthwise(torch.autograd.Function):
    """A 'same'-padded depthwise convolution without bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        """`batch x channels x h x w` and `channels x 1 x height x width` -> the shape of `x`."""
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=_padding(weight), groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of input and weight."""
        x, weight = ctx.saved_tensors
        x_grad = _backward(grad, x, weight, _padding(weight), (True, False, False))[0] if ctx.needs_input_grad[0] else None
        return x_grad, weight_grad(x, grad, *weight.shape[2:]) if ctx.needs_input_grad[1] else None


def _padding(weight: Tensor) -> tuple[int, int]:
    return weight.shape[2] // 2, weight.shape[3] // 2


def faster_wide_depthwise(layer: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """Gives the forward that trains a layer faster; None if it is no such convolution.

    Args:
        layer: any.
    """
    if not isinstance(layer, nn.Conv2d) or layer.kernel_size[1] <= PIECE or any(side % 2 == 0 for side in layer.kernel_size):
        return None
    if not layer.groups == layer.in_channels == layer.out_channels or layer.bias is not None or layer.padding_mode != "zeros":
        return None
    if layer.stride != (1, 1) or layer.dilation != (1, 1) or layer.padding != tuple(side // 2 for side in layer.kernel_size):
        return None
    plain = layer.forward

    def forward(x: Tensor) -> Tensor:
        pixels = x.shape[0] * x.shape[2] * x.shape[3]
        if pixels < (MIN_PIXELS_FIRST if x.is_contiguous() else MIN_PIXELS):
            return plain(x)
        y: Tensor = WideDepthwise.apply(x, layer.weight)  # type: ignore[no-untyped-call]
        return y

    return forward
