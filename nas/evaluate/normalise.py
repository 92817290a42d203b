"""What every network sees: images as floats around zero, one mean and one deviation for all channels.

A network of this size has no pretrained stem that would ask for the three ImageNet means, and a single pair is two numbers in whatever file
travels with an exported model. The pair is the average of the ImageNet means (0.485, 0.456, 0.406) and deviations (0.229, 0.224, 0.225).
Training and measuring both come through here, so that they cannot drift apart.
"""

import torch
from torch import Tensor

MEAN = 0.45
"""Subtracted from every channel, in units of an image scaled to 0..1."""

STD = 0.225
"""Every channel is divided by this after the mean is taken off, in the same units."""

_SCALE = 1 / (255 * STD)
_SHIFT = -MEAN / STD


def normalise(images: Tensor) -> Tensor:
    """Turn stored images into a network's input: `(x / 255 - MEAN) / STD`.

    Args:
        images: `batch x height x width x C`, uint8, as a bank holds them.

    Returns:
        `batch x C x height x width`, float32, in `channels_last` memory format: the bytes were in NHWC order, so nothing is transposed.
    """
    return images.permute(0, 3, 1, 2).to(torch.float32).mul_(_SCALE).add_(_SHIFT)
