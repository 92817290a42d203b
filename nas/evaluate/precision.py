"""Convolutions in float32 proper: cuDNN rounds what it multiplies to ten bits (TF32) on NVIDIA's GPUs since Ampere, by default."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def full_float32(device: torch.device) -> Iterator[None]:
    """Keeps cuDNN's convolutions from TF32 within a block, and gives back what was set before.

    Args:
        device: Where the block computes; nothing changes for any but a CUDA device.
    """
    if device.type != "cuda":
        yield
        return
    cudnn: Any = torch.backends.cudnn
    # Since torch 2.9 each operation has a switch of its own. Where that was used, reading the older one of all operations may be an error.
    switch, name, exact = (cudnn.conv, "fp32_precision", "ieee") if hasattr(cudnn, "conv") else (cudnn, "allow_tf32", False)
    before = getattr(switch, name)
    setattr(switch, name, exact)
    try:
        yield
    finally:
        setattr(switch, name, before)
