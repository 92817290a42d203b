"""Training: resumable to the bit, deterministic, isolated, and it learns."""

import inspect
import pickle
from importlib import import_module

import pytest
import torch
from torch import nn

from nas.errors import UserError
from nas.evaluate import evaluate
from nas.proxy.faults import fault_of
from nas.train import Diverged, Recipe, TrainState, fit, load_ema
from nas.train.fit import NoRoomToValidate

RECIPE = Recipe(epochs=5, batch_size=4, validations=2, learning_rate=0.02)


def final_bytes(model, bank, recipe=RECIPE, **kwargs):
    return list(fit(model, bank, recipe, **kwargs))[-1].state.to_bytes()


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_stopping_and_going_on_equals_never_stopping_to_the_bit(make_bank, make_net, stop):
    bank = make_bank()
    whole = list(fit(make_net(), bank, RECIPE))
    part = list(fit(make_net(), bank, RECIPE, epochs=stop))
    assert [m.epoch for m in part] == list(range(1, stop + 1))
    torch.rand(stop)  # another process would have drawn something else
    rest = list(fit(make_net(seed=99), bank, RECIPE, state=TrainState.from_bytes(part[-1].state.to_bytes())))

    assert [m.epoch for m in rest] == list(range(stop + 1, 6))
    for one, other in zip(whole, part + rest, strict=True):
        assert one.state.to_bytes() == other.state.to_bytes()
        assert (one.loss, one.learning_rate) == (other.loss, other.learning_rate)
    assert whole[-1].evaluations == rest[-1].evaluations


def test_a_network_that_draws_in_validation_too_goes_on_to_the_bit(make_bank, make_net):
    """Monte Carlo dropout, or a forgotten `training=self.training`."""

    class Drawing(nn.Sequential):
        def forward(self, x):
            return nn.functional.dropout(super().forward(x), 0.2)

    bank = make_bank()
    part = list(fit(Drawing(make_net()), bank, RECIPE, epochs=2))[-1].state
    assert final_bytes(Drawing(make_net()), bank, state=part) == final_bytes(Drawing(make_net()), bank)


def test_the_generator_left_alone_between_epochs_is_not_disturbed(make_bank, make_net):
    bank = make_bank()
    model, last = make_net(), None
    for last in fit(model, bank, RECIPE):
        torch.manual_seed(last.epoch)
        model.eval()
        torch.set_flush_denormal(False)
    assert last.state.to_bytes() == final_bytes(make_net(), bank)


def test_dropout_is_really_drawn(make_bank, make_net):
    bank = make_bank()
    assert final_bytes(make_net(dropout=0.0), bank) != final_bytes(make_net(dropout=0.2), bank)


def test_the_seed_alone_decides(make_bank, make_net):
    bank = make_bank()
    torch.manual_seed(1)
    first = final_bytes(make_net(), bank)
    torch.manual_seed(2)
    assert final_bytes(make_net(), bank) == first
    assert final_bytes(make_net(), bank, Recipe(**{**RECIPE.as_dict(), "seed": 1})) != first


def test_the_callers_random_state_is_left_alone(make_bank, make_net):
    torch.manual_seed(4)
    before = torch.get_rng_state()
    epochs = fit(make_net(), make_bank(), RECIPE)
    for _ in range(2):
        next(epochs)
        assert torch.equal(torch.get_rng_state(), before)


def test_learns_an_easy_task(make_bank, make_net):
    bank = make_bank(images=24, views=3)
    metrics = list(fit(make_net(dropout=0.0), bank, Recipe(epochs=12, batch_size=4, learning_rate=0.02)))
    assert metrics[-1].loss < 0.35 * metrics[0].loss
    assert metrics[-1].evaluations["small"].mean_iou > 0.8


def test_the_trained_network_is_what_was_evaluated(make_bank, make_net):
    bank, model = make_bank(), make_net()
    last = list(fit(model, bank, RECIPE))[-1]
    assert evaluate(model, bank) == last.evaluations["small"]
    assert all(torch.equal(tensor, last.state.ema[name]) for name, tensor in model.state_dict().items())
    other = make_net(seed=5)
    load_ema(other, last.state)
    assert evaluate(other, bank) == last.evaluations["small"]


def test_before_the_end_the_network_carries_the_weights_of_the_moment(make_bank, make_net):
    model = make_net()
    for metrics in fit(model, make_bank(), RECIPE, epochs=2):
        assert all(torch.equal(tensor, metrics.state.weights[name]) for name, tensor in model.state_dict().items())
        assert not torch.equal(metrics.state.weights["head.weight"], metrics.state.ema["head.weight"])


def test_a_finished_state_needs_no_epoch_and_gives_the_trained_network(make_bank, make_net):
    bank, trained, fresh = make_bank(), make_net(), make_net(seed=5)
    state = list(fit(trained, bank, RECIPE))[-1].state
    assert list(fit(fresh, bank, RECIPE, state=state)) == []
    assert torch.equal(fresh.head.weight, trained.head.weight)


def test_validates_as_often_as_asked_and_at_the_end_of_a_call(make_bank, make_net):
    bank = make_bank()
    recipe = Recipe(epochs=6, batch_size=4, validations=2)
    assert [m.epoch for m in fit(make_net(), bank, recipe) if m.evaluations] == [3, 6]
    assert [m.epoch for m in fit(make_net(), bank, recipe, epochs=5) if m.evaluations] == [3, 5]


def test_the_schedule_spans_the_whole_length(make_bank, make_net):
    rates = [m.learning_rate for m in fit(make_net(), make_bank(), RECIPE)]
    part = [m.learning_rate for m in fit(make_net(), make_bank(), RECIPE, epochs=2)]
    assert rates[:2] == part
    assert rates[1] > 0.5 * RECIPE.learning_rate > 20 * rates[-1]


def test_metrics_are_plain_numbers(make_bank, make_net):
    metrics = next(fit(make_net(), make_bank(), RECIPE, epochs=1))
    assert isinstance(metrics.loss, float)
    assert metrics.train_seconds > 0
    assert metrics.validate_seconds > 0


@pytest.mark.parametrize(("images", "batch_size"), [(1, 8), (2, 8), (5, 100), (9, 8), (3, 2)])
def test_awkward_numbers_of_images(make_bank, make_net, images, batch_size):
    # The network normalises pooled maps of 1 x 1: a batch of a single image would raise in it.
    last = list(fit(make_net(), make_bank(images=images), Recipe(epochs=2, batch_size=batch_size)))[-1]
    assert last.evaluations["small"].confusion


def test_only_void_trains_without_harm(make_bank, make_net):
    bank = make_bank()
    bank.train_masks[:] = 255
    bank.pixel_shares = (0.0, 0.0, 0.0)
    assert [m.loss for m in fit(make_net(), bank, RECIPE)] == [0.0] * 5


class Exploding(nn.Module):
    """Answers not a number from a given call on, forwards or backwards."""

    def __init__(self, after: int, where: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.after, self.where, self.calls = after, where, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += self.training
        y = self.conv(x)
        if self.training and self.calls >= self.after:
            if self.where == "loss":
                return y * float("nan")
            y.register_hook(lambda gradient: gradient * float("inf"))
        return y


# 9 images in batches of 4 are 3 steps an epoch: call 5 is in the middle of epoch 2, call 6 its last.
@pytest.mark.parametrize(("after", "where", "what"), [(5, "loss", "loss"), (5, "gradient", "loss"), (6, "gradient", "weights")])
def test_divergence_is_told_with_epoch_and_place(make_bank, after, where, what):
    recipe = Recipe(epochs=4, batch_size=4, validations=1)
    epochs = fit(Exploding(after, where), make_bank(), recipe)
    assert next(epochs).epoch == 1
    before = torch.get_rng_state()
    with pytest.raises(Diverged) as caught:
        next(epochs)
    assert (caught.value.epoch, caught.value.what) == (2, what)
    assert torch.equal(torch.get_rng_state(), before)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 5},
        {"learning_rate": 0.03},
        {"weight_decay": 0.5},
        {"warmup": 0.5},
        {"ema_decay": 0.3},
        {"dice_weight": 0.5},
        {"class_weights": "none"},
        {"class_weights": "inverse"},
    ],
    ids=str,
)
def test_every_number_of_the_recipe_counts(make_bank, make_net, change):
    bank = make_bank()
    base = list(fit(make_net(), bank, RECIPE, epochs=2))[-1].state
    other = list(fit(make_net(), bank, Recipe(**{**RECIPE.as_dict(), **change}), epochs=2))[-1].state
    moved = "ema" if "ema_decay" in change else "weights"
    assert not torch.equal(getattr(base, moved)["head.weight"], getattr(other, moved)["head.weight"])


def test_a_long_gradient_is_cut(make_bank, make_net):
    bank = make_bank()
    free = final_bytes(make_net(), bank, Recipe(**{**RECIPE.as_dict(), "max_grad_norm": None}))
    assert final_bytes(make_net(), bank, Recipe(**{**RECIPE.as_dict(), "max_grad_norm": 1e6})) == free
    assert final_bytes(make_net(), bank, Recipe(**{**RECIPE.as_dict(), "max_grad_norm": 1e-3})) != free


def test_several_sets_with_classes_of_their_own(make_bank, two_heads):
    banks = [make_bank("a", images=12, classes=2), make_bank("b", images=8, classes=4, size=24, seed=1)]
    model = two_heads(2, 4)
    last = list(fit(model, banks, Recipe(epochs=3, batch_size=4)))[-1]
    assert {name: len(e.classes) for name, e in last.evaluations.items()} == {"a": 2, "b": 4}
    assert sorted(model.asked) == [0] * 9 + [1] * 6
    assert model.asked != sorted(model.asked)


def test_several_sets_resume_to_the_bit(make_bank, two_heads):
    banks = [make_bank("a", images=2, classes=2), make_bank("b", images=2, classes=4, seed=1)]
    recipe = Recipe(epochs=4, batch_size=2)
    torch.manual_seed(0)
    first = two_heads(2, 4)
    start = {name: tensor.clone() for name, tensor in first.state_dict().items()}
    whole = final_bytes(first, banks, recipe)
    again = two_heads(2, 4)
    again.load_state_dict(start)
    state = list(fit(again, banks, recipe, epochs=2))[-1].state
    assert final_bytes(two_heads(2, 4), banks, recipe, state=state) == whole


def test_a_network_without_domain_is_not_told(make_bank, make_net):
    banks = [make_bank("a"), make_bank("b", seed=1)]
    assert "domain" not in inspect.signature(make_net().forward).parameters
    assert set(list(fit(make_net(), banks, Recipe(epochs=1)))[-1].evaluations) == {"a", "b"}


def test_refusals_come_at_once(make_bank, make_net):
    model, bank = make_net(), make_bank()
    with pytest.raises(UserError, match="name of its own"):
        fit(model, [bank, bank], RECIPE)
    with pytest.raises(UserError, match="at least one"):
        fit(model, [], RECIPE)
    for epochs in (0, 6):
        with pytest.raises(UserError, match=f"got {epochs}"):
            fit(model, bank, RECIPE, epochs=epochs)
    late = list(fit(model, bank, RECIPE))[-1].state
    with pytest.raises(UserError, match="epoch 5"):
        fit(make_net(), bank, Recipe(epochs=4), state=late)


def test_a_network_of_another_output_size_is_refused(make_bank, make_net):
    with pytest.raises(ValueError, match="logits"):
        next(fit(nn.Sequential(make_net(), nn.AvgPool2d(2)), make_bank(), RECIPE))
    with pytest.raises(ValueError, match="logits"):
        next(fit(make_net(classes=7), make_bank(), RECIPE))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_trains_and_its_state_goes_on_on_a_cpu(make_bank, make_net):
    bank = make_bank(images=24, views=3)
    recipe = Recipe(epochs=12, batch_size=4, learning_rate=0.02)
    half = list(fit(make_net(dropout=0.0), bank, recipe, epochs=6, device="cuda"))[-1].state
    assert set(half.random) == {"cpu", "cuda"}
    assert all(t.device.type == "cpu" for t in half.weights.values())
    there = list(fit(make_net(), bank, recipe, state=half, device="cuda"))[-1]
    here = list(fit(make_net(), bank, recipe, state=half))[-1]
    assert there.evaluations["small"].mean_iou > 0.8
    assert here.evaluations["small"].mean_iou > 0.8


def test_want_of_memory_in_validation_is_told_apart(make_bank, make_net, monkeypatch):
    def full(*args):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")

    monkeypatch.setattr(import_module("nas.train.fit"), "evaluate", full)
    with pytest.raises(NoRoomToValidate, match="99 bytes") as caught:
        list(fit(make_net(), make_bank(), RECIPE))
    assert fault_of(caught.value) == "memory"
