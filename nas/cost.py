"""What a network costs, exactly and before it exists; and the caps it must respect.

The convention, written once:

- Parameters are `sum(p.numel() for p in net.parameters())`, raw `nn.Parameter`s included. Fixed kernels are buffers and count 0.
- MACs are those of convolutions and linear layers for one image; one multiply-accumulate is 1. Convolutions with fixed or computed
  kernels count as convolutions, zero taps included. Normalisation, activation, pooling, interpolation and elementwise products count 0.
- Activation memory is the peak, over the execution order, of the live tensors (inputs, outputs, waiting skips) for one image in float32,
  norms folded. An operation on one tensor element by element (an activation) overwrites it; all others have their inputs and their
  output alive at once; a tensor dies with its last use. 1K is 1024 bytes.

Closed form, in microseconds, without building anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from nas.blocks import Shape
from nas.errors import UserError
from nas.genome import Genome
from nas.topology import NumClasses, Step, walk

FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """Exact cost of a network on one image.

    Attributes:
        params: Learnable parameters.
        macs: Multiply-accumulates.
        memory: Peak activation memory in bytes.
    """

    params: int
    macs: int
    memory: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps on cost; None leaves a cost free.

    Attributes:
        params: Most learnable parameters.
        macs: Most multiply-accumulates of one image.
        memory: Most bytes of activations.
    """

    params: int | None = None
    macs: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        for name in ("params", "macs", "memory"):
            cap = getattr(self, name)
            if cap is not None and cap < 1:
                raise UserError(f"a cap on {name} must be at least 1, {cap} was given")

    def caps(self) -> dict[str, int]:
        """The caps that are set, by name, in a fixed order."""
        found = {"params": self.params, "macs": self.macs, "memory": self.memory}
        return {name: cap for name, cap in found.items() if cap is not None}

    def violations(self, cost: Cost) -> tuple[float, ...]:
        """For each cap that is set, cost / cap - 1: at most 0 where it holds. Comparable across caps, since Optuna sums them."""
        return tuple(getattr(cost, name) / cap - 1 for name, cap in self.caps().items())

    def allows(self, cost: Cost) -> bool:
        """Whether every cap holds."""
        return (
            (self.params is None or cost.params <= self.params)
            and (self.macs is None or cost.macs <= self.macs)
            and (self.memory is None or cost.memory <= self.memory)
        )

    def share(self, part: float) -> "Budget":
        """The same caps with only a part of the parameters."""
        return self if self.params is None else Budget(max(1, int(self.params * part)), self.macs, self.memory)


def estimate(genome: Genome, in_shape: Shape, num_classes: NumClasses) -> Cost:
    """Exact cost of the genome's network.

    Args:
        genome: The architecture.
        in_shape: Channels, height and width of one image.
        num_classes: Logits, or one number a data set: all heads count.
    """
    steps = walk(genome, in_shape, num_classes)
    params = macs = 0
    for _, operator, _, shape, _ in steps:
        params += operator.params(shape)  # type: ignore[arg-type]
        macs += operator.macs(shape)  # type: ignore[arg-type]
    return Cost(params, macs, FLOAT_BYTES * peak_elements(steps, in_shape))


def peak_elements(steps: Sequence[Step], in_shape: Shape) -> int:
    """Largest number of elements alive at once while the steps run in order."""
    return max(live_elements(steps, in_shape))


def live_elements(steps: Sequence[Step], in_shape: Shape) -> list[int]:
    """Number of elements alive at once at the peak of each step."""
    last_read = {source: position for position, step in enumerate(steps) for source in step.sources}
    alive: dict[str, int] = {steps[0].sources[0]: prod(in_shape)}
    peaks = []
    held = inner = prod(in_shape)  # `inner`: elements of the latest value, which has a name only where its stage ends.
    last = len(steps) - 1
    for position, step in enumerate(steps):
        reading, after = step.operator.workspace(step.in_shape)  # type: ignore[arg-type]
        if step.sources:
            released = 0
            for source in step.sources:
                if last_read[source] == position:
                    released += alive.pop(source)
        else:
            released = inner
        kept = held - released
        peaks.append(max(held + reading, kept + after))
        channels, height, width = step.out_shape
        inner = channels * height * width
        held = kept + inner
        if position == last or steps[position + 1].stage != step.stage:
            alive[step.stage] = inner
    return peaks
