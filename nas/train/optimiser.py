"""AdamW for a tiny network, its schedule, and what of it a state holds.

The fused form is one call for all parameters: on a CPU 0.14 to 0.46 ms for 26 to 77 tensors against 0.4 to 1.2 ms for the foreach form and
0.7 to 1.9 ms for the plain loop.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nas.train.recipe import Recipe

_FUSED = frozenset({"cpu", "cuda"})


def make_optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Make the optimiser of all parameters that want a gradient.

    Weight decay is for weights: what has at most one axis longer than 1 (biases, scales of norms, a gain per channel) is spared.

    On a GPU the learning rate is a tensor there, so that a recorded step reads the rate of the moment.

    Args:
        model: already on its device.
        recipe: gives the weight decay; the learning rate is set in every step.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    weights = [p for p in trained if _axes(p) > 1]
    others = [p for p in trained if _axes(p) <= 1]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    fused = all(p.device.type in _FUSED for p in trained)
    on_gpu = bool(trained) and all(p.device.type == "cuda" for p in trained)
    rate = torch.tensor(recipe.learning_rate, device=trained[0].device) if on_gpu else recipe.learning_rate
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=rate, fused=fused, capturable=on_gpu)


def learning_rate(recipe: Recipe, step: int, total: int) -> float:
    """Give the learning rate of a step: a linear rise to the peak, then half a cosine down to 0 after the last step.

    Args:
        recipe: gives the peak and the share of the warm-up.
        step: from 0.
        total: steps of the whole length.
    """
    rising = round(recipe.warmup * total)
    if step < rising:
        return recipe.learning_rate * (step + 1) / rising
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rising) / (total - rising)))


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameters for the next step."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def optimiser_tensors(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Collect what the optimiser remembers.

    Args:
        model: whose parameters it trains.
        optimiser: as `make_optimiser` made it.

    Returns:
        The live tensors under `<parameter>/<quantity>`, e.g. `stem.weight/exp_avg`; nothing for a parameter that has had no gradient yet.
    """
    return {
        f"{name}/{quantity}": tensor
        for name, parameter in model.named_parameters()
        for quantity, tensor in optimiser.state.get(parameter, {}).items()
    }


def restore_optimiser(model: nn.Module, optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` collected.

    Args:
        model: whose parameters the optimiser trains.
        optimiser: fresh.
        tensors: on any device, in any memory layout.
    """
    parameters = dict(model.named_parameters())
    for key, tensor in tensors.items():
        name, quantity = key.rsplit("/", 1)
        parameter = parameters[name]
        # A moment must lie in memory as its parameter does: the fused kernel walks both by address, not by index.
        fresh = torch.empty_like(parameter if tensor.shape == parameter.shape else tensor, dtype=tensor.dtype, device=parameter.device)
        optimiser.state[parameter][quantity] = fresh.detach().requires_grad_(False).copy_(tensor)


def _axes(parameter: Tensor) -> int:
    return sum(length > 1 for length in parameter.shape)
