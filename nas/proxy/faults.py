"""Faults of the machine: what ends a training and says nothing of the network, such as memory that is short for a moment."""

import errno
from typing import Literal

import torch

from nas.machine import is_short_of_memory

Fault = Literal["memory", "device", "system"]
"""Memory ran out, of the host or the device; the device failed, after which its process can no longer use it; or the operating system
refused a call: a full disk, a file that is gone."""

DEVICE = ("CUDA error", "CUDA driver error", "cuDNN error", "CUDNN_STATUS", "CUBLAS_STATUS")


def fault_of(error: Exception) -> Fault | None:
    """Which fault of the machine an exception tells of; None for all that is the network's own."""
    text = str(error)
    if isinstance(error, torch.OutOfMemoryError) or is_short_of_memory(error):
        return "memory"
    # torch before 2.8 has no such class.
    if isinstance(error, getattr(torch, "AcceleratorError", ())) or (
        isinstance(error, RuntimeError) and any(one in text for one in DEVICE)
    ):
        return "device"
    # Libraries raise OSError for much else, but without a number.
    if isinstance(error, OSError) and error.errno is not None:
        return "memory" if error.errno == errno.ENOMEM else "system"
    return None
