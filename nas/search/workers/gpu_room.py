"""How many training processes a GPU has room for: a tiny network's steps leave most of a device idle, several at a time fill it."""

from collections.abc import Sequence

from nas.data import bank_bytes
from nas.search.sets import SetPlan

CONTEXT = 900 * 2**20
"""Bytes of a process that has done nothing yet: the driver's context, and the libraries' kernels and workspaces."""

VALUES_A_PIXEL = 1_000
"""Numbers kept for the backward pass for each pixel of a batch: networks of 10,000 parameters keep 100 to 700."""

KEPT_FREE = 0.1
"""Share of the free memory that is left alone."""

MOST = 16
"""Processes beyond which the device's own switching between them costs more than they bring."""


def free_gpu_bytes() -> int:
    """Free memory of the current CUDA device."""
    import torch

    free, _ = torch.cuda.mem_get_info()
    return int(free)


def worker_bytes(one: SetPlan) -> int:
    """What training on a set takes of a device's memory: its banks, which every process holds, and a batch's activations.

    Args:
        one: The set.
    """
    banks = sum(bank_bytes(data, one.size.image_size, one.size.train_size, one.views) for data in one.rounds)
    height, width = one.size.train_size
    return banks + 4 * VALUES_A_PIXEL * one.recipe.batch_size * height * width


def workers_within(free: int, needs: Sequence[int], cores: int) -> int:
    """Processes that fit, at least one.

    Args:
        free: Bytes of the device.
        needs: Bytes for each data set; banks of all of them stay on the device, activations of one at a time.
        cores: Of the host; each process keeps one busy.
    """
    room = int(free * (1 - KEPT_FREE))
    return max(1, min(cores, MOST, room // (CONTEXT + sum(needs))))
