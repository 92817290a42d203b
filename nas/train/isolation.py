"""What training borrows from the process and gives back: torch's random state, and how the CPU treats denormal numbers.

A network may draw random numbers of its own (dropout) from torch's global generators. Training has to give the same result whatever the
caller drew before, and a caller's experiment must not change because a training ran in between; so both are set aside for each other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


def first_random_state(seed: int, device: torch.device) -> dict[str, Tensor]:
    """Make the random state with which a training begins.

    Args:
        seed: of the training.
        device: where it runs; a GPU has a generator of its own.

    Returns:
        The state of each generator, by type of device, on the CPU.
    """
    return {kind: torch.Generator(kind).manual_seed(seed).get_state() for kind in _kinds(device)}


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Read the state of torch's global generators that a training on a device may draw from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


@contextmanager
def isolated(states: Mapping[str, Tensor], device: torch.device) -> Iterator[None]:
    """Work from a random state of one's own, without denormals, and give the caller's state back afterwards.

    Denormals are the numbers below 1e-38, as weights that have died out leave them; a CPU takes up to a hundred times as long for each.

    Args:
        states: what `first_random_state` or `random_state` gave.
        device: where the work is done.
    """
    callers, flushed = random_state(device), _flushes_denormals()
    _set_random_state(states, device)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)
        _set_random_state(callers, device)


def _kinds(device: torch.device) -> tuple[str, ...]:
    return ("cpu", "cuda") if device.type == "cuda" else ("cpu",)


def _set_random_state(states: Mapping[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)


def _flushes_denormals() -> bool:
    return torch.tensor([1e-39]).mul(1.0).item() == 0.0  # torch can set this, but not say it
