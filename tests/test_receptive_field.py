"""The closed form against gradients: how far from an output pixel the input still matters."""

import random

import pytest
import torch

from nas.blocks import Bilinear, Conv, CoordinateAttention, MaxPool, MultiDilation
from nas.genome import DecoderLevel, Genome
from nas.network import build_network
from nas.receptive_field import ReceptiveField, receptive_field, receptive_fields
from nas.space import load_space, random_params
from nas.topology import walk


def genome(*encoder, decoder=()):
    return Genome((Conv(4),), encoder, (), decoder)


def sees(made, size=64):
    return receptive_field(walk(made, (3, size, size), 2))


@pytest.mark.parametrize(
    ("made", "pixels"),
    [
        (genome((Conv(4),)), 5),
        (genome((Conv(4, kernel=5),)), 7),
        (genome((MultiDilation(4, dilations=(1, 8)),)), 3 + 16),
        # 5 at full size, 1 by pooling, 2 x 2 by the convolution at half size, 2 by interpolating from there.
        (genome((Conv(4),), (MaxPool(), Conv(8))), 5 + 1 + 4 + 2),
        (genome((Conv(4),), (MaxPool(), Conv(8)), decoder=(DecoderLevel(Bilinear(), None, (Conv(4),)),)), 5 + 1 + 4 + 2 + 2),
    ],
)
def test_counted_by_hand(made, pixels):
    assert sees(made) == ReceptiveField(pixels, whole_image=False)


def test_global_pooling_is_said_apart():
    made = genome((Conv(4), CoordinateAttention(floor=2)))
    assert sees(made) == ReceptiveField(5, whole_image=True)
    assert str(sees(made)) == "5 px + global"
    fields = receptive_fields(walk(made, (3, 64, 64), 2))
    assert not fields["stem"].whole_image
    assert fields["encoder1"].whole_image


def reach(network, size):
    """Largest side over some output pixels of the window whose pixels change them."""
    x = torch.randn(1, 3, size, size, requires_grad=True)
    logits = network(x)
    side = 0
    for row in range(size // 2, size // 2 + 8):
        (gradient,) = torch.autograd.grad(logits[0, :, row, row].sum(), x, retain_graph=True)
        changed = gradient.abs().sum((0, 1)).nonzero()
        side = max(side, int((changed.max(0).values - changed.min(0).values).max()) + 1) if len(changed) else side
    return side


def test_gradients_reach_as_far_and_no_farther():
    """Linear networks, since a ReLU that is off hides pixels: the theoretical extent is the one without."""
    space, draw = load_space("tiny_unet"), random.Random(0)
    compared = 0
    while compared < 8:
        made = space.decode(random_params(space, draw) | {"levels": draw.choice((2, 3)), "context": "none", "router": "none"})
        made = made.with_widths([4] * len(made.widths))
        expected = sees(made)
        if expected.whole_image or expected.pixels > 90:
            continue
        torch.manual_seed(0)
        network = build_network(made).double().eval()
        for module in network.modules():
            if isinstance(module, torch.nn.ReLU):
                module.forward = torch.nn.Identity().forward
        size = 32 * (2 * expected.pixels // 32 + 2)
        default, found = torch.get_default_dtype(), 0
        torch.set_default_dtype(torch.float64)
        try:
            found = reach(network, size)
        finally:
            torch.set_default_dtype(default)
        assert 0.75 * expected.pixels <= found <= expected.pixels, made.to_json()
        compared += 1
