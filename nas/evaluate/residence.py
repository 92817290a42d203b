"""Where a bank's arrays live while they are used: in the page cache for a CPU, copied once into the memory of a GPU.

A batch of 8 small images is gathered in tens of microseconds from either; copied from host to GPU in every step it would cost more than
the step of a tiny network. A search trains hundreds of networks on one bank, so the copy outlives the single training: it is dropped
when the array itself is.
"""

import warnings
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_RESIDENTS: dict[tuple[int, str], Tensor] = {}


def resident(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Give an array as a tensor on a device; never to be written to.

    Args:
        array: any array, memory-mapped ones included.
        device: where the tensor is wanted.

    Returns:
        On a CPU a tensor over the array's own memory (nothing is read before it is indexed); elsewhere a copy, made at the first call
        and shared by all later calls with the same array object.
    """
    if device.type == "cpu":
        return _alias(array)
    key = (id(array), str(device))
    if key not in _RESIDENTS:
        _RESIDENTS[key] = _copy(array, device)
        weakref.finalize(array, _RESIDENTS.pop, key, None)
    return _RESIDENTS[key]


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
