"""Batch normalisation, while it is trained on a CPU, with several pixels side by side.

PyTorch's kernels for `channels_last` take one pixel at a time: with vectors of eight lanes, the last two of ten channels are done number by
number. With `fold` pixels in a row of `fold * channels` columns every lane is busy. Each column gets its own mean and variance, and those
of a channel follow from its columns' exactly (Chan, Golub and LeVeque 1979,
http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf). A step of the layer takes 0.6 instead of 1.7 ms for 10 channels
(8 images of 64 x 64 pixels, one thread, `benchmarks/formulations.py`).

For training only: in eval mode, on a GPU and in an exported file the layer is the plain one.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

COLUMNS = 256
"""A row is at most so long; 64 and 128 were slower."""

LANES = 8
"""Multiples of this leave no lane idle, and the plain layer is as fast (1.18 against 1.19 ms for 24 channels at 64 x 64)."""

MAX_CHANNELS = 24
"""From here on too few lanes are idle."""

MIN_NUMBERS = 150_000
"""Numbers in a batch below which the plain layer's lower overhead wins."""


def fold_of(channels: int, pixels: int) -> int:
    """How many pixels stand side by side: a power of two that divides the pixels."""
    fold = 1
    while 2 * fold * channels <= COLUMNS and pixels % (2 * fold) == 0:
        fold *= 2
    return fold


class FoldedNorm(torch.autograd.Function):
    """Batch normalisation of a `channels_last` batch by its own statistics."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, fold: int) -> tuple[Tensor, Tensor, Tensor]:
        """`batch x channels x h x w` -> the same normalised, and each channel's mean and (biased) variance."""
        channels = x.shape[1]
        rows = x.permute(0, 2, 3, 1).view(-1, fold * channels)
        column_means, column_variances = torch.batch_norm_update_stats(rows, None, None, 0.0)
        between, mean = torch.var_mean(column_means.view(fold, channels), 0, correction=0)
        variance = column_variances.view(fold, channels).mean(0).add_(between)
        repeated = torch.stack((weight, bias, mean, variance)).repeat(1, fold)
        y = torch.empty_like(x)
        unused = x.new_empty(0)
        # Written through a view: what a Function returns must not itself be a view, or no in-place ReLU could follow.
        into = y.permute(0, 2, 3, 1).view(-1, fold * channels)
        torch.ops.aten.native_batch_norm.out(
            rows, *repeated.unbind(), False, 0.0, eps, out=into, save_mean=unused, save_invstd=unused.clone()
        )
        ctx.save_for_backward(rows, weight, mean, variance, repeated)
        ctx.eps, ctx.fold, ctx.shape = eps, fold, x.shape
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of input, weight and bias."""
        rows, weight, mean, variance, repeated = ctx.saved_tensors
        fold, (batch, channels, height, width) = ctx.fold, ctx.shape
        flat = grad.permute(0, 2, 3, 1).reshape(rows.shape)
        # The evaluating form of the kernel sums gradient and gradient * normalised input in one pass.
        _, scales, shifts = torch.ops.aten.native_batch_norm_backward(
            flat, rows, repeated[0], repeated[2], repeated[3], None, None, False, ctx.eps, (False, True, True)
        )
        weight_grad, bias_grad = torch.stack((scales, shifts)).view(2, fold, channels).sum(1).unbind()
        # With n pixels, r = 1 / deviation and x' = (x - mean) r: w r (g - bias_grad / n - x' weight_grad / n), as a g + b x + c.
        inverse = (variance + ctx.eps).rsqrt_()
        a = weight * inverse
        by_pixels = a / (batch * height * width)
        b = -by_pixels * inverse * weight_grad
        c = -by_pixels * bias_grad - b * mean
        a, b, c = torch.stack((a, b, c)).repeat(1, fold).unbind()
        x_grad = torch.addcmul(c, rows, b).addcmul_(flat, a)
        return x_grad.view(batch, height, width, channels).permute(0, 3, 1, 2), weight_grad, bias_grad, None, None


def faster_norm(layer: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """Gives the forward that trains a layer faster; None if it is no batch normalisation with scale, shift and running statistics.

    Args:
        layer: any.
    """
    if not isinstance(layer, nn.BatchNorm2d) or not layer.affine or not layer.track_running_stats or layer.momentum is None:
        return None
    if layer.num_features % LANES == 0 or layer.num_features > MAX_CHANNELS:
        return None
    plain, momentum = layer.forward, layer.momentum

    def forward(x: Tensor) -> Tensor:
        channels, pixels = x.shape[1], x.shape[0] * x.shape[2] * x.shape[3]
        fold = fold_of(channels, pixels)
        if x.numel() < MIN_NUMBERS or fold == 1 or not layer.training or not x.is_contiguous(memory_format=torch.channels_last):
            return plain(x)
        y, mean, variance = FoldedNorm.apply(x, layer.weight, layer.bias, layer.eps, fold)  # type: ignore[no-untyped-call]
        # Looked up at each step: the first one gives the statistics memory of their own (`nas.train.flat`).
        running_mean, running_var, counter = layer.running_mean, layer.running_var, layer.num_batches_tracked
        assert running_mean is not None
        assert running_var is not None
        assert counter is not None
        with torch.no_grad():
            counter.add_(1)
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * (pixels / (pixels - 1)), momentum)
        normalised: Tensor = y
        return normalised

    return forward
