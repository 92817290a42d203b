"""Cost of any network, counted while it runs, against the closed form."""

from functools import partial

import pytest
import torch
from torch import nn

from nas.cost import estimate
from nas.evaluate.cost import measured_cost
from nas.evaluate.performance import _wait_for, measure_performance
from nas.network import build_network
from nas.space import load_peers


@pytest.mark.parametrize("peer", load_peers(), ids=lambda peer: peer.name)
def test_counted_cost_is_the_closed_form(peer):
    cost = estimate(peer.genome, (3, 64, 96), 4)
    counted = measured_cost(build_network(peer.genome, 3, 4), (3, 64, 96))
    assert (counted.params, counted.macs) == (cost.params, cost.macs)


class Raw(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(7))
        self.layer = nn.Linear(8, 2)

    def forward(self, x):
        return self.layer(x)


def test_raw_parameters_and_linear_layers_count():
    cost = measured_cost(Raw(), (3, 4, 8))
    assert cost.params == 7 + 18
    assert cost.macs == 3 * 4 * 8 * 2


def test_a_head_alone_costs_less_than_all_together():
    genome, shape = next(iter(load_peers())).genome, (3, 32, 32)
    model = build_network(genome, 3, (2, 7))
    for domain, classes in enumerate((2, 7)):
        found, alone = measure_performance(model, shape, domain=domain), estimate(genome, shape, classes)
        assert found.macs == alone.macs
        assert found.activation_bytes == alone.memory
        assert found.params == estimate(genome, shape, (2, 7)).params
    assert measured_cost(model, shape).macs == estimate(genome, shape, (2, 7)).macs > found.macs


def test_a_network_that_takes_no_domain_is_told_none():
    assert measured_cost(Raw(), (3, 4, 8), domain=1) == measured_cost(Raw(), (3, 4, 8))


def test_counting_leaves_no_trace():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    measured_cost(model, (3, 8, 8))
    assert model.training
    assert model[1].num_batches_tracked == 0


def test_performance_says_what_it_is_of():
    peer = next(iter(load_peers()))
    found = measure_performance(build_network(peer.genome, 3, 2), (3, 32, 32))
    assert found.activation_bytes == estimate(peer.genome, (3, 32, 32), 2).memory
    assert 0 < found.latency_spread[0] <= found.latency_ms <= found.latency_spread[1]
    assert f"{torch.get_num_threads()} thread" in found.describe()


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_pass_lasts_until_its_device_has_done_it(monkeypatch, device):
    waited = []
    for name in ("cuda", "mps"):
        monkeypatch.setattr(getattr(torch, name), "synchronize", partial(waited.append, name))
    _wait_for(device)
    _wait_for("cpu")
    assert waited == [device]
