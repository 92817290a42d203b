"""The known networks: they fit, they are in the default space, and they keep every promise of genomes."""

import pytest
import torch

from nas.cost import Budget, estimate
from nas.network import build_network
from nas.space import load_peers, load_space
from nas.testing import check_genome

SHAPE, CLASSES = (3, 64, 96), 3
PEERS = {peer.name: peer for peer in load_peers()}


@pytest.fixture(scope="module")
def space():
    return load_space("tiny_unet")


def test_the_expected_networks_are_there():
    wanted = "unet separable simple mininet-v2 mobilenet mk-unet micro lcnet hwnet mininetv3 ensemble adaptive distillation"
    names = " ".join(PEERS).lower().replace("u-net", "unet").replace("mk-unet", "mkunet")
    for word in wanted.replace("mk-unet", "mkunet").split():
        assert word in names
    assert all("https://" in peer.source or "re-created" in peer.source for peer in PEERS.values())


@pytest.mark.parametrize("name", PEERS)
def test_peers_fill_the_budget_and_keep_all_promises(space, name):
    scaled = space.scale_to(PEERS[name].genome, Budget(10_000), SHAPE, CLASSES)
    assert 9_000 < estimate(scaled, SHAPE, CLASSES).params <= 10_000
    check_genome(space, scaled, SHAPE, CLASSES)


@pytest.mark.parametrize("name", PEERS)
def test_the_default_space_can_draw_them(space, name):
    scaled = space.scale_to(PEERS[name].genome, Budget(50_000), SHAPE, CLASSES)
    back = space.scale_to(space.decode(space.encode(scaled)), Budget(50_000), SHAPE, CLASSES)
    assert back.with_widths(scaled.widths) == scaled
    assert max(abs(a - b) for a, b in zip(back.widths, scaled.widths, strict=True)) <= 1


def test_a_routed_network_of_several_heads_is_told_the_domain(space):
    genome = space.scale_to(PEERS["adaptive network"].genome, Budget(10_000), SHAPE, (2, 5))
    assert estimate(genome, SHAPE, (2, 5)).params <= 10_000
    network = build_network(genome, 3, (2, 5)).eval()
    images = torch.randn(2, *SHAPE)
    alone = network(images, domain=1)
    assert alone.shape == (2, 5, *SHAPE[1:])
    _, undirected = network(images)
    assert not torch.equal(alone, undirected)
    single = build_network(genome, 3, 2).eval()
    assert torch.equal(single(images), single(images, domain=0))
