"""What one image takes in all, where several networks answer it or see it several times."""

from dataclasses import dataclass
from typing import Any

from nas.evaluate.performance import Performance, measure_performance
from nas.evaluate.whole import Predictor


@dataclass(frozen=True)
class Passes:
    """Forward passes of one image.

    Attributes:
        networks: Of the ensemble; 1 for one network.
        mirrorings: How often each of them sees the image at each size.
        sizes: Heights and widths at which they see it.
        params: Numbers in all networks together.
        macs: Multiply-accumulates of all passes.
        activation_bytes: Most bytes of activations alive in one pass.
        latency_ms: Median milliseconds of all passes, one after the other.
    """

    networks: int
    mirrorings: int
    sizes: tuple[tuple[int, int], ...]
    params: int
    macs: int
    activation_bytes: int
    latency_ms: float

    @property
    def number(self) -> int:
        """Of passes."""
        return self.networks * self.mirrorings * len(self.sizes)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**vars(self), "sizes": [list(size) for size in self.sizes], "number": self.number}

    def describe(self) -> str:
        """A line for a person."""
        kinds = [f"{self.networks} network{'s' if self.networks > 1 else ''}"]
        if self.mirrorings > 1:
            kinds.append(f"{self.mirrorings} mirrorings")
        if len(self.sizes) > 1:
            kinds.append(f"{len(self.sizes)} sizes: {', '.join(f'{height}x{width}' for height, width in self.sizes)}")
        return (
            f"{self.number} passes ({'; '.join(kinds)}): {self.params:,} parameters; {self.macs / 1e6:.2f}M MACs, "
            f"{self.activation_bytes / 1024:,.0f}K peak activations, {self.latency_ms:.1f} ms an image"
        )


def measure_passes(predictor: Predictor, channels: int, domain: int | None = None) -> tuple[Performance, Passes]:
    """Measures the first network at every size that a predictor uses; the others of an ensemble are of the same code.

    Args:
        predictor: The networks, and how they are asked; the first is on the CPU afterwards.
        channels: Of the images.
        domain: Position of the head that answers, for networks with several.

    Returns:
        The cost of one pass at the size of use, and of all.
    """
    first, count = predictor.models[0], len(predictor.models)
    costs = [measure_performance(first, (channels, *size), predictor.device, domain) for size in predictor.sizes]
    mirrorings = len(predictor.mirrorings)
    return costs[0], Passes(
        networks=count,
        mirrorings=mirrorings,
        sizes=predictor.sizes,
        params=count * costs[0].params,
        macs=count * mirrorings * sum(cost.macs for cost in costs),
        activation_bytes=max(cost.activation_bytes for cost in costs),
        latency_ms=count * mirrorings * sum(cost.latency_ms for cost in costs),
    )
