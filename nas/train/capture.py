"""Records a step as a CUDA graph, and leaves a process that can still train where that fails.

A host that reads a number of the device (`.item()`) or waits for a copy to it cannot be recorded. Trying it inside a recording breaks more
than the recording: torch gives neither the stream back nor the generator of random numbers, and its allocator goes on waiting for an end
(`torch/cuda/graphs.py`, `graph.__exit__`; the note in `CUDAGraph::reset` of `ATen/cuda/CUDAGraph.cpp`). So such steps are found before, by
a step for which torch refuses to wait. What that does not find is undone as far as it can be, and this process records nothing more.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

_broken: list[torch.cuda.CUDAGraph] = []
"""Recordings that could not be ended: kept, since the allocator holds their address as long as the process lives."""


def can_capture() -> bool:
    """Whether this process may record: no recording of it has failed halfway."""
    return not _broken


def cuda_capture(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Records a step as a CUDA graph; takes one step before, in which libraries reserve memory, as they must not in a recording.

    Args:
        step: Writes to tensors in place and returns the loss. It was taken before, so that its kernels are loaded.

    Returns:
        What replays it.

    Raises:
        RuntimeError: It cannot be recorded.
    """
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(stream), _waiting_refused():
            step()
    finally:
        torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with _ended(graph), torch.cuda.graph(graph):
        loss = step()

    def replay() -> Tensor:
        graph.replay()
        return loss

    return replay


@contextmanager
def _waiting_refused() -> Iterator[None]:
    """Lets what makes the host wait for the device raise a RuntimeError."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that the mode is a prototype which does not find everything
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


@contextmanager
def _ended(graph: torch.cuda.CUDAGraph) -> Iterator[None]:
    """Gives stream and generator back where a recording fails, and lets it be the last one.

    Raises:
        RuntimeError: It failed; with what went wrong first, not with the failure to end it that follows.
    """
    stream = torch.cuda.current_stream()
    try:
        yield
    except BaseException as error:
        _broken.append(graph)
        torch.cuda.set_stream(stream)
        # A state whose recording has not ended refuses to draw numbers; a copy of it does not.
        generator = torch.cuda.default_generators[torch.cuda.current_device()]
        generator.graphsafe_set_state(generator.clone_state())
        torch.cuda.synchronize()
        if isinstance(error, RuntimeError) and isinstance(error.__context__, RuntimeError):
            raise error.__context__ from None
        raise
