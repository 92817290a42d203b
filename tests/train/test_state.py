"""The state and its bytes."""

import io

import pytest
import torch
from torch import nn

from nas.train import Recipe, TrainState, fit, load_ema
from nas.train.state import load_weights, on_host

SECTIONS = ("weights", "ema", "optimiser", "random")


@pytest.fixture
def state(make_bank, make_net):
    return next(fit(make_net(), make_bank(), Recipe(epochs=3))).state


def test_bytes_and_back_to_the_bit(state):
    written = state.to_bytes()
    again = TrainState.from_bytes(written)
    assert again.epoch == state.epoch == 1
    for section in SECTIONS:
        before, after = getattr(state, section), getattr(again, section)
        assert list(before) == list(after)
        assert before
        for name in before:
            assert before[name].dtype == after[name].dtype
            assert torch.equal(before[name], after[name])
    assert again.to_bytes() == written


def test_holds_what_it_says(state, make_net):
    model = make_net()
    assert set(state.weights) == set(state.ema) == set(model.state_dict())
    assert state.ema["pooled.2.num_batches_tracked"] == 2
    assert "head.weight/exp_avg_sq" in state.optimiser
    assert not any(name.startswith("unused") for name in state.optimiser)
    assert list(state.random) == ["cpu"]


def test_a_small_network_has_a_small_state(state):
    numbers = sum(t.numel() * t.element_size() for section in SECTIONS for t in getattr(state, section).values())
    assert len(state.to_bytes()) < numbers + 12_000


def test_later_epochs_leave_a_state_alone(make_bank, make_net):
    epochs = fit(make_net(), make_bank(), Recipe(epochs=3))
    first = next(epochs).state
    written = first.to_bytes()
    list(epochs)
    assert first.to_bytes() == written


def test_bytes_of_another_format_are_refused():
    buffer = io.BytesIO()
    torch.save({"format": 99}, buffer)
    with pytest.raises(ValueError, match="format 1, got 99"):
        TrainState.from_bytes(buffer.getvalue())


def test_load_ema_gives_the_averaged_network(state, make_net):
    model = make_net(seed=8)
    load_ema(model, state)
    assert all(torch.equal(tensor, state.ema[name]) for name, tensor in model.state_dict().items())
    assert not torch.equal(model.head.weight, state.weights["head.weight"])


@pytest.mark.parametrize("classes", [2, 4])
def test_weights_of_another_shape_are_refused(state, make_net, classes):
    with pytest.raises(ValueError, match="head"):
        load_ema(make_net(classes=classes), state)


def test_weights_of_another_network_are_refused(state):
    with pytest.raises(ValueError, match="same network"):
        load_weights(nn.Conv2d(3, 3, 3), state.weights)


def test_on_host_keeps_values_types_and_order():
    weight = torch.randn(4, 3, 3, 3).contiguous(memory_format=torch.channels_last)
    tensors = {"w": weight, "n": torch.tensor(3), "b": torch.arange(5.0), "u": torch.arange(4, dtype=torch.uint8)}
    host = on_host(tensors)
    assert list(host) == list(tensors)
    for name, tensor in tensors.items():
        assert host[name].dtype == tensor.dtype
        assert host[name].shape == tensor.shape
        assert torch.equal(host[name], tensor)
    for tensor in tensors.values():
        tensor.zero_()
    assert all(tensor.abs().sum() > 0 for tensor in host.values())  # The only one of its type is a copy too.
