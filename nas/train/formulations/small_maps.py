"""Depthwise convolutions of small maps, while they are trained on a CPU, as products with matrices.

What a filter does to a map of 4 x 4 pixels is a matrix of 16 x 16, a sum of its weights times where their taps stand. oneDNN prepares
two or three kernels for such a layer, 0.23 ms a step whatever its size, and needs twice as long where the filter is dilated or wide;
the products take 0.09 ms at 2 x 2 pixels, 0.11 to 0.18 at 4 x 4 and 0.42 instead of 0.57 for 28 dilated channels at 8 x 8 (8 images, one
thread, `benchmarks/formulations.py`). In `channels_last` putting the maps into order takes longer than that, and they go the plain way.

For training only: in eval mode, on a GPU and in an exported file the layer is the plain one.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAX_NUMBERS = 16_384
"""Numbers in the matrices of all channels above which they take longer than the plain layer."""

MAX_NUMBERS_WIDE = 131_072
"""The same for filters that are dilated or wider than three pixels."""

Pair = tuple[int, int]
Geometry = tuple[Pair, Pair, Pair, Pair]
"""Kernel, stride, padding and dilation, each as rows and columns."""


@lru_cache(maxsize=64)
def taps(size: Pair, geometry: Geometry, dtype: torch.dtype) -> tuple[Tensor, Pair]:
    """Where each weight of a filter stands in the matrix of the filter.

    Args:
        size: height and width of the input.
        geometry: of the filter.
        dtype: of the result.

    Returns:
        `weights x (input pixels * output pixels)`, zeros and ones, and the output's height and width.
    """
    kernel, stride, padding, dilation = geometry
    pixels, weights = size[0] * size[1], kernel[0] * kernel[1]
    single = torch.eye(pixels, dtype=dtype).view(pixels, 1, *size)
    filters = torch.eye(weights, dtype=dtype).view(weights, 1, *kernel)
    answers = F.conv2d(single, filters, None, stride, padding, dilation)
    out = (int(answers.shape[2]), int(answers.shape[3]))
    return answers.flatten(2).transpose(0, 1).reshape(weights, -1).contiguous(), out


class SmallMaps(torch.autograd.Function):
    """A depthwise convolution without bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
        """`batch x channels x h x w` and `channels x 1 x kernel` -> `batch x channels x out h x out w`."""
        batch, channels, height, width = x.shape
        ctx.where, (rows, columns) = taps((height, width), geometry, x.dtype)
        matrices = torch.mm(weight.view(channels, -1), ctx.where).view(channels, height * width, rows * columns)
        flat = x.view(batch, channels, -1)
        y = x.new_empty(batch, channels, rows, columns)
        torch.bmm(flat.transpose(0, 1), matrices, out=y.view(batch, channels, -1).transpose(0, 1))
        ctx.save_for_backward(flat, weight, matrices)
        ctx.size = x.shape
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Gradients of input and weight."""
        flat, weight, matrices = ctx.saved_tensors
        by_channel, x_grad, weight_grad = grad.reshape(*grad.shape[:2], -1).transpose(0, 1), None, None
        if ctx.needs_input_grad[0]:
            x_grad = torch.empty_like(flat)
            torch.bmm(by_channel, matrices.transpose(1, 2), out=x_grad.transpose(0, 1))
            x_grad = x_grad.view(ctx.size)
        if ctx.needs_input_grad[1]:
            slopes = torch.bmm(flat.permute(1, 2, 0), by_channel)
            weight_grad = torch.mm(slopes.view(len(slopes), -1), ctx.where.t()).view(weight.shape)
        return x_grad, weight_grad, None


def faster_small_maps(layer: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """Gives the forward that trains a layer faster; None if it is no depthwise convolution without bias.

    Args:
        layer: any.
    """
    if not isinstance(layer, nn.Conv2d) or layer.bias is not None or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        return None
    if not 1 < layer.groups == layer.in_channels == layer.out_channels or layer.kernel_size == (1, 1):
        return None
    otherwise = layer.forward
    geometry = tuple((int(one[0]), int(one[1])) for one in (layer.kernel_size, layer.stride, layer.padding, layer.dilation))
    most = MAX_NUMBERS_WIDE if max(*layer.dilation) > 1 or layer.kernel_size[1] > 3 else MAX_NUMBERS

    def forward(x: Tensor) -> Tensor:
        numbers = layer.in_channels * (x.shape[2] * x.shape[3]) ** 2
        if numbers > most * layer.stride[0] * layer.stride[1] or not x.is_contiguous():
            return otherwise(x)
        y: Tensor = SmallMaps.apply(x, layer.weight, geometry)  # type: ignore[no-untyped-call]
        return y

    return forward
