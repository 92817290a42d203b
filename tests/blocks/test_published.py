"""Parameter counts by hand from the papers' definitions, and costs that never fall when a block gets more channels."""

import pytest

from nas.blocks import (
    ECA,
    ChannelSplit,
    ConvBesidePool,
    DepthwiseSeparable,
    FactorisedConv,
    GhostConv,
    InvertedResidual,
    MultiDilation,
    SqueezeExcite,
    StridedConv,
    StridedInverted,
    WideBlock,
    built_in_blocks,
)
from nas.testing import block_variants

CHANNELS = range(2, 25)
SIZE = (9, 7)


@pytest.mark.parametrize(
    ("operator", "channels", "expected"),
    [
        (SqueezeExcite(floor=4), 16, (16 * 4 + 4) + (4 * 16 + 16)),
        (SqueezeExcite(floor=4), 128, (128 * 8 + 8) + (8 * 128 + 128)),
        (ECA(reach=5), 64, 5),
        (FactorisedConv(16), 16, (3 * 16 * 16 + 16) + 3 * 16 * 16 + 2 * 16),
        (ConvBesidePool(64), 16, 9 * 16 * 48 + 2 * 64),  # ERFNet's second way down: 48 channels convolved, 16 pooled.
        (ConvBesidePool(16), 3, 9 * 3 * 13 + 2 * 16),  # ENet's initial block.
        (StridedConv(16), 3, 9 * 3 * 16 + 2 * 16),
        (InvertedResidual(24, expansion=4), 24, (24 * 96 + 2 * 96) + (9 * 96 + 2 * 96) + (96 * 24 + 2 * 24)),
        (InvertedResidual(16, expansion=1), 32, (9 * 32 + 2 * 32) + (32 * 16 + 2 * 16)),  # MobileNetV2's first unit: 896.
        (InvertedResidual(8, expansion=2, kernels=(1, 3, 5)), 8, (8 * 16 + 32) + (1 + 9 + 25) * 16 + 3 * 32 + (16 * 8 + 16)),
        (StridedInverted(24, expansion=4), 16, (16 * 64 + 2 * 64) + (9 * 64 + 2 * 64) + (64 * 24 + 2 * 24)),
        (ChannelSplit(116), 116, 2 * (58 * 58 + 2 * 58) + (9 * 58 + 2 * 58)),  # ShuffleNet V2 1x, stage 2.
        (GhostConv(16), 24, (24 * 8 + 2 * 8) + (9 * 8 + 2 * 8)),
        (GhostConv(9), 24, (24 * 5 + 2 * 5) + (9 * 4 + 2 * 4)),
        (DepthwiseSeparable(32, norm=False), 16, 9 * 16 + 16 * 32 + 2 * 32),
        (MultiDilation(32, dilations=(1, 8), norm=False), 16, 2 * 9 * 16 + 16 * 32 + 2 * 32),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_parameters_are_those_of_the_paper(operator, channels, expected):
    assert operator.params((channels, 20, 20)) == expected


def wide_variants():
    """Every operator that sets a width, once with every combination of its genes."""
    found = (operator for cls in built_in_blocks().values() if issubclass(cls, WideBlock) for operator in block_variants(cls))
    return dict.fromkeys(operator.with_width(operator.width_multiple) for operator in found)


@pytest.mark.parametrize("operator", wide_variants(), ids=lambda operator: operator.label())
def test_costs_never_fall_when_channels_grow(operator):
    step = operator.width_multiple
    widths = range(-(-min(CHANNELS) // step) * step, max(CHANNELS) + 1, step)
    costs = {(channels, width): _costs(operator.with_width(width), channels) for channels in CHANNELS for width in widths}
    for (channels, width), cost in costs.items():
        for before in ((channels - 1, width), (channels, width - step)):
            falls = [name for name, value in cost.items() if before in costs and value < costs[before][name]]
            assert not falls, f"{operator.with_width(width)} at {channels} channels: {falls} fall from {before}"


def _costs(operator, channels):
    shape = (channels, *SIZE)
    entered, (reading, after) = channels * SIZE[0] * SIZE[1], operator.workspace(shape)
    kept = entered if operator.keeps_input else 0
    return {
        "params": operator.params(shape),
        "macs": operator.macs(shape),
        "memory, input held": entered + max(reading, after),
        "memory, input freed": max(entered + reading, kept + after),
    }
