"""An architecture as a picture (SVG): height is resolution, from left to right is order, colours are kinds of blocks, arcs are skips.

Edges and arcs carry resolution and width of what passes. The text form of the same is `outline.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log2

from nas.blocks import Shape
from nas.cost import estimate
from nas.genome import Genome
from nas.topology import IMAGE, NumClasses, Step, by_stage, walk

WIDTH, HEIGHT, GAP, DROP, MARGIN = 76, 34, 26, 86, 24
"""Of a box, between boxes, between levels, around it all, in units of the picture."""

TITLE, LEGEND_LINE = 40, 18

FONT = "font-family='system-ui, sans-serif'"
PAPER, INK, PALE, LINE, ARC = "#ffffff", "#1f2430", "#6b7280", "#9aa3b2", "#c2703d"

COLOURS = (
    "#a8c8e8", "#f2c18d", "#b5d99c", "#e8a8b5", "#c7b8e6", "#f0e08a", "#9fd8d0", "#d9c3a5",
    "#e6a8dc", "#b8c4a0", "#8fb5d9", "#f5a88f", "#c9d4e0", "#d6e685", "#b39fc9", "#a0d6b4",
)  # fmt: skip
"""Of the kinds of blocks, in the order in which they first occur."""


@dataclass(frozen=True)
class _Box:
    """A block where it is drawn."""

    step: Step
    kind: str
    left: float
    top: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.left + WIDTH / 2, self.top + HEIGHT / 2


def drawing(genome: Genome, in_shape: Shape, num_classes: NumClasses) -> str:
    """Draws a network.

    Args:
        genome: The architecture.
        in_shape: Channels, height and width of one image.
        num_classes: Logits, or one number a data set.

    Returns:
        The text of an SVG file.

    Raises:
        UserError: The genome's parts do not fit together.
    """
    steps = walk(genome, in_shape, num_classes)
    boxes = _placed(steps, in_shape)
    kinds = list(dict.fromkeys(box.kind for box in boxes))
    colours = {kind: COLOURS[i % len(COLOURS)] for i, kind in enumerate(kinds)}
    # An arc that ends at the last box, a further head, has its figures beyond it.
    width = max(box.left for box in boxes) + WIDTH + (2 if isinstance(num_classes, tuple) else 1) * MARGIN
    floor = max(box.top for box in boxes) + HEIGHT + DROP / 2
    legend, legend_height = _legend(kinds, colours, boxes, width, floor)
    height = floor + legend_height
    cost = estimate(genome, in_shape, num_classes)
    size = " x ".join(map(str, in_shape))
    title = f"{genome.key}: {cost.params:,} parameters, {cost.macs / 1e6:,.2f}M MACs at {size}"
    parts = [
        # With a size of its own: a page would stretch it to the widest line of the text beside it.
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' viewBox='0 0 {width:.0f} {height:.0f}' "
        f"{FONT} font-size='11'>",
        f"<title>{escape(title)}</title>",
        f"<rect width='100%' height='100%' fill='{PAPER}'/>",
        f"<text x='{MARGIN}' y='{MARGIN}' font-size='13' fill='{INK}'>{escape(title)}</text>",
        *_edges(boxes, in_shape),
        *(_box(box, colours[box.kind]) for box in boxes),
        *legend,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _placed(steps: Sequence[Step], in_shape: Shape) -> list[_Box]:
    """One box a step, further right than the one before, as deep as its output is coarse."""
    return [
        _Box(
            step,
            type(step.operator).__name__,
            MARGIN + WIDTH / 2 + GAP + place * (WIDTH + GAP),
            MARGIN + TITLE + _depth(step, in_shape) * DROP,
        )
        for place, step in enumerate(steps)
    ]


def _depth(step: Step, in_shape: Shape) -> float:
    """How many times the height is halved."""
    return max(0.0, log2(in_shape[1] / step.out_shape[1]))


def _edges(boxes: Sequence[_Box], in_shape: Shape) -> list[str]:
    """Lines from block to block with what passes, and arcs, with what passes too, to where a value is taken up later."""
    last = {name: members[-1] for name, members in by_stage([box.step for box in boxes])}
    place = {id(box.step): box for box in boxes}
    drawn, before = [], None
    for box in boxes:
        sources = box.step.sources or ((before.step.stage,) if before else ())
        for name in sources:
            origin = None if name == IMAGE else place[id(last[name])] if box.step.sources else before
            if origin is None:
                drawn.append(_line(MARGIN, box.centre[1], box, in_shape))
            elif origin is before:
                drawn.append(_line(origin.left + WIDTH, origin.centre[1], box, origin.step.out_shape))
            else:
                drawn.append(_arc(origin, box))
        before = box
    return drawn


def _line(left: float, height: float, to: _Box, shape: Shape) -> str:
    right, end = to.left, to.centre[1]
    middle = (left + right) / 2
    path = f"M{left:.0f},{height:.0f} C{middle:.0f},{height:.0f} {middle:.0f},{end:.0f} {right:.0f},{end:.0f}"
    channels, rows, columns = shape
    # Below a level line, where no arc passes; on a slope in the middle of it.
    below = height + HEIGHT / 2 + 10 if height == end else (height + end) / 2 - 2
    place = middle if height == end else middle + 22
    words = f"<tspan x='{place:.0f}' dy='0'>{rows}x{columns}</tspan><tspan x='{place:.0f}' dy='10'>{channels}</tspan>"
    label = f"<text y='{below:.0f}' text-anchor='middle' font-size='9' fill='{PALE}'>{words}</text>"
    return f"<path d='{path}' fill='none' stroke='{LINE}' stroke-width='1.5'/>{label}"


def _arc(origin: _Box, to: _Box) -> str:
    (left, _), (right, _) = origin.centre, to.centre
    top = min(origin.top, to.top) - 16 - min(28.0, (right - left) / 40)
    path = f"M{left:.0f},{origin.top:.0f} C{left:.0f},{top:.0f} {right:.0f},{top:.0f} {right:.0f},{to.top:.0f}"
    channels, rows, columns = origin.step.out_shape
    # To the right of where it arrives: it comes from the left, and the middles of arcs to several heads lie over one another.
    words = f"{rows}x{columns}, {channels}"
    label = f"<text x='{right + 4:.0f}' y='{to.top - 4:.0f}' font-size='9' fill='{ARC}'>{words}</text>"
    return f"<path d='{path}' fill='none' stroke='{ARC}' stroke-width='1.5' stroke-dasharray='4 3'/>{label}"


def _box(box: _Box, colour: str) -> str:
    label, stage = box.step.operator.label(), box.step.stage
    short = label if len(label) <= 14 else label[:13] + "…"
    hint = f"{stage}: {label}, {box.step.params():,} parameters, {box.step.macs():,} MACs"
    centre, _ = box.centre
    return (
        f"<g><title>{escape(hint)}</title><rect x='{box.left:.0f}' y='{box.top:.0f}' width='{WIDTH}' height='{HEIGHT}' rx='4' "
        f"fill='{colour}' stroke='{LINE}'/><text x='{centre:.0f}' y='{box.top + 14:.0f}' text-anchor='middle' font-size='9' fill='{INK}'>"
        f"{escape(short)}</text><text x='{centre:.0f}' y='{box.top + 27:.0f}' text-anchor='middle' font-size='9' fill='{PALE}'>"
        f"{escape(stage)}</text></g>"
    )


def _legend(kinds: Sequence[str], colours: dict[str, str], boxes: Sequence[_Box], width: float, top: float) -> tuple[list[str], float]:
    """Name, number and parameters of each kind, in columns."""
    across = max(1, int((width - 2 * MARGIN) // 260))
    lines = []
    for place, kind in enumerate(kinds):
        own = [box for box in boxes if box.kind == kind]
        left, y = MARGIN + (place % across) * 260, top + (place // across) * LEGEND_LINE
        words = f"{len(own)} x {kind}, {sum(box.step.params() for box in own):,} parameters"
        lines.append(
            f"<rect x='{left}' y='{y - 9:.0f}' width='12' height='12' rx='2' fill='{colours[kind]}' stroke='{LINE}'/>"
            f"<text x='{left + 18}' y='{y + 1:.0f}' fill='{INK}'>{escape(words)}</text>"
        )
    return lines, (len(kinds) // across + 1) * LEGEND_LINE + MARGIN
