"""Networks of several heads; single ones are covered by the spaces' conformance suite."""

import torch

from nas.blocks import AddSkip, Bilinear, Conv, MaxPool
from nas.genome import DecoderLevel, Genome
from nas.network import build_network

GENOME = Genome((Conv(4, stride=2),), ((Conv(4),), (MaxPool(), Conv(8))), (), (DecoderLevel(Bilinear(), AddSkip(), (Conv(4),)),))


def test_each_data_set_has_its_head():
    network = build_network(GENOME, 3, (2, 5)).eval()
    images = torch.randn(2, 3, 33, 47)
    first, second = network(images)
    assert first.shape == (2, 2, 33, 47)
    assert second.shape == (2, 5, 33, 47)
    assert torch.equal(network(images, domain=1), second)


def test_a_single_head_ignores_the_domain():
    network = build_network(GENOME, 3, 2).eval()
    images = torch.randn(1, 3, 32, 32)
    assert torch.equal(network(images), network(images, domain=0))
