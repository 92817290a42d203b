"""Bilinear enlargement by a whole factor, while it is trained on a CPU, in the form that suits map and memory order best.

Interpolation is linear and acts on rows and columns alone, so an image is enlarged by two products with small matrices, `A X B`, and its
gradient by the transposed ones. In channels-first order PyTorch goes pixel by pixel, and products are 2 to 4 times as fast while the zeros
in the matrices are few: 1.3 against 0.34 ms for 6 channels and 8 images from 16 x 16 to 64 x 64 pixels, forward and backward, one thread.
Larger maps are doubled as `doubling.py` says. `benchmarks/formulations.py` has the figures.

For training only: in eval mode, on a GPU and in an exported file the layer is the plain one.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.train.formulations.doubling import Doubling

MIN_NUMBERS = 16_384
"""Numbers of an enlarged batch below which the plain layer's lower overhead wins."""

SIDES = range(8, 33)
"""Rows and columns that products enlarge faster: below, the products are too small; above, the zeros too many."""

FEW = 8
"""Channels, such as those of logits, up to which products are worth another memory order at larger factors than two."""

MIN_PIXELS = 1024
"""Pixels of an image below which the plain backward is as fast as that of `doubling.py`."""


@lru_cache(maxsize=64)
def interpolation(length: int, factor: int, dtype: torch.dtype) -> Tensor:
    """The matrix that enlarges a column.

    Args:
        length: of the column.
        factor: by which it grows.
        dtype: of the matrix.

    Returns:
        `factor * length x length`.
    """
    columns = torch.eye(length, dtype=torch.float64).view(1, length, length, 1)
    larger = F.interpolate(columns, size=(factor * length, 1), mode="bilinear", align_corners=False)
    return larger[0, :, :, 0].t().to(dtype).contiguous()


class Products(torch.autograd.Function):
    """Bilinear enlargement of maps in channels-first order."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: int) -> Tensor:
        """`batch x channels x h x w` -> `batch x channels x factor * h x factor * w`."""
        batch, channels, height, width = x.shape
        ctx.rows, ctx.columns = interpolation(height, factor, x.dtype), interpolation(width, factor, x.dtype)
        wide = torch.mm(x.reshape(-1, width), ctx.columns.t()).view(batch * channels, height, -1)
        # Into the result's own memory: what a Function returns must not be a view, or no in-place activation could follow.
        y = x.new_empty(batch, channels, factor * height, factor * width)
        torch.matmul(ctx.rows, wide, out=y.view(batch * channels, factor * height, -1))
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Gradient of the input."""
        batch, channels, height, width = grad.shape
        flat = torch.matmul(ctx.rows.t(), grad.reshape(batch * channels, height, width)).view(-1, width)
        return torch.mm(flat, ctx.columns).view(batch, channels, ctx.rows.shape[1], ctx.columns.shape[1]), None


def faster_enlargement(layer: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """Gives the forward that trains a layer faster; None if it does not enlarge bilinearly by a whole factor with half-pixel centres.

    Args:
        layer: any.
    """
    if not isinstance(layer, nn.Upsample) or layer.mode != "bilinear" or layer.align_corners or layer.recompute_scale_factor:
        return None
    factors = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * 2
    if layer.size is not None or len(factors) != 2 or factors[0] != factors[1] or factors[0] not in (2, 4, 8, 16):
        return None
    plain, factor = layer.forward, int(factors[0])

    def forward(x: Tensor) -> Tensor:
        in_order = x.is_contiguous() or (factor > 2 and x.shape[1] <= FEW)
        if in_order and x.shape[2] in SIDES and x.shape[3] in SIDES and x.numel() * factor**2 >= MIN_NUMBERS:
            by_products: Tensor = Products.apply(x.contiguous(), factor)  # type: ignore[no-untyped-call]
            return by_products
        if factor == 2 and x.shape[2] * x.shape[3] >= MIN_PIXELS:
            doubled: Tensor = Doubling.apply(x)  # type: ignore[no-untyped-call]
            return doubled
        return plain(x)

    return forward
