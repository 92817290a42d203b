"""What is the machine's fault, and what the network's."""

import errno

import pytest
import torch

from nas.proxy.faults import fault_of


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (MemoryError(), "memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000 bytes."), "memory"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "device"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "device"),
        (OSError(errno.ENOSPC, "No space left on device"), "system"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "system"),
        (OSError("could not get source code"), None),
        (ValueError("CUDA error"), None),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
    ],
)
def test_faults_are_told_apart(error, fault):
    assert fault_of(error) == fault


def test_what_torch_raises_when_memory_runs_out_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert fault_of(caught.value) == "memory"


@pytest.mark.skipif(not hasattr(torch, "AcceleratorError"), reason="this torch raises RuntimeError for it")
def test_a_device_that_fails_is_known_by_its_class():
    assert fault_of(torch.AcceleratorError("illegal instruction")) == "device"
