"""Which size to work at: small enough to be quick, large enough that thin structures survive.

The size of use is the native one, reduced as far as the thinnest structures stay four pixels wide. Training may look at crops:
a network whose receptive field is small learns as much from a crop as from the whole image.
"""

from dataclasses import dataclass
from math import ceil, floor, sqrt

from nas.data.facts import DataFacts
from nas.errors import UserError

STEP = 16
"""Sides are multiples of this: networks halve up to four times."""

MIN_SIDE = 32
THIN = 4.0
"""Pixels that the thinnest structures keep."""

NEAR = 0.85
"""A reduction to more than this share of a side gains little and blurs: the native size is kept."""

MIN_AREA = 128 * 128
MAX_AREA = 160_000
CROP_SIDE = 128


@dataclass(frozen=True)
class SizeChoice:
    """A choice of sizes.

    Attributes:
        image_size: Height and width of use: validation and cost refer to it.
        train_size: Height and width of a training view, at most `image_size`.
        reason: Why, in words.
    """

    image_size: tuple[int, int]
    train_size: tuple[int, int]
    reason: str


def recommend_size(facts: DataFacts) -> SizeChoice:
    """Chooses sizes for a data set.

    Args:
        facts: What `check_data` found.

    Returns:
        The native median size, scaled down so far that thin structures keep `THIN` pixels and the area `MIN_AREA`, and at least
        so far that the area is no more than `MAX_AREA`; sides rounded to multiples of 16. Never enlarged.
    """
    height, width = facts.median_size
    thin = THIN / facts.thickness
    small = sqrt(MIN_AREA / (height * width))
    scale = max(thin, small)
    scale = 1.0 if scale > NEAR else scale
    size = _rounded(height, scale, up=True), _rounded(width, scale, up=True)
    capped = size[0] * size[1] > MAX_AREA
    if capped:
        scale = min(1.0, sqrt(MAX_AREA / (height * width)))
        size = _rounded(height, scale, up=False), _rounded(width, scale, up=False)
    return SizeChoice(size, train_size_for(size), _reason(facts, size, scale, capped, thin >= small))


def native_size(facts: DataFacts) -> tuple[int, int]:
    """The data's own size: the median height and width, each to the nearest multiple of 16.

    Args:
        facts: What `check_data` found.
    """
    return round_size(*facts.median_size)


def round_size(height: float, width: float) -> tuple[int, int]:
    """Each side to the nearest multiple of 16, and no less than 32."""
    return max(MIN_SIDE, STEP * round(height / STEP)), max(MIN_SIDE, STEP * round(width / STEP))


def train_size_for(image_size: tuple[int, int]) -> tuple[int, int]:
    """The size of training views for a given size of use.

    Args:
        image_size: Height and width in pixels.

    Returns:
        `image_size` itself where its area is at most 1.5 crops, else a crop of at most 128 x 128.

    Raises:
        UserError: If a side is below 32.
    """
    if min(image_size) < MIN_SIDE:
        raise UserError(f"an image size of {image_size[0]}x{image_size[1]} is too small: each side must have at least {MIN_SIDE} pixels")
    if image_size[0] * image_size[1] <= 1.5 * CROP_SIDE**2:
        return image_size
    return min(image_size[0], CROP_SIDE), min(image_size[1], CROP_SIDE)


def reduced(choice: SizeChoice, scale: float) -> SizeChoice:
    """The same choice for smaller images: both sizes times `scale`, 0..1, to multiples of 16 and no less than 32 a side."""
    image, train = (tuple(min(side, _rounded(side, scale, up=True)) for side in size) for size in (choice.image_size, choice.train_size))
    return SizeChoice((image[0], image[1]), (train[0], train[1]), f"{choice.reason}; times {scale:.2f}")


def _rounded(side: int, scale: float, up: bool) -> int:
    steps = side * scale / STEP
    return max(MIN_SIDE, STEP * (ceil(steps - 1e-9) if up else floor(steps + 1e-9)))


def _reason(facts: DataFacts, size: tuple[int, int], scale: float, capped: bool, by_thickness: bool) -> str:
    native = f"{facts.median_size[0]}x{facts.median_size[1]}"
    chosen = f"{size[0]}x{size[1]} (height x width)"
    structures = f"the thinnest structures are {facts.thickness:.1f} px wide"
    exact = "the native size" if size == facts.median_size else f"the native {native} rounded up to multiples of {STEP}"
    if capped:
        return f"{chosen}, the native {native} reduced to the largest area worked at ({MAX_AREA:,} px); natively {structures}"
    if scale == 1.0:
        cause = structures if by_thickness else "it is small enough"
        return f"{chosen}, {exact}: {cause}"
    keeps = facts.thickness * min(size[0] / facts.median_size[0], size[1] / facts.median_size[1])
    if by_thickness:
        return f"{chosen}, the native {native} reduced: {structures} and keep {keeps:.1f} px"
    return f"{chosen}, the native {native} reduced to the smallest area worked at: {structures} and keep {keeps:.1f} px"
