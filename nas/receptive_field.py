"""How much of the image a pixel of the prediction can depend on, in closed form.

The theoretical extent: a window of k pixels on features whose neighbours lie j image pixels apart adds (k - 1) j, and strides multiply j
(Araujo et al., Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, https://distill.pub/2019/computing-receptive-fields/).
Upsampling divides j; where a skip joins two paths the wider one counts. Pooling over whole rows, columns or images reaches to the borders,
and is said apart. What a trained network makes use of is smaller (Luo et al., 2016, https://arxiv.org/abs/1701.04128).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from nas.topology import IMAGE, Step


@dataclass(frozen=True)
class ReceptiveField:
    """What one pixel of a feature map can depend on.

    Attributes:
        pixels: Side of the window in image pixels, by convolutions, local pooling and interpolation.
        whole_image: Whether global pooling adds something of the whole image.
    """

    pixels: int
    whole_image: bool

    def __str__(self) -> str:
        """In pixels, and that global pooling adds to them."""
        return f"{self.pixels} px + global" if self.whole_image else f"{self.pixels} px"


def receptive_fields(steps: Sequence[Step]) -> dict[str, ReceptiveField]:
    """Stage name -> what its output sees, in execution order."""
    side, stride, whole = 1.0, 1.0, False
    known = {IMAGE: (side, stride, whole)}
    for step in steps:
        if step.sources:
            entering = [known[source] for source in step.sources]
            side, whole = max(one[0] for one in entering), any(one[2] for one in entering)
            stride = entering[-1][1]
        operator = step.operator
        side += (operator.extent() - 1) * stride
        stride *= operator.scale()
        whole |= operator.sees_all()
        known[step.stage] = (side, stride, whole)
    return {name: ReceptiveField(ceil(side), whole) for name, (side, _, whole) in known.items() if name != IMAGE}


def receptive_field(steps: Sequence[Step]) -> ReceptiveField:
    """What a logit sees."""
    return receptive_fields(steps)[steps[-1].stage]
