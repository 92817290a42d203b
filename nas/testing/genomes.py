"""What every genome promises, whichever space it came from."""

import json
from collections.abc import Sequence
from math import prod
from typing import cast

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nas.blocks import Shape
from nas.cost import FLOAT_BYTES, estimate
from nas.evaluate.activations import measured_peak
from nas.genome import Genome, genome_from_json
from nas.network import build_network
from nas.space import SearchSpace
from nas.topology import Step, walk

ODD_SIZE = (37, 51)


def counted_macs(module: nn.Module, *inputs: torch.Tensor) -> int:
    """Multiply-accumulates of convolutions and matrix products in one forward pass, as torch counts them."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    flops: int = counter.get_total_flops()
    return flops // 2


def check_genome(space: SearchSpace, genome: Genome, in_shape: Shape, num_classes: int, *, run: bool = True) -> None:
    """Sends one genome through all promises.

    Args:
        space: Where it came from.
        genome: Decoded or scaled.
        in_shape: Channels, height and width that costs are compared at.
        num_classes: Logits.
        run: Whether to run the network too, which takes most of the time.

    Raises:
        AssertionError: A promise is broken; the message says which.
    """
    where = f"genome {genome.key} of {space.name}"
    text = genome.to_json()
    again = genome_from_json(text, space.vocabulary)
    assert again == genome, f"{where}: its JSON gives back another genome"
    assert again.key == genome.key, f"{where}: its JSON gives back another key"
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")), f"{where}: its JSON is not canonical"
    cost = estimate(genome, in_shape, num_classes)
    network = build_network(genome, in_shape[0], num_classes)
    params = sum(parameter.numel() for parameter in network.parameters())
    assert cost.params == params, f"{where}: the formulae say {cost.params} parameters, the network has {params}"
    if run:
        _check_runs(where, network, cost.macs, in_shape, num_classes)
        _check_memory(where, network, walk(genome, in_shape, num_classes), cost.memory, in_shape)


def _check_memory(where: str, network: nn.Module, steps: Sequence[Step], memory: int, in_shape: Shape) -> None:
    """Exact where no operator counts its input longer than some of its forms need it; there by no more than the largest such input."""
    seen = FLOAT_BYTES * measured_peak(network, [torch.zeros(1, *in_shape)])
    counted = [step for step in steps if step.operator.keeps_input]
    slack = FLOAT_BYTES * max((prod(cast("Shape", step.in_shape)) for step in counted), default=0)
    assert seen <= memory <= seen + slack, f"{where}: the formulae say {memory} bytes of activations, the network holds {seen}"


def _check_runs(where: str, network: nn.Module, macs: int, in_shape: Shape, num_classes: int) -> None:
    network.eval()
    seen = counted_macs(network, torch.zeros(1, *in_shape))
    assert macs == seen, f"{where}: the formulae say {macs} MACs, the network does {seen}"
    with torch.no_grad():
        shape = tuple(network(torch.zeros(2, in_shape[0], *ODD_SIZE)).shape)
    assert shape == (2, num_classes, *ODD_SIZE), f"{where}: for an image of {ODD_SIZE} it gives {shape}"
    network.train()
    logits = network(torch.randn(1, *in_shape))
    torch.autograd.backward(nn.functional.cross_entropy(logits, torch.zeros(1, *in_shape[1:], dtype=torch.long)))
    idle = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not idle, f"{where}: no gradient reaches {idle[:3]}"
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters() if parameter.grad is not None), (
        f"{where}: a gradient is not finite"
    )
