"""1 x 1 convolutions, while they are trained on a CPU, as products of matrices wide enough for a vector unit.

In `channels_last` a 1 x 1 convolution is a product of `pixels x in` with `in x out`. PyTorch, with one thread and fewer than 16 images,
unfolds each image instead; and with ten channels a product uses ten of the sixteen lanes of an AVX-512 unit. So several pixels stand side
by side in a row, `pixels / fold x fold * in`, and the weights on a block diagonal: the same sums and some products with zero. A step of the
layer takes 1.2 instead of 2.6 ms for 10 to 10 channels, 1.3 instead of 1.5 for 16 to 16 (8 images of 64 x 64 pixels, one thread,
`benchmarks/formulations.py`).

For training only: in eval mode, on a GPU and in an exported file the layer is the plain one.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

LANES = 13
"""From so many channels on a product is not made wider: the zeros would cost more than the idle lanes."""

MAX_WIDTH = 40
"""Columns of the wider side, above which it is not made wider either."""

MIN_PIXELS = 16_384
"""Pixels of a batch below which the plain layer's lower overhead wins."""


def fold_of(in_channels: int, out_channels: int, pixels: int) -> int:
    """How many pixels stand side by side: a power of two that divides the pixels."""
    fold, narrow, wide = 1, min(in_channels, out_channels), max(in_channels, out_channels)
    while 2 * fold * wide <= MAX_WIDTH and fold * narrow < LANES and pixels % (2 * fold) == 0:
        fold *= 2
    return fold


def block_diagonal(weight: Tensor, fold: int) -> Tensor:
    """Repeats a matrix on a diagonal: `out x in` -> `fold * out x fold * in`."""
    if fold == 1:
        return weight
    rows, columns = weight.shape
    wide = weight.new_zeros(fold, rows, fold, columns)
    wide.diagonal(dim1=0, dim2=2).copy_(weight.unsqueeze(-1).expand(rows, columns, fold))
    return wide.view(fold * rows, fold * columns)


class Pointwise(torch.autograd.Function):
    """A 1 x 1 convolution of a `channels_last` batch, without its bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        """`batch x in x h x w` and `out x in x 1 x 1` -> `batch x out x h x w`, `channels_last`."""
        batch, channels, height, width = x.shape
        out, pixels = weight.shape[0], batch * height * width
        fold = fold_of(channels, out, pixels)
        rows = x.permute(0, 2, 3, 1).reshape(pixels // fold, fold * channels)
        wide = block_diagonal(weight.view(out, channels), fold)
        ctx.save_for_backward(rows, wide)
        ctx.sizes = (batch, channels, height, width, out, fold)
        # Written through a view: what a Function returns must not itself be a view, or no in-place ReLU could follow.
        y = torch.empty((batch, out, height, width), dtype=x.dtype, memory_format=torch.channels_last)
        torch.mm(rows, wide.t(), out=y.permute(0, 2, 3, 1).view(pixels // fold, fold * out))
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of input and weight."""
        rows, wide = ctx.saved_tensors
        batch, channels, height, width, out, fold = ctx.sizes
        flat = grad.permute(0, 2, 3, 1).reshape(rows.shape[0], fold * out)
        x_grad = torch.mm(flat, wide).view(batch, height, width, channels).permute(0, 3, 1, 2) if ctx.needs_input_grad[0] else None
        w_grad = None
        if ctx.needs_input_grad[1]:
            w_grad = torch.mm(flat.t(), rows)
            if fold > 1:
                w_grad = w_grad.view(fold, out, fold, channels).diagonal(dim1=0, dim2=2).sum(-1)
            w_grad = w_grad.view(out, channels, 1, 1)
        return x_grad, w_grad


def faster_pointwise(layer: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """Gives the forward that trains a layer faster; None if it is no plain 1 x 1 convolution.

    Args:
        layer: any.
    """
    if not isinstance(layer, nn.Conv2d) or layer.kernel_size != (1, 1) or layer.groups != 1:
        return None
    if layer.stride != (1, 1) or layer.padding != (0, 0):
        return None
    plain = layer.forward

    def forward(x: Tensor) -> Tensor:
        if x.shape[0] * x.shape[2] * x.shape[3] < MIN_PIXELS or not x.is_contiguous(memory_format=torch.channels_last):
            return plain(x)
        y: Tensor = Pointwise.apply(x, layer.weight)  # type: ignore[no-untyped-call]
        return y if layer.bias is None else y + layer.bias.view(-1, 1, 1)

    return forward
