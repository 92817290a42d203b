"""The order of an image's numbers follows from shapes alone."""

import pytest
import torch
from torch import nn

from nas.train.layout import memory_format_for


@pytest.mark.parametrize(
    ("size", "stride", "expected"), [(64, 1, torch.channels_last), (64, 2, torch.contiguous_format), (128, 2, torch.channels_last)]
)
def test_large_maps_are_channels_last(size, stride, expected):
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, stride=stride), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    assert memory_format_for(model, torch.zeros(1, 3, size, size), 8) == expected


def test_a_look_leaves_no_trace():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    model[1].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(0)
    memory_format_for(model, torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(1)), 8)
    assert torch.initial_seed() == 0
    assert torch.rand(1) == torch.rand(1, generator=torch.Generator().manual_seed(0))
    assert [module.training for module in model.modules()] == [True, True, False, True]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


class Drawing(nn.Conv2d):
    def forward(self, x):
        return nn.functional.dropout(super().forward(x), 0.5)  # in eval mode too


def test_a_look_draws_nothing():
    model = Drawing(3, 2, 1)
    before = torch.get_rng_state()
    memory_format_for(model, torch.zeros(1, 3, 8, 8), 8)
    assert torch.equal(torch.get_rng_state(), before)
