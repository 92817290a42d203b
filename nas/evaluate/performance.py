"""What a network costs in use: parameters, multiply-accumulates, peak activations, and latency on this machine."""

import statistics
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from nas.evaluate.activations import measured_peak
from nas.evaluate.answer import told_domain
from nas.evaluate.cost import measured_cost

RUNS, WARM_UP = 20, 3


@dataclass(frozen=True)
class Performance:
    """Cost of one image.

    Attributes:
        params: Numbers in all `nn.Parameter`s.
        macs: Multiply-accumulates.
        activation_bytes: Most bytes of activations alive at once, float32, norms folded.
        latency_ms: Median milliseconds of a forward pass, batch 1, float32.
        latency_spread: Least and most of them.
        device: Where.
        threads: Of PyTorch, on a CPU.
        in_shape: Channels, height and width.
    """

    params: int
    macs: int
    activation_bytes: int
    latency_ms: float
    latency_spread: tuple[float, float]
    device: str
    threads: int
    in_shape: tuple[int, int, int]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**vars(self), "latency_spread": list(self.latency_spread), "in_shape": list(self.in_shape)}

    def describe(self) -> str:
        """A line for a person."""
        size = "x".join(map(str, self.in_shape))
        low, high = self.latency_spread
        where = f"{self.device}, {self.threads} thread{'s' if self.threads != 1 else ''}" if self.device == "cpu" else self.device
        return (
            f"{self.params:,} parameters; at {size}: {self.macs / 1e6:.2f}M MACs, {self.activation_bytes / 1024:,.0f}K peak activations, "
            f"{self.latency_ms:.1f} ms an image ({low:.1f} to {high:.1f} over {RUNS} runs, {where})"
        )


def measure_performance(model: nn.Module, in_shape: tuple[int, int, int], device: str = "cpu", domain: int | None = None) -> Performance:
    """Measures a network.

    Args:
        model: Any; on the CPU and in eval mode afterwards.
        in_shape: Channels, height and width.
        device: For the latency.
        domain: Position of the head that answers, for a network with several; parameters are those of all heads.

    Raises:
        UserError: It does not take such an image.
    """
    model.to("cpu").eval()
    cost, image = measured_cost(model, in_shape, domain), torch.zeros(1, *in_shape)
    told = told_domain(model, domain)
    peak = 4 * measured_peak(model, [image], told)
    times = _latencies(model.to(device), image.to(device), told)
    model.to("cpu")
    spread = (min(times), max(times))
    return Performance(cost.params, cost.macs, peak, statistics.median(times), spread, device, torch.get_num_threads(), in_shape)


def _latencies(model: nn.Module, image: torch.Tensor, told: dict[str, int]) -> list[float]:
    times = []
    with torch.inference_mode():
        for run in range(WARM_UP + RUNS):
            began = time.perf_counter()
            model(image, **told)
            _wait_for(image.device.type)
            if run >= WARM_UP:
                times.append(1000 * (time.perf_counter() - began))
    return times


def _wait_for(device: str) -> None:
    """Until a device has done what it was given; a CPU has."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()
