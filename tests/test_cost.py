"""Cost: formulae against the referee fvcore, memory against a hand count, budgets."""

import random

import pytest
import torch
from fvcore.nn import FlopCountAnalysis

from nas.blocks import AddSkip, Bilinear, ConcatSkip, Conv, MaxPool
from nas.cost import Budget, Cost, estimate
from nas.errors import UserError
from nas.genome import DecoderLevel, Genome
from nas.network import build_network
from nas.space import known_spaces, load_space, random_params

FREE = {"batch_norm", "upsample_bilinear2d", "adaptive_avg_pool2d"}
"""What fvcore counts and the convention does not."""

SHAPE = (3, 33, 50)


def referee(network: torch.nn.Module, shape: tuple[int, ...]) -> int:
    analysis = FlopCountAnalysis(network.eval(), torch.zeros(1, *shape))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(sum(count for operator, count in analysis.by_operator().items() if operator not in FREE))


@pytest.mark.parametrize("name", known_spaces())
@pytest.mark.parametrize("draws", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_macs_equal_the_referee(name, draws):
    space, draw = load_space(name), random.Random(draws)
    for _ in range(draws):
        genome = space.scale_to(space.decode(random_params(space, draw)), Budget(10_000), SHAPE, 4)
        assert estimate(genome, SHAPE, 4).macs == referee(build_network(genome, 3, 4), SHAPE), genome.to_json()


def two_levels(skip) -> Genome:
    return Genome((Conv(4),), ((Conv(4),), (MaxPool(), Conv(8))), (), (DecoderLevel(Bilinear(), skip, (Conv(4),)),))


def test_a_network_counted_by_hand():
    cost = estimate(two_levels(ConcatSkip()), (3, 8, 8), 2)
    convolutions = [(3, 4, 9, 64), (4, 4, 9, 64), (4, 8, 9, 16), (12, 4, 9, 64), (4, 2, 1, 64)]
    assert cost.params == sum(i * o * k for i, o, k, _ in convolutions) + 2 * (4 + 4 + 8 + 4) + 2
    assert cost.macs == sum(i * o * k * pixels for i, o, k, pixels in convolutions)
    # Largest while concatenating: 8 upsampled and 4 waiting channels, and the 12 of the result, at 8 x 8.
    assert cost.memory == 4 * 64 * (8 + 4 + 12)


def test_addition_projects_before_it_upsamples():
    cost = estimate(two_levels(AddSkip()), (3, 8, 8), 2)
    convolutions = [(3, 4, 9, 64), (4, 4, 9, 64), (4, 8, 9, 16), (8, 4, 1, 16), (4, 4, 9, 64), (4, 2, 1, 64)]
    assert cost.macs == sum(i * o * k * pixels for i, o, k, pixels in convolutions)


def test_all_heads_count():
    one, two = estimate(two_levels(AddSkip()), (3, 8, 8), 2), estimate(two_levels(AddSkip()), (3, 8, 8), (2, 5))
    assert two.params - one.params == 5 * 4 + 5
    assert two.macs - one.macs == 5 * 4 * 64
    network = build_network(two_levels(AddSkip()), 3, (2, 5))
    assert sum(parameter.numel() for parameter in network.parameters()) == two.params


def test_violations_are_normalised_and_ordered():
    budget = Budget(100, macs=1000)
    assert budget.violations(Cost(50, 2000, 7)) == (-0.5, 1.0)
    assert not budget.allows(Cost(50, 2000, 7))
    assert budget.allows(Cost(100, 1000, 10**9))


def test_a_cap_of_nothing_is_refused():
    with pytest.raises(UserError, match="macs"):
        Budget(10, macs=0)


def test_share_takes_part_of_the_parameters_only():
    assert Budget(1000, macs=5).share(0.25) == Budget(250, macs=5)
