"""The fast formulation gives the plain convolution's numbers, and leaves no trace."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from nas.train.formulations import fast_layers
from nas.train.formulations.dilated import convolve_residues, faster_dilated


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 40), st.integers(1, 40), st.integers(2, 9))
def test_outputs_and_gradients_are_the_plain_ones(batch, channels, height, width, dilation):
    x = torch.randn(batch, channels, height, width, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(channels, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    plain = F.conv2d(x, weight, padding=dilation, dilation=dilation, groups=channels)
    fast = convolve_residues(x, weight, dilation)
    torch.testing.assert_close(fast, plain)
    direction = torch.randn_like(plain)
    torch.testing.assert_close(torch.autograd.grad(fast, (x, weight), direction), torch.autograd.grad(plain, (x, weight), direction))


def test_only_the_layers_it_is_for_are_changed():
    changed = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False)
    others = [
        nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, bias=False),
        nn.Conv2d(4, 8, 3, padding=2, dilation=2, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False, padding_mode="reflect"),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, stride=2, groups=4, bias=False),
        nn.Conv2d(4, 4, 5, padding=4, dilation=2, groups=4, bias=False),
    ]
    assert faster_dilated(changed) is not None
    assert [faster_dilated(layer) for layer in others] == [None] * len(others)


def test_the_layer_is_plain_again_after_an_error():
    layer = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False)

    def fails():
        with fast_layers(layer, torch.device("cpu")):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert "forward" not in vars(layer)


def test_the_network_trains_to_the_same_weights():
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 4, 3, padding=4, dilation=4, groups=4, bias=False)
    x = torch.randn(2, 4, 24, 20)
    layer(x).square().mean().backward()
    plain = layer.weight.grad.clone()
    layer.weight.grad = None
    with fast_layers(layer, torch.device("cpu")):
        layer(x).square().mean().backward()
    torch.testing.assert_close(layer.weight.grad, plain)


def test_another_device_is_left_alone():
    layer = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False)
    with fast_layers(layer, torch.device("cuda")):
        assert "forward" not in vars(layer)
