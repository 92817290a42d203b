"""Fits a genome to its caps: one scale for all widths, then the rest of the budget to single stages.

The result is maximal: no stage can grow by one step within the caps and the space's proportions. Costs never fall when a stage grows, so
scaling a result again changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nas.blocks import Shape
from nas.cost import FLOAT_BYTES, Budget, Cost, estimate, peak_elements
from nas.errors import UserError
from nas.genome import Genome, Stage
from nas.topology import NumClasses, walk

MAX_WIDTH = 4096
"""Channels beyond which no stage grows; reached only where no cap is near."""


class Misfit(UserError):  # noqa: N818 - the project's word for it
    """The narrowest form of a genome is over a cap.

    Attributes:
        cost: What the narrowest form costs.
        budget: The caps it is over.
    """

    def __init__(self, message: str, cost: Cost, budget: Budget) -> None:
        super().__init__(message)
        self.cost = cost
        self.budget = budget


@dataclass(frozen=True)
class Proportions:
    """How unequal the widths of a genome may be.

    Attributes:
        factors: From widths, in the order of `Genome.widths`, to the logarithm of each stage's own factor.
        limit: Largest difference between two of them. Without one a cheap stage would take all that is left over and grow to many times
            the others' width.
    """

    factors: Callable[[Sequence[int]], Sequence[float]]
    limit: float


ROUGH = 1.06
"""A scale that fits, times this, does not: near enough to tell which of many draws is worth the exact widths."""


def scale_to(
    genome: Genome,
    budget: Budget,
    in_shape: Shape,
    num_classes: NumClasses,
    min_width: int,
    proportions: Proportions,
    rough: bool = False,
) -> Genome:
    """The widths that fill the tightest cap.

    Args:
        genome: Structure and proportions.
        budget: Caps; one on parameters must be among them.
        in_shape: Channels, height and width of one image.
        num_classes: Logits, or one number a data set.
        min_width: Fewest channels of a stage.
        proportions: How unequal widths may be.
        rough: Give widths that fit and nearly fill it, whatever their proportions, in a quarter of the time.

    Raises:
        Misfit: The narrowest form is over a cap.
    """
    if budget.params is None:
        raise UserError("scaling needs a cap on parameters: the other costs do not bound every width")
    steps = genome.width_steps
    fit = _Fit(genome, steps, tuple(-(-min_width // step) * step for step in steps), proportions, budget, in_shape, num_classes)
    if not fit.allows(fit.narrowest):
        cost = estimate(genome.with_widths(fit.narrowest), in_shape, num_classes)
        over = ", ".join(f"{getattr(cost, name):,} {name} of {cap:,}" for name, cap in budget.caps().items() if getattr(cost, name) > cap)
        raise Misfit(f"the narrowest form of genome {genome.key} is over the cap: {over}", cost, budget)
    low, high = fit.bracket()
    while sum(fit.at(high)) - sum(fit.at(low)) > 1 and high / low > (ROUGH if rough else 1 + 1e-9):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if fit.allows(fit.at(middle)) else (low, middle)
    if rough:
        return genome.with_widths(fit.at(low))
    wanted = [high * width for width in genome.widths]
    widths = fit.pulled_in(fit.at(low))
    while (wider := fit.filled(widths, wanted)) != widths:
        widths = wider
    return genome.with_widths(widths)


@dataclass(frozen=True)
class _Fit:
    """A genome with all that decides which widths it may have."""

    genome: Genome
    steps: Sequence[int]
    narrowest: tuple[int, ...]
    proportions: Proportions
    budget: Budget
    in_shape: Shape
    num_classes: NumClasses
    _stages: dict[tuple[int, int], Stage] = field(default_factory=dict)
    _answers: dict[tuple[int, ...], bool] = field(default_factory=dict)

    def bracket(self) -> tuple[float, float]:
        """A scale that the caps allow, and one that they do not or at which nothing can grow any more."""
        least = min(least / width for least, width in zip(self.narrowest, self.genome.widths, strict=True))
        most = 2 * MAX_WIDTH / min(self.genome.widths)
        params = sum(step.params() for step in walk(self.genome, self.in_shape, self.num_classes))
        assert self.budget.params is not None
        # Most parameters are products of two widths.
        low = high = max(2 * least, (self.budget.params / params) ** 0.5)
        factor = 1.1
        if self.allows(self.at(low)):
            while self.allows(self.at(high)) and high < most:
                low, high, factor = high, high * factor, factor**2
        else:
            while low > least and not self.allows(self.at(low)):
                low, high, factor = max(least, low / factor), low, factor**2
        return low, high

    def at(self, scale: float) -> tuple[int, ...]:
        """All widths times `scale`, rounded to what the blocks allow."""
        rounded = (round(scale * width / step) * step for width, step in zip(self.genome.widths, self.steps, strict=True))
        bounds = ((least, MAX_WIDTH // step * step) for least, step in zip(self.narrowest, self.steps, strict=True))
        return tuple(min(most, max(least, width)) for width, (least, most) in zip(rounded, bounds, strict=True))

    def allows(self, widths: tuple[int, ...]) -> bool:
        """Whether the caps hold. Remembered: the last round of filling asks again what the one before asked."""
        if widths not in self._answers:
            self._answers[widths] = _allows(self.budget, self._widened(widths), self.in_shape, self.num_classes)
        return self._answers[widths]

    def _widened(self, widths: tuple[int, ...]) -> Genome:
        """`Genome.with_widths`, with each stage made once for each width: a third of the time of scaling."""
        return self.genome.with_widths(widths, self._stages)

    def covers(self, widths: Sequence[int]) -> bool:
        """Whether the proportions hold."""
        factors = self.proportions.factors(widths)
        return max(factors) - min(factors) <= self.proportions.limit

    def pulled_in(self, widths: tuple[int, ...]) -> tuple[int, ...]:
        """Narrows the stages that rounding has put beyond the proportions."""
        while not self.covers(widths):
            factors = self.proportions.factors(widths)
            widest = max(range(len(widths)), key=lambda i: (factors[i], -i))
            if widths[widest] - self.steps[widest] < self.narrowest[widest]:
                return widths
            widths = (*widths[:widest], widths[widest] - self.steps[widest], *widths[widest + 1 :])
        return widths

    def filled(self, widths: tuple[int, ...], wanted: Sequence[float]) -> tuple[int, ...]:
        """Widens single stages, the one furthest behind its proportion first, until none can grow."""
        open_stages = set(range(len(widths)))
        while open_stages:
            stage = min(open_stages, key=lambda i: (widths[i] / wanted[i], i))
            wider = (*widths[:stage], widths[stage] + self.steps[stage], *widths[stage + 1 :])
            if wider[stage] <= MAX_WIDTH and self.covers(wider) and self.allows(wider):
                widths = wider
            else:
                open_stages.remove(stage)
        return widths


def _allows(budget: Budget, genome: Genome, in_shape: Shape, num_classes: NumClasses) -> bool:
    """`Budget.allows(estimate(...))`, without the costs that have no cap: this is the inner loop of scaling."""
    steps = walk(genome, in_shape, num_classes)
    if budget.params is not None and sum(step.params() for step in steps) > budget.params:
        return False
    if budget.macs is not None and sum(step.macs() for step in steps) > budget.macs:
        return False
    return budget.memory is None or FLOAT_BYTES * peak_elements(steps, in_shape) <= budget.memory
