"""The layer that most modules of the vocabulary are made of; an exported file carries it once."""

from torch import nn


def conv_norm(in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, dilation: int = 1, groups: int = 1) -> list[nn.Module]:
    """'Same'-padded convolution without bias, then batch normalisation."""
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, dilation, groups, bias=False)
    return [conv, nn.BatchNorm2d(out_channels)]
