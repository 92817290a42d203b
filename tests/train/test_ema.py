"""The moving average."""

import pytest
import torch
from torch import nn

from nas.train.ema import averaged, decay_at, float_tensors, update_average


def test_follows_the_recurrence():
    average, live = [torch.zeros(3), torch.ones(2, 2)], [torch.ones(3), torch.full((2, 2), 3.0)]
    update_average(average, live, 0.75)
    assert average[0].tolist() == [0.25] * 3
    assert average[1].flatten().tolist() == [1.5] * 4
    update_average(average, live, 0.75)
    assert average[0].tolist() == [0.4375] * 3


def test_a_decay_on_the_device_gives_the_same_average():
    live = [torch.rand(3), torch.rand(2, 2)]
    one, other = [torch.zeros(3), torch.ones(2, 2)], [torch.zeros(3), torch.ones(2, 2)]
    update_average(one, live, 0.75)
    update_average(other, live, torch.tensor(0.75))
    torch.testing.assert_close(one, other)


def test_zero_decay_is_the_weights_themselves():
    average, live = [torch.zeros(3)], [torch.tensor([0.1, 0.2, 0.3])]
    update_average(average, live, 0.0)
    assert torch.equal(average[0], live[0])


def test_decay_warms_up():
    decays = [decay_at(step, 0.9) for step in range(200)]
    assert decays[0] == pytest.approx(0.1)
    assert decays == sorted(decays)
    assert decays[-1] == 0.9
    assert decay_at(5, 0.0) == 0.0


def test_holds_running_statistics_but_no_counters():
    names = set(float_tensors(nn.BatchNorm2d(2)))
    assert names == {"weight", "bias", "running_mean", "running_var"}


def test_averaged_lends_the_average_and_gives_the_weights_back_even_after_a_failure():
    model = nn.Conv2d(2, 2, 3).to(memory_format=torch.channels_last)
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    average = {name: torch.full_like(tensor, 7.0) for name, tensor in own.items()}
    with averaged(model, average):
        assert (model.weight == 7).all()
    assert all(torch.equal(own[name], tensor) for name, tensor in model.state_dict().items())
    with pytest.raises(RuntimeError, match="on purpose"), averaged(model, average):
        raise RuntimeError("on purpose")
    assert torch.equal(model.weight, own["weight"])
