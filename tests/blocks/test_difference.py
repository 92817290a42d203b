"""Pixel difference filters: the kernels of the papers, and one plain convolution that equals each."""

import pytest
import torch

from nas.blocks.difference import DifferenceFilter

DIFFERENCES = ("central", "angular", "radial")
TURNED = [3, 0, 1, 6, 4, 2, 7, 8, 5]
"""PiDiNet's clockwise turn of a 3 x 3 kernel, row by row."""


def clockwise(kernel: torch.Tensor) -> torch.Tensor:
    """The ring of 3 x 3 kernels as `DifferenceFilter` keeps it."""
    return kernel.flatten(2)[..., [0, 1, 2, 5, 8, 7, 6, 3]]


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_folded_convolution_equals_the_filter(difference):
    module = DifferenceFilter(5, difference)
    x = torch.randn(2, 5, 11, 7)
    torch.testing.assert_close(module.folded()(x), module(x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_flat_images_give_nothing(difference):
    module = DifferenceFilter(3, difference)
    inside = module(torch.ones(1, 3, 9, 9))[..., 2:-2, 2:-2]
    torch.testing.assert_close(inside, torch.zeros_like(inside), atol=1e-6, rtol=0)


def test_angular_is_the_published_kernel():
    published = torch.randn(4, 1, 3, 3)
    module = DifferenceFilter(4, "angular")
    module.weight = torch.nn.Parameter(clockwise(published))
    turned = published.flatten(2)[..., TURNED].view_as(published)
    torch.testing.assert_close(module.kernel(), published - turned)


def test_radial_is_the_published_kernel():
    published = torch.randn(4, 1, 3, 3)
    ring = published.flatten(2)[..., [0, 1, 2, 3, 5, 6, 7, 8]]
    expected = torch.zeros(4, 1, 25)
    expected[..., [0, 2, 4, 10, 14, 20, 22, 24]] = ring
    expected[..., [6, 7, 8, 11, 13, 16, 17, 18]] = -ring
    module = DifferenceFilter(4, "radial")
    module.weight = torch.nn.Parameter(clockwise(published))
    torch.testing.assert_close(module.kernel(), expected.view(4, 1, 5, 5))


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_every_weight_learns(difference):
    module = DifferenceFilter(3, difference)
    module(torch.randn(1, 3, 8, 8)).square().sum().backward()
    assert (module.weight.grad != 0).sum() >= 3 * 8
