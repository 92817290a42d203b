"""Faster forms of layers give the plain layers' numbers, are used where they are meant to be, and leave no trace."""

import copy
from collections.abc import Iterator

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from nas.train.formulations import FORMULATIONS, enlarging, fast_layers, folded_norm, pointwise, small_maps, wide_depthwise
from nas.train.formulations.wide_depthwise import faster_wide_depthwise

CPU, GPU = torch.device("cpu"), torch.device("cuda")

# A layer that each form takes, by the name of what autograd records for it.
TAKEN = {
    "DoublingBackward": nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False),
    "ProductsBackward": nn.Upsample(scale_factor=4.0, mode="bilinear", align_corners=False),
    "FoldedNormBackward": nn.BatchNorm2d(5),
    "PointwiseBackward": nn.Conv2d(5, 7, 1, bias=False),
    "WideDepthwiseBackward": nn.Conv2d(5, 5, 5, padding=2, groups=5, bias=False),
    "SmallMapsBackward": nn.Conv2d(5, 5, 3, padding=1, groups=5, bias=False),
    "SliceBackward0": nn.Conv2d(5, 5, 3, padding=2, dilation=2, groups=5, bias=False),
    "MulBackward0": nn.Conv2d(5, 5, 1, groups=5, bias=False),
}
LEFT_ALONE = [
    nn.Upsample(scale_factor=3.0, mode="bilinear"),
    nn.Upsample(scale_factor=(2.0, 4.0), mode="bilinear"),
    nn.Upsample(scale_factor=4.0),
    nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=True),
    nn.Upsample(scale_factor=2.0),
    nn.Upsample(size=(20, 20), mode="bilinear"),
    nn.BatchNorm2d(24),
    nn.BatchNorm2d(40),
    nn.BatchNorm2d(5, affine=False),
    nn.BatchNorm2d(5, track_running_stats=False),
    nn.BatchNorm2d(5, momentum=None),
    nn.Conv2d(4, 8, 1, stride=2),
    nn.Conv2d(4, 8, 1, groups=2),
    nn.Conv2d(4, 8, 1, padding=1),
    nn.Conv2d(4, 4, 5, padding=2, bias=False),
    nn.Conv2d(4, 4, 5, padding=2, groups=4),
    nn.Conv2d(4, 4, 5, padding=2, groups=4, bias=False, padding_mode="reflect"),
    nn.Conv2d(4, 4, 5, padding="same", groups=4, bias=False),
    nn.Conv2d(4, 8, 3, padding=1, groups=4, bias=False),
    nn.Conv2d(1, 1, 3, padding=1, bias=False),
]
NOT_WIDE = [
    nn.Conv2d(4, 4, 5, padding=1, groups=4, bias=False),
    nn.Conv2d(4, 4, 5, padding=2, stride=2, groups=4, bias=False),
    nn.Conv2d(4, 4, 5, padding=4, dilation=2, groups=4, bias=False),
    nn.Conv2d(4, 4, (5, 3), padding=(2, 1), groups=4, bias=False),
]


@pytest.fixture(autouse=True, scope="module")
def _however_small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (folded_norm, enlarging):
            patch.setattr(module, "MIN_NUMBERS", 0)
        for module in (enlarging, pointwise, wide_depthwise):
            patch.setattr(module, "MIN_PIXELS", 0)
        patch.setattr(small_maps, "MAX_NUMBERS", 10**6)
        patch.setattr(small_maps, "MAX_NUMBERS_WIDE", 0)
        yield


def channels_last(*shape: int) -> torch.Tensor:
    return (torch.randn(*shape, dtype=torch.float64) * 2 + 1).contiguous(memory_format=torch.channels_last)


def channels_first(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64) * 2 + 1


def assert_same(layer: nn.Module, x: torch.Tensor, keeps_order: bool = True) -> None:
    """Output, its layout in memory, gradients and buffers."""
    found = []
    for device in (CPU, GPU):  # where nothing is changed
        own, given_ = copy.deepcopy(layer), x.clone().requires_grad_()
        with fast_layers(own, device):
            y = own(given_)
        y.backward(torch.arange(y.numel(), dtype=y.dtype).view_as(y).sin())
        found.append([y.detach(), given_.grad, *[p.grad for p in own.parameters()], *own.buffers()])
        orders = [one for one in (torch.contiguous_format, torch.channels_last) if x.is_contiguous(memory_format=one)]
        kept = any(y.is_contiguous(memory_format=one) for one in orders)
        assert device == GPU or not keeps_order or y[0, 0].numel() <= 4 or kept
    torch.testing.assert_close(*found)


side = st.integers(1, 24)
some = settings(deadline=None, max_examples=40)


@some
@given(st.integers(1, 5), st.integers(1, 40), st.integers(1, 40), side, side, st.booleans())
def test_pointwise(batch, channels, out, height, width, bias):
    assert_same(nn.Conv2d(channels, out, 1, bias=bias).double(), channels_last(batch, channels, height, width))


@some
@given(st.integers(2, 5), st.integers(1, 24), side, side)
def test_norm(batch, channels, height, width):
    layer = nn.BatchNorm2d(channels, momentum=0.3).double()
    nn.init.uniform_(layer.weight, 0.5, 2)
    nn.init.uniform_(layer.bias, -1, 1)
    assert_same(layer, channels_last(batch, channels, height, width))


@some
@given(st.integers(1, 3), st.integers(1, 6), side, side, st.sampled_from([1, 3, 5, 7]), st.sampled_from([5, 7, 9]))
def test_wide_depthwise(batch, channels, height, width, rows, columns):
    layer = nn.Conv2d(channels, channels, (rows, columns), padding=(rows // 2, columns // 2), groups=channels, bias=False)
    assert_same(layer.double(), channels_last(batch, channels, height, width))


@some
@given(st.integers(1, 3), st.integers(2, 9), side, side, st.booleans())
def test_per_channel(batch, channels, height, width, bias):
    layer = nn.Conv2d(channels, channels, 1, groups=channels, bias=bias).double()
    assert_same(layer, channels_last(batch, channels, height, width))


@some
@given(st.integers(1, 3), st.integers(1, 6), side, side)
def test_doubling(batch, channels, height, width):
    for x in (channels_last(batch, channels, height, width), channels_first(batch, channels, height, width)):
        assert_same(TAKEN["DoublingBackward"], x)


@some
@given(st.integers(1, 3), st.integers(1, 6), side, side, st.sampled_from([2, 4, 8]))
def test_enlarging(batch, channels, height, width, factor):
    layer = nn.Upsample(scale_factor=float(factor), mode="bilinear", align_corners=False)
    assert_same(layer, channels_first(batch, channels, height, width))
    assert_same(layer, channels_last(batch, channels, height, width), keeps_order=False)


kernel = st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([3, 4, 5]))


@some
@given(st.integers(1, 3), st.integers(2, 6), st.integers(1, 9), st.integers(1, 9), kernel, st.integers(1, 3), st.integers(1, 3))
def test_small_maps(batch, channels, height, width, sides, stride, dilation):
    padding = tuple(dilation * (one // 2) for one in sides)
    layer = nn.Conv2d(channels, channels, sides, stride, padding, dilation, groups=channels, bias=False).double()
    assume(all(size + 2 * pad > dilation * (one - 1) for size, pad, one in zip((height, width), padding, sides, strict=True)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_maps, "MAX_NUMBERS_WIDE", 10**6)
        assert_same(layer, channels_first(batch, channels, height, width))


def test_the_first_layer_of_a_network_needs_no_gradient_of_its_input():
    layer, x = nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=False), torch.randn(2, 3, 4, 4)
    found = []
    for device in (CPU, GPU):
        with fast_layers(layer, device):
            found.append(torch.autograd.grad(layer(x).square().sum(), layer.weight)[0])
    torch.testing.assert_close(*found)


def test_the_gradient_of_a_part_of_a_concatenation():
    layer, x = TAKEN["DoublingBackward"], channels_last(2, 3, 8, 8).requires_grad_()
    found = []
    for device in (CPU, GPU):
        with fast_layers(layer, device):
            y = torch.cat([layer(x), layer(x)], dim=1)
        found.append(torch.autograd.grad(y, x, torch.arange(y.numel(), dtype=y.dtype).view_as(y).sin()))
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("name", TAKEN)
def test_is_used_and_an_in_place_activation_can_follow(name):
    order = torch.contiguous_format if name == "SmallMapsBackward" else torch.channels_last
    layer, x = TAKEN[name], torch.randn(2, 5, 17, 17).contiguous(memory_format=order).requires_grad_()
    with fast_layers(layer, CPU):
        y = layer(x)
        assert type(y.grad_fn).__name__ == name
        torch.relu_(y).sum().backward()
    assert x.grad is not None
    with fast_layers(layer, GPU):
        assert "forward" not in vars(layer)


@pytest.mark.parametrize("layer", NOT_WIDE, ids=str)
def test_others_are_not_cut_into_pieces(layer):
    assert faster_wide_depthwise(layer) is None


@pytest.mark.parametrize("layer", LEFT_ALONE, ids=str)
def test_others_are_left_alone(layer):
    assert [formulation(layer) for formulation in FORMULATIONS] == [None] * len(FORMULATIONS)


def test_other_sizes_go_the_plain_way(monkeypatch):
    for module in (enlarging, pointwise, wide_depthwise):
        monkeypatch.setattr(module, "MIN_PIXELS", 10**6)
    monkeypatch.setattr(wide_depthwise, "MIN_PIXELS_FIRST", 10**6)
    for module in (folded_norm, enlarging):
        monkeypatch.setattr(module, "MIN_NUMBERS", 10**6)
    monkeypatch.setattr(small_maps, "MAX_NUMBERS", 0)
    for name in TAKEN.keys() - {"SliceBackward0", "MulBackward0"}:
        layer = TAKEN[name]
        with fast_layers(layer, CPU):
            assert type(layer(torch.randn(2, 5, 18, 18, requires_grad=True)).grad_fn).__name__ != name


def test_a_norm_in_eval_mode_uses_its_running_statistics():
    norm, x = nn.BatchNorm2d(5).eval(), torch.randn(2, 5, 18, 18).contiguous(memory_format=torch.channels_last)
    with fast_layers(norm, CPU):
        torch.testing.assert_close(norm(x), x / (1 + norm.eps) ** 0.5)


class NormWithActivation(nn.BatchNorm2d):
    """As in collections of networks: a norm whose forward does more."""

    def forward(self, x):
        return super().forward(x).relu()


class ZeroMeanConv(nn.Conv2d):
    """A convolution whose weights are centred first."""

    def _conv_forward(self, x, weight, bias):
        return super()._conv_forward(x, weight - weight.mean(), bias)


class HalvedUpsample(nn.Upsample):
    """An enlargement that halves."""

    def forward(self, x):
        return super().forward(x) / 2


@pytest.mark.parametrize(
    "layer",
    [NormWithActivation(5), ZeroMeanConv(5, 7, 1, bias=False), HalvedUpsample(scale_factor=2.0, mode="bilinear", align_corners=False)],
    ids=lambda layer: type(layer).__name__,
)
def test_derived_layers_compute_what_they_are_written_to(layer):
    assert_same(layer.double(), channels_last(2, 5, 18, 18))


def test_a_forward_put_in_by_hand_stays():
    layer = nn.Conv2d(5, 7, 1)
    layer.forward = by_hand = lambda x: x
    with fast_layers(layer, CPU):
        assert layer.forward is by_hand
    assert layer.forward is by_hand


def test_a_parametrised_layer_is_taken():
    class Doubled(nn.Module):
        def forward(self, weight):
            return weight * 2

    layer = nn.Conv2d(5, 7, 1, bias=False)
    nn.utils.parametrize.register_parametrization(layer, "weight", Doubled())
    with fast_layers(layer, CPU):
        assert type(layer(channels_last(2, 5, 18, 18).float()).grad_fn).__name__ == "PointwiseBackward"
    assert_same(layer.double(), channels_last(2, 5, 18, 18))


def test_the_layers_are_plain_again_after_an_error():
    model = nn.Sequential(*TAKEN.values())

    def fails():
        with fast_layers(model, CPU):
            assert all("forward" in vars(layer) for layer in model)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert not any("forward" in vars(layer) for layer in model)
