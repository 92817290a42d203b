"""The internal ensemble: how its experts share channels and attention."""

import pytest
import torch

from nas.blocks import MultiExpert


@pytest.mark.parametrize(
    ("width", "shares", "hidden"),
    [(12, (1, 1, 1), (4, 4, 4)), (12, (2, 1, 1), (6, 3, 3)), (9, (1, 2, 1), (2, 4, 2)), (2, (1, 1, 2), (1, 1, 1))],
)
def test_shares_give_widths(width, shares, hidden):
    block = MultiExpert(width=width, shares=shares)
    assert block.hidden() == hidden
    maps = [expert(torch.randn(1, 5, 8, 8)) for expert in block.build((5, 8, 8)).experts]
    assert tuple(features.shape[1] for features in maps) == hidden


def test_attention_sums_to_one_and_weighs():
    module = MultiExpert(width=12).build((5, 8, 8)).eval()
    x = torch.randn(3, 5, 8, 8)
    weights = module.attention([expert(x) for expert in module.experts])
    assert weights.shape == (3, 3, 1, 1)
    torch.testing.assert_close(weights.sum(1), torch.ones(3, 1, 1))
    torch.nn.init.constant_(module.score.weight, 0.0)
    module.score.bias.data = torch.tensor([100.0, 0.0, 0.0])
    silent = module(x)
    torch.nn.init.normal_(module.experts[1][0].weight)
    torch.testing.assert_close(module(x), silent)
