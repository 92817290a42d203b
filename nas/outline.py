"""An architecture as text: one line a stage, with what it costs and sees."""

from collections.abc import Sequence
from itertools import islice

from nas.blocks import Shape
from nas.cost import FLOAT_BYTES, live_elements
from nas.genome import Genome
from nas.receptive_field import ReceptiveField, receptive_fields
from nas.topology import NumClasses, Step, by_stage, walk

HEADER = ("stage", "output", "parameters", "MACs", "memory", "sees", "operators")


def outline(genome: Genome, in_shape: Shape, num_classes: NumClasses) -> str:
    """A table of the stages in execution order, with a line of totals.

    Memory is what is alive at once at the stage's peak, waiting skips included; the total is the largest. "Sees" is the receptive field
    in pixels, with a plus where global pooling adds to it.
    """
    steps = walk(genome, in_shape, num_classes)
    rows = _rows(steps, in_shape)
    widths = [max(len(row[i]) for row in (HEADER, *rows)) for i in range(len(HEADER) - 1)]
    lines = []
    for row in (HEADER, *rows):
        name, *figures = (cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=False)))
        lines.append("  ".join([name, *figures, row[-1]]).rstrip())
    return "\n".join(lines)


def _rows(steps: Sequence[Step], in_shape: Shape) -> list[tuple[str, ...]]:
    sees = receptive_fields(steps)
    live = live_elements(steps, in_shape)
    passing = iter(live)
    rows = []
    for name, members in by_stage(steps):
        rows.append(
            (
                name,
                " x ".join(map(str, members[-1].out_shape)),
                f"{sum(step.params() for step in members):,}",
                _macs(sum(step.macs() for step in members)),
                _memory(max(islice(passing, len(members)))),
                _sees(sees[name]),
                "; ".join(_labels(members)),
            )
        )
    params, macs = sum(step.params() for step in steps), sum(step.macs() for step in steps)
    size = " x ".join(map(str, (steps[-1].out_shape[0], *in_shape[1:])))
    total = ("total", size, f"{params:,}", _macs(macs), _memory(max(live)), _sees(sees[steps[-1].stage]), "")
    return [*rows, total]


def _labels(members: Sequence[Step]) -> list[str]:
    """Labels of a stage's operators; equal ones in a row are counted."""
    found: list[tuple[str, int]] = []
    for step in members:
        label = step.operator.label()
        if found and found[-1][0] == label:
            found[-1] = (label, found[-1][1] + 1)
        else:
            found.append((label, 1))
    return [f"{count} x {label}" if count > 1 else label for label, count in found]


def _sees(field: ReceptiveField) -> str:
    return f"{field.pixels}{'+' if field.whole_image else ''}"


def _macs(count: int) -> str:
    return f"{count / 1e6:,.2f}M" if count >= 10_000 else f"{count:,}"


def _memory(elements: int) -> str:
    return f"{elements * FLOAT_BYTES / 1024:,.0f}K"
