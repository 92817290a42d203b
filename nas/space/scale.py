"""Fits a genome to its caps: one scale for all widths, then the rest of the budget to single stages.

The result is maximal: no stage can grow by one step within the caps and the space's proportions. Costs never fall when a stage grows, so
scaling a result again changes nothing.
"""

from collections.abc import Callable, Sequence
from math import lcm

from nas.blocks import Shape, WideBlock
from nas.cost import FLOAT_BYTES, Budget, Cost, estimate, peak_elements
from nas.errors import UserError
from nas.genome import Genome
from nas.topology import NumClasses, walk

MAX_WIDTH = 4096
"""Channels beyond which no stage grows; reached only where no cap is near."""


class Misfit(UserError):  # noqa: N818 - the project's word for it
    """The narrowest form of a genome is over a cap.

    Attributes:
        cost: What the narrowest form costs.
    """

    def __init__(self, message: str, cost: Cost) -> None:
        super().__init__(message)
        self.cost = cost


def scale_to(
    genome: Genome, budget: Budget, in_shape: Shape, num_classes: NumClasses, min_width: int, covers: Callable[[Genome], bool]
) -> Genome:
    """The widths that fill the tightest cap.

    Args:
        genome: Structure and proportions.
        budget: Caps; one on parameters must be among them.
        in_shape: Channels, height and width of one image.
        num_classes: Logits, or one number a data set.
        min_width: Fewest channels of a stage.
        covers: Whether widths are within the space's proportions. Without it a cheap stage would take all that is left over and grow
            to many times the others' width.

    Raises:
        Misfit: The narrowest form is over a cap.
    """
    if budget.params is None:
        raise UserError("scaling needs a cap on parameters: the other costs do not bound every width")
    steps = _width_steps(genome)
    narrowest = tuple(-(-min_width // step) * step for step in steps)

    def allowed(widths: Sequence[int]) -> bool:
        return _allows(budget, genome.with_widths(widths), in_shape, num_classes)

    if not allowed(narrowest):
        cost = estimate(genome.with_widths(narrowest), in_shape, num_classes)
        over = ", ".join(f"{getattr(cost, name):,} {name} of {cap:,}" for name, cap in budget.caps().items() if getattr(cost, name) > cap)
        raise Misfit(f"the narrowest form of genome {genome.key} is over the cap: {over}", cost)

    def at(scale: float) -> tuple[int, ...]:
        rounded = (round(scale * width / step) * step for width, step in zip(genome.widths, steps, strict=True))
        return tuple(min(MAX_WIDTH // step * step, max(least, w)) for w, least, step in zip(rounded, narrowest, steps, strict=True))

    low = min(least / width for least, width in zip(narrowest, genome.widths, strict=True))
    high = 2 * low
    while at(high) == at(low) or (allowed(at(high)) and min(at(high)) < MAX_WIDTH):
        low, high = high, 2 * high
    while sum(at(high)) - sum(at(low)) > 1 and high / low > 1 + 1e-9:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if allowed(at(middle)) else (low, middle)
    return genome.with_widths(_fill(at(low), [high * width for width in genome.widths], steps, allowed))


def _fill(
    widths: tuple[int, ...], wanted: Sequence[float], steps: Sequence[int], allowed: Callable[[Sequence[int]], bool]
) -> tuple[int, ...]:
    """Widens single stages, the one furthest behind its proportion first, until none can grow."""
    open_stages = set(range(len(widths)))
    while open_stages:
        stage = min(open_stages, key=lambda i: (widths[i] / wanted[i], i))
        wider = (*widths[:stage], widths[stage] + steps[stage], *widths[stage + 1 :])
        if wider[stage] <= MAX_WIDTH and allowed(wider):
            widths = wider
        else:
            open_stages.remove(stage)  # Costs only rise from here, so it will not fit later either.
    return widths


def _width_steps(genome: Genome) -> tuple[int, ...]:
    """What each stage's width must be a multiple of."""
    stages = [genome.stem, *genome.encoder, *(level.blocks for level in genome.decoder)]
    stages[len(genome.encoder)] = (*genome.encoder[-1], *genome.context)
    return tuple(lcm(*(block.width_multiple for block in stage if isinstance(block, WideBlock))) for stage in stages)


def _allows(budget: Budget, genome: Genome, in_shape: Shape, num_classes: NumClasses) -> bool:
    """`Budget.allows(estimate(...))`, without the costs that have no cap: this is the inner loop of scaling."""
    steps = walk(genome, in_shape, num_classes)
    if budget.params is not None and sum(step.params() for step in steps) > budget.params:
        return False
    if budget.macs is not None and sum(step.macs() for step in steps) > budget.macs:
        return False
    return budget.memory is None or FLOAT_BYTES * peak_elements(steps, in_shape) <= budget.memory
