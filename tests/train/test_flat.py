"""Blocks of memory train like tensors of their own."""

import pytest
import torch
from torch import nn

from nas.train import Recipe, fit
from nas.train.batches import epoch_batches
from nas.train.formulations import folded_norm
from nas.train.graphed import eager_step
from nas.train.run import Run

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=3, batch_size=4, learning_rate=0.05, weight_decay=0.1, max_grad_norm=0.5)


class Fickle(nn.Module):
    """Uses one of its branches in every second pass."""

    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 3, 1)
        self.branch = nn.Conv2d(3, 3, 3, padding=1)
        self.passes = 0

    def forward(self, x):
        self.passes += self.training
        return self.head(x + self.branch(x)) if self.passes % 2 else self.head(x)


def chain(width=13, depth=3):
    layers = [nn.Conv2d(3, width, 3, padding=1, bias=False)]
    for _ in range(depth):
        layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)]
    torch.manual_seed(0)
    return nn.Sequential(*layers, nn.BatchNorm2d(width), nn.Conv2d(width, 3, 1))


@pytest.fixture
def separately(monkeypatch):
    """Switches the blocks off for what is run by it."""

    def run(action):
        with monkeypatch.context() as patch:
            patch.setattr(Run, "_blocks_wanted", False)
            return action()

    return run


def steps(run, bank, epochs=2):
    run.model.train()
    torch.manual_seed(3)
    for epoch in range(epochs):
        for batch in epoch_batches([bank], 4, 0, epoch, CPU):
            eager_step(run, batch, 0.05, 0.9)
    return run


def numbers(run):
    model = {name: tensor for name, tensor in run.model.state_dict().items() if isinstance(tensor, torch.Tensor)}
    average = {f"average {name}": tensor for name, tensor in run.average.items()}
    return {name: tensor.clone() for name, tensor in (model | average | run.optimiser_tensors()).items()}


class Choosy(nn.Module):
    """Uses its branch for some batches, by their content: the same in every process."""

    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 3, 1)
        self.branch = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return self.head(x + self.branch(x)) if int(x.abs().sum() * 100) % 2 else self.head(x)


def test_a_network_that_reaches_other_parameters_goes_on_to_the_bit(make_bank):
    bank, recipe = make_bank(images=24), Recipe(epochs=6, batch_size=4, weight_decay=0.1)

    def made():
        torch.manual_seed(0)
        return Choosy()

    whole = list(fit(made(), bank, recipe))[-1].state
    steps = {name: int(tensor) for name, tensor in whole.optimiser.items() if name.endswith("/step")}
    assert len(set(steps.values())) > 1  # or this test would show nothing
    for stop in range(1, 6):
        part = list(fit(made(), bank, recipe, epochs=stop))[-1].state
        assert list(fit(made(), bank, recipe, state=part))[-1].state.to_bytes() == whole.to_bytes()


def test_the_step_that_dissolves_the_blocks_has_its_own_learning_rate(make_bank, separately):
    def trained():
        torch.manual_seed(0)
        run = Run(Fickle(), [make_bank()], RECIPE, CPU)
        run.model.train()
        batches = list(epoch_batches(run.banks, 4, 0, 0, CPU))
        for batch, rate in zip(batches, (0.001, 0.1, 0.01), strict=False):
            eager_step(run, batch, rate, 0.9)
        return numbers(run)

    torch.testing.assert_close(trained(), separately(trained), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("make", [chain, Fickle, None], ids=["norms", "fickle", "with an unused parameter"])
def test_the_same_numbers_as_tensors_of_their_own(make_bank, make_net, separately, make):
    bank = make_bank(size=24)
    torch.manual_seed(0)
    models = [(make or make_net)() for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    blocks = numbers(steps(Run(models[0], [bank], RECIPE, CPU), bank))
    own = separately(lambda: numbers(steps(Run(models[1], [bank], RECIPE, CPU), bank)))
    # A bias before a norm has no gradient but rounding's, whose sign AdamW follows.
    for name in [name for name in blocks if "pooled.1.bias" in name or "running_mean" in name]:
        del blocks[name], own[name]
    torch.testing.assert_close(blocks, own, rtol=1e-3, atol=1e-5)


def test_blocks_are_used_where_every_pass_reaches_the_same(make_bank):
    bank = make_bank()
    assert steps(Run(chain(), [bank], RECIPE, CPU), bank)._flat is not None
    assert steps(Run(Fickle(), [bank], RECIPE, CPU), bank)._flat is None


class Twice(nn.Module):
    """Has one layer under two names."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.second = self.first

    def forward(self, x):
        return self.second(self.first(x))


def test_a_layer_of_two_names_is_one(make_bank):
    model = Twice()
    before = model.first.weight.detach().clone()
    last = list(fit(model, make_bank(), RECIPE))[-1]
    assert not torch.equal(last.state.ema["second.weight"], before)
    assert torch.equal(last.state.ema["first.weight"], last.state.ema["second.weight"])
    assert torch.equal(model.second.weight, last.state.ema["second.weight"])


def test_faster_norms_keep_their_statistics_in_the_blocks(make_bank, separately, monkeypatch):
    monkeypatch.setattr(folded_norm, "MIN_NUMBERS", 0)
    monkeypatch.setattr(Run, "format_of", lambda run, batch: torch.channels_last)
    bank, recipe = make_bank(images=16, size=24), Recipe(epochs=2, batch_size=4, learning_rate=1e-4)

    def trained(**limits):
        torch.manual_seed(0)
        return list(fit(chain(), bank, recipe, **limits))[-1].state

    first = trained(epochs=1)
    torch.testing.assert_close(first.ema, separately(lambda: trained(epochs=1)).ema, rtol=1e-3, atol=1e-4)
    assert trained(state=first).to_bytes() == trained().to_bytes()


def test_several_sets_have_no_blocks(make_bank, two_heads):
    banks = [make_bank("a", classes=2), make_bank("b", classes=4)]
    run = Run(two_heads(2, 4), banks, RECIPE, CPU)
    run.model.train()
    for batch in epoch_batches(banks, 4, 0, 0, CPU):
        eager_step(run, batch, 0.05, 0.9)
    assert run._flat is None


def test_a_trained_network_has_memory_of_its_own(make_bank):
    model = chain()
    for epoch in fit(model, make_bank(), RECIPE):
        trained = {name: tensor.clone() for name, tensor in epoch.state.ema.items()}
    places = [tensor.untyped_storage().data_ptr() for tensor in model.state_dict().values()]
    assert len(set(places)) == len(places)
    assert all(torch.equal(tensor, trained[name]) for name, tensor in model.state_dict().items())


def test_an_abandoned_training_leaves_the_network_whole(make_bank):
    model = chain()
    training = fit(model, make_bank(), RECIPE)
    next(training)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    training.close()
    places = [tensor.untyped_storage().data_ptr() for tensor in model.state_dict().values()]
    assert len(set(places)) == len(places)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
