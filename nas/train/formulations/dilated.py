"""Dilated depthwise convolutions, while they are trained on a CPU, as undilated ones over the residue classes of the positions.

A filter of dilation d never mixes positions whose row or column differ modulo d. So the d x d sub-images of every d-th pixel can be
convolved as images of their own without dilation, and put back: the same sums (space-to-batch, as in Chen et al., DeepLab, 2017,
https://arxiv.org/abs/1606.00915, section 3.1). PyTorch's backward of a dilated depthwise convolution is 4 to 9 times slower than that of
an undilated one; this way a step of the layer is 1.2 to 2.7 times faster from 16 x 16 pixels up (`benchmarks/dilated_depthwise.py`).

For training only: in eval mode, on a GPU and in an exported file the layer is the plain one.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

MIN_SIDE = 16
"""Pixels of the shorter side below which the copies cost what the backward saves."""


def convolve_residues(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """'Same'-padded depthwise 3 x 3 convolution of a dilation.

    Args:
        x: `batch x channels x h x w`, best in `channels_last`.
        weight: `channels x 1 x 3 x 3`.
        dilation: in pixels.

    Returns:
        `batch x channels x h x w`, what `F.conv2d(x, weight, padding=dilation, dilation=dilation, groups=channels)` gives.
    """
    batch, channels, height, width = x.shape
    rows, columns = -(-height // dilation), -(-width // dilation)
    # What is added is beyond the border, where the plain convolution reads zeros too.
    padded = F.pad(x, (0, columns * dilation - width, 0, rows * dilation - height)) if (height % dilation or width % dilation) else x
    parts = padded.permute(0, 2, 3, 1).reshape(batch, rows, dilation, columns, dilation, channels).permute(0, 2, 4, 1, 3, 5)
    images = parts.reshape(batch * dilation * dilation, rows, columns, channels).permute(0, 3, 1, 2)
    done = F.conv2d(images, weight, padding=1, groups=channels).permute(0, 2, 3, 1)
    back = done.reshape(batch, dilation, dilation, rows, columns, channels).permute(0, 3, 1, 4, 2, 5)
    return back.reshape(batch, rows * dilation, columns * dilation, channels).permute(0, 3, 1, 2)[..., :height, :width]


def faster_dilated(layer: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """Gives the forward that trains a layer faster; None if it is no dilated depthwise 3 x 3 convolution.

    Args:
        layer: any.
    """
    if not isinstance(layer, nn.Conv2d) or not _fits(layer):
        return None
    plain = layer.forward

    def forward(x: Tensor) -> Tensor:
        if min(x.shape[-2:]) < MIN_SIDE:
            return plain(x)
        return convolve_residues(x, layer.weight, layer.dilation[0])

    return forward


def _fits(layer: nn.Conv2d) -> bool:
    dilation = layer.dilation[0]
    return (
        dilation > 1
        and layer.groups == layer.in_channels == layer.out_channels
        and layer.kernel_size == (3, 3)
        and layer.stride == (1, 1)
        and layer.padding == layer.dilation == (dilation, dilation)
        and layer.padding_mode == "zeros"
        and layer.bias is None
    )
