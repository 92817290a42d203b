"""Parameters, multiply-accumulates and output sizes of the elementary layers, in closed form.

The convention is written in `nas.cost`.
"""


def conv_params(in_channels: int, out_channels: int, kernel: int, groups: int = 1, *, bias: bool = False) -> int:
    """Weights of a square convolution, and biases where it has them."""
    return in_channels // groups * out_channels * kernel * kernel + (out_channels if bias else 0)


def conv_macs(in_channels: int, out_channels: int, kernel: int, pixels: int, groups: int = 1) -> int:
    """Multiply-accumulates of a square convolution; `pixels` is output height times width."""
    return in_channels // groups * out_channels * kernel * kernel * pixels


def norm_params(channels: int) -> int:
    """Scale and shift of a batch normalisation."""
    return 2 * channels


def strided(size: int, stride: int) -> int:
    """Output height or width of a 'same'-padded operator: every strided operator rounds up."""
    return -(-size // stride)
