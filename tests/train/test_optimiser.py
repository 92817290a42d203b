"""AdamW's groups, its schedule, its state."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from nas.train import Recipe
from nas.train.optimiser import learning_rate, make_optimiser, optimiser_tensors, restore_optimiser, set_learning_rate


def test_schedule_rises_then_falls_to_nearly_nothing():
    recipe = Recipe(learning_rate=0.4, warmup=0.2)
    rates = [learning_rate(recipe, step, 100) for step in range(100)]
    assert rates[:20] == pytest.approx([0.4 * (i + 1) / 20 for i in range(20)])
    assert rates[20] == pytest.approx(0.4)
    assert rates[60] == pytest.approx(0.2)
    assert all(a > b for a, b in pairwise(rates[20:]))
    assert 0 < rates[-1] < 0.001


def test_schedule_without_warmup_and_of_one_step():
    assert learning_rate(Recipe(learning_rate=0.4, warmup=0.0), 0, 10) == 0.4
    assert learning_rate(Recipe(learning_rate=0.4, warmup=0.9), 0, 1) > 0


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.norm = nn.BatchNorm2d(4)
        self.gain = nn.Parameter(torch.ones(1, 4, 1, 1))
        self.frozen = nn.Parameter(torch.ones(3, 3), requires_grad=False)

    def forward(self, x):
        return self.gain * self.norm(self.depthwise(self.conv(x)))


def test_only_weights_decay():
    model = Parts()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = make_optimiser(model, Recipe(weight_decay=0.3)).param_groups
    decayed = {names[id(p)] for group in groups for p in group["params"] if group["weight_decay"] == 0.3}
    spared = {names[id(p)] for group in groups for p in group["params"] if group["weight_decay"] == 0.0}
    assert decayed == {"conv.weight", "depthwise.weight"}
    assert spared == {"conv.bias", "depthwise.bias", "norm.weight", "norm.bias", "gain"}


def test_set_learning_rate_reaches_every_group():
    optimiser = make_optimiser(Parts(), Recipe())
    set_learning_rate(optimiser, 0.123)
    assert [group["lr"] for group in optimiser.param_groups] == [0.123, 0.123]


def test_a_learning_rate_that_is_a_tensor_is_filled_and_steps_alike():
    inputs = torch.randn(3, 2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    weights = []
    for as_tensor in (False, True):
        torch.manual_seed(0)
        model = Parts()
        optimiser = make_optimiser(model, Recipe())
        rate = torch.tensor(0.0)
        for group in optimiser.param_groups:
            group["lr"] = rate if as_tensor else 0.0
        for number, x in enumerate(inputs):
            set_learning_rate(optimiser, 0.1 / (number + 1))
            optimiser.zero_grad()
            model(x).square().mean().backward()
            optimiser.step()
        assert all((group["lr"] is rate) == as_tensor for group in optimiser.param_groups)
        weights.append(model.conv.weight.detach())
    torch.testing.assert_close(*weights)


def test_a_restored_optimiser_steps_alike_in_another_memory_layout():
    recipe = Recipe(learning_rate=0.05)
    inputs = torch.randn(3, 2, 3, 9, 9, generator=torch.Generator().manual_seed(0))

    def steps(model, optimiser, batches):
        for x in batches:
            optimiser.zero_grad()
            model(x).square().mean().backward()
            optimiser.step()

    model = Parts().to(memory_format=torch.channels_last)
    optimiser = make_optimiser(model, recipe)
    steps(model, optimiser, inputs[:2])
    held = {name: tensor.clone().contiguous() for name, tensor in optimiser_tensors(model, optimiser).items()}
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert held["conv.weight/step"] == 2
    steps(model, optimiser, inputs[2:])

    other = Parts()
    other.load_state_dict(weights)
    other.to(memory_format=torch.channels_last)
    fresh = make_optimiser(other, recipe)
    restore_optimiser(other, fresh, held)
    steps(other, fresh, inputs[2:])
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in model.state_dict().items())
