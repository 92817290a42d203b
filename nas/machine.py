"""What this machine offers: devices, cores, processes like this one, and an allocator that can be told to keep what it has."""

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nas.errors import UserError
from nas.quota import core_quota

DEVICES = ("auto", "cpu", "cuda", "mps")
"""What a person may ask for."""

MMAP_THRESHOLD, TRIM_THRESHOLD = 33_554_432, 4_000_000_000
"""glibc maps and unmaps every large activation otherwise, 7,300 page faults a step; above 32 MiB the first is refused silently."""

WORKER_ENVIRONMENT: Mapping[str, str] = {
    # One thread a worker: on tiny networks two threads are slower than one, and two workers twice as fast.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # What `keep_memory` does, from the first allocation on.
    "MALLOC_MMAP_THRESHOLD_": str(MMAP_THRESHOLD),
    "MALLOC_TRIM_THRESHOLD_": str(TRIM_THRESHOLD),
}
"""Of a process that trains on a CPU."""

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""In messages of torch's: of GPUs, of its CPU allocator on Linux and on Windows, of CUDA's libraries."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def resolve_device(wanted: str) -> str:
    """The best device there is, or the one asked for.

    Args:
        wanted: Of `DEVICES`.

    Raises:
        UserError: It is not there.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(device for device, available in there.items() if available)
    if not there[wanted]:
        raise UserError(f"--device {wanted} was asked for and torch {torch.__version__} finds none here: use --device auto")
    return wanted


def available_cores() -> int:
    """Cores that this process may use, and that the quota of its container leaves it the time of."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, core_quota() or allowed)


@contextmanager
def one_thread() -> Iterator[None]:
    """Lets torch compute with one thread for the length of a block."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def is_short_of_memory(error: Exception) -> bool:
    """Whether an error says that memory did not suffice, the host's or a GPU's."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY))


@contextmanager
def memory_in_words(advice: str, kind: type[Exception] = Exception) -> Iterator[None]:
    """Says in words where a block comes to the end of the memory, the host's or a GPU's.

    Args:
        advice: What to do.
        kind: Of the errors that this is the advice for.

    Raises:
        UserError: It did.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, kind) or not is_short_of_memory(error):
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UserError(f"the memory does not suffice ({reason}): {advice}") from error


def import_path() -> dict[str, str]:
    """The environment in which a Python process finds the same modules in the same order as this one, from wherever it was started."""
    root = str(Path(__file__).resolve().parents[1])
    places = [str(Path(place).resolve()) for place in sys.path if place]
    return {"PYTHONPATH": os.pathsep.join(places if root in places else [root, *places])}


def keep_memory() -> bool:
    """Tells the C library's allocator to keep freed memory, which makes a training step on a CPU 1.2 to 1.5 times as fast.

    For a process that trains by itself; workers get the same by their environment.

    Returns:
        Whether there is such an allocator here (glibc).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    limit = min(TRIM_THRESHOLD, 2**31 - 1)  # mallopt takes an int
    return bool(mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD)) and bool(mallopt(_M_TRIM_THRESHOLD, limit))


def private_memory() -> int:
    """Bytes of memory that are this process's own, files that it has mapped left out; 0 where the system does not say."""
    try:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    except (OSError, ValueError):
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def give_memory_back(beyond: int) -> bool:
    """Gives freed memory that was kept back to the system, where the process holds more than some bytes of its own.

    Between trainings: what one leaves suits the next in part only, so that the memory of a process grows with every network.

    Returns:
        Whether it did: not below that size, and where the C library has no such function.
    """
    if private_memory() <= beyond:
        return False
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):  # Windows has no library without a name.
        return False
    return True
