"""How many training processes a GPU has room for: a tiny network's steps leave most of a device idle, several at a time fill it."""

from collections.abc import Sequence
from math import sqrt

from nas.data import bank_bytes, reduced
from nas.search.sets import SetPlan

CONTEXT = 900 * 2**20
"""Bytes of a process that has done nothing yet: the driver's context, and the libraries' kernels and workspaces."""

VALUES_A_PIXEL, OF_PARAMETERS = 1_000, 10_000
"""Numbers kept for the backward pass for each pixel of a batch: networks of 10,000 parameters keep 100 to 700. Larger ones are wider, and
what they keep grows with the width, their parameters with its square."""

COPIES = 2
"""Times that this memory is held: by the recordings of a step, each of which keeps a pool of its own, and by the eager steps before."""

KEPT_FREE = 0.1
"""Share of the free memory that is left alone."""

MOST = 16
"""Processes beyond which the device's own switching between them costs more than they bring."""


def free_gpu_bytes() -> int:
    """Free memory of the current CUDA device."""
    import torch

    free, _ = torch.cuda.mem_get_info()
    return int(free)


def worker_bytes(one: SetPlan, budget: int, scales: Sequence[float] = (1.0,)) -> int:
    """What training on a set takes of a device's memory: its banks, which every process holds, and a batch's activations.

    Args:
        one: The set.
        budget: Most parameters of a network.
        scales: Shares of the image size at which a candidate is trained, each from a bank of its own.
    """
    sizes = [one.size if scale == 1 else reduced(one.size, scale) for scale in scales]
    banks = sum(bank_bytes(data, size.image_size, size.train_size, one.views) for data in one.rounds for size in sizes)
    height, width = one.size.train_size
    values = VALUES_A_PIXEL * max(1.0, sqrt(budget / OF_PARAMETERS))
    return banks + round(4 * COPIES * values * one.recipe.batch_size * height * width)


def workers_within(free: int, needs: Sequence[int], cores: int) -> int:
    """Processes that fit, at least one: where its banks leave no room to train, they stay in the host's memory.

    Args:
        free: Bytes of the device.
        needs: Bytes for each data set; banks of all of them stay on the device, activations of one at a time.
        cores: Of the host; each process keeps one busy.
    """
    room = int(free * (1 - KEPT_FREE))
    return max(1, min(cores, MOST, room // (CONTEXT + sum(needs))))
