"""Where a bank's arrays live while they are used: in the page cache for a CPU, copied once into the memory of a GPU.

A batch of 8 small images is gathered in tens of microseconds from either; copied from host to GPU in every step it would cost more than
the step of a tiny network. A search trains hundreds of networks on one bank, so the copy outlives the single training: it is dropped
when the array itself is. An array that would take more than half of what is free on a GPU leaves no room to train: it stays with the host.
"""

import logging
import warnings
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

LARGEST_SHARE = 0.5
"""Of a GPU's free memory, that one array may take."""

_RESIDENTS: dict[tuple[int, str], Tensor | None] = {}
"""Copies by array and device; None for an array that stays with the host, whose alias would keep the array itself alive."""

_log = logging.getLogger(__name__)


def resident(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Give an array as a tensor on a device, or on the host where the device has no room for it; never to be written to.

    What is taken of it goes through `onto`.

    Args:
        array: any array, memory-mapped ones included.
        device: where the tensor is wanted.

    Returns:
        On a CPU, and where a GPU has no room, a tensor over the array's own memory (nothing is read before it is indexed); elsewhere a
        copy, made at the first call and shared by all later calls with the same array object.
    """
    if device.type == "cpu":
        return _alias(array)
    key = (id(array), str(device))
    if key not in _RESIDENTS:
        _RESIDENTS[key] = _copy(array, device) if _has_room(array, device) else None
        weakref.finalize(array, _RESIDENTS.pop, key, None)
    copy = _RESIDENTS[key]
    return _alias(array) if copy is None else copy


def onto(rows: Tensor, device: torch.device) -> Tensor:
    """Give what was taken of a resident on the device: as it is if it lies there, else copied without waiting for the copy."""
    if rows.device.type == device.type:
        return rows
    if device.type == "cuda":
        rows = rows.pin_memory()  # From other memory of the host the copy would be waited for.
    return rows.to(device, non_blocking=True)


def _has_room(array: npt.NDArray[Any], device: torch.device) -> bool:
    free = _free_bytes(device)
    if free is None or array.nbytes <= LARGEST_SHARE * free:
        return True
    _log.warning(
        "images of %.1f GB stay in the host's memory, since %s has %.1f GB free, and each batch is copied: fewer workers, a smaller "
        "--image-size or a smaller --cache-size would leave room",
        *(array.nbytes / 1e9, device, free / 1e9),
    )
    return False


def _free_bytes(device: torch.device) -> int | None:
    """Of a GPU's memory; None where that is not known."""
    return int(torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else None


def _alias(array: npt.NDArray[Any]) -> Tensor:
    with warnings.catch_warnings():
        # A bank is mapped read-only; torch has no read-only tensors and says so. Nothing here writes.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.asarray(array))


def _copy(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    host = _alias(array)
    if host.ndim == 0:
        return host.to(device)
    target = torch.empty(host.shape, dtype=host.dtype, device=device)
    for row, source in zip(target, host, strict=True):  # one view at a time: the host needs room for one, not for the whole bank
        row.copy_(source)
    return target
