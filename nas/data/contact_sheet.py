"""A contact sheet: a picture of a few images of a set with their masks laid over, since numbers do not show a mask that is shifted.

Which images are shown depends on the set alone. The masks of test images stay unread.
"""

import hashlib
import io
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from nas.data.bands import as_rgb
from nas.data.dataset import SPLITS, VOID, DataSet, Item
from nas.data.images import Bytes
from nas.data.resize import resize_image, resize_mask
from nas.errors import UserError

MOST = 24
COLUMNS = 6
QUOTAS = {"train": 12, "val": 6, "test": 6}
"""Images per split; what a split cannot fill goes to the others."""

AREA = 320 * 240
"""Pixels of a tile, about; all tiles of a sheet have one shape."""

MOST_ASPECT = 2.5
GAP, BAND, TEXT = 8, 22, 14
PAPER, INK, PALE = (24, 24, 24), (235, 235, 235), (150, 150, 150)

TINT = 0.3
"""How much of a class's colour lies within its contour; the contour lies outside, so that a thin structure stays visible."""

VOID_COLOUR = (255, 255, 255)
FIRST_HUE, HUE_STEP = 0.5, 0.382
"""Cyan is rare in photographs; steps of the golden section keep all further hues apart."""


def contact_sheet(data: DataSet) -> bytes:
    """Draws the sheet.

    Args:
        data: A data set, faulty or not; an item that cannot be read is shown as such.

    Returns:
        The content of a PNG file.
    """
    shown = chosen(data)
    pairs = [_read(data, split, item) for split, item in shown]
    height, width = _tile_size([image.shape for image, _ in pairs if image is not None])
    columns = min(COLUMNS, max(3, math.ceil(math.sqrt(1.5 * len(shown)))))
    across = GAP + columns * (width + GAP)
    legend = _legend(data, across, any(mask is not None and (mask == VOID).any() for _, mask in pairs))
    sheet = Image.new("RGB", (across, legend.height + math.ceil(len(shown) / columns) * (height + BAND + GAP)), PAPER)
    sheet.paste(legend, (0, 0))
    draw, font = ImageDraw.Draw(sheet), _font()
    for place, ((split, item), (image, mask)) in enumerate(zip(shown, pairs, strict=True)):
        left, top = GAP + place % columns * (width + GAP), legend.height + place // columns * (height + BAND + GAP)
        if image is None:
            draw.rectangle((left, top, left + width - 1, top + height - 1), outline=PALE)
        else:
            tile = overlaid(image, mask, (height, width))
            sheet.paste(Image.fromarray(tile), (left + (width - tile.shape[1]) // 2, top + (height - tile.shape[0]) // 2))
        flaw = _flaw(split, image, mask)
        if flaw:
            draw.rectangle((left, top, left + font.getlength(flaw) + 2 * GAP, top + BAND), PAPER)
            draw.text((left + GAP, top + 3), flaw, INK, font)
        _caption(draw, font, (left, top + height + 3), width, split, item.name)
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def chosen(data: DataSet) -> list[tuple[str, Item]]:
    """At most `MOST` items, each with its split: as many of each split as its quota says, drawn by a hash of their names."""
    counts = {split: min(quota, len(data.splits[split])) for split, quota in QUOTAS.items()}
    for split in SPLITS:
        counts[split] += min(MOST - sum(counts.values()), len(data.splits[split]) - counts[split])
    # Not every n-th: kinds of pictures often take turns, or come in runs.
    ranked = {split: sorted(data.splits[split], key=_rank) for split in SPLITS}
    return [(split, item) for split in SPLITS for item in sorted(ranked[split][: counts[split]], key=lambda item: item.name)]


def overlaid(image: Bytes, mask: Bytes | None, size: tuple[int, int]) -> Bytes:
    """An image scaled to fit `size` (height, width), its mask over it: classes tinted within a contour, void hatched."""
    scale = min(size[0] / image.shape[0], size[1] / image.shape[1])
    fitted = max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))
    tile = resize_image(image, fitted)
    if mask is None or mask.shape != image.shape[:2]:
        return tile
    tile, small, cross = tile.copy(), resize_mask(mask, fitted), np.ones((3, 3), dtype=np.uint8)
    tile[(small == VOID) & _hatch(*fitted)] = VOID_COLOUR
    labels = [int(label) for label in np.unique(small) if label not in (0, VOID)]
    for label in labels:
        inside = small == label
        tile[inside] = (1 - TINT) * tile[inside] + TINT * np.array(class_colour(label))
    for label in labels:
        inside, other = (where.astype(np.uint8) for where in (small == label, (small != label) & (small != 0)))
        tile[(cv2.dilate(inside, cross) > inside) & (small == 0)] = class_colour(label)
        # Where two classes touch there is no outside: each keeps its own edge.
        tile[(inside > 0) & (cv2.dilate(other, cross) > 0)] = class_colour(label)
    return tile


def class_colour(label: int) -> tuple[int, int, int]:
    """Red, green and blue of a class, by its index from 1."""
    hue = (FIRST_HUE + HUE_STEP * (label - 1)) % 1
    # Hues of a circle of equal steps look alike from the fourth on; brightness tells them apart further.
    value = 1.0 if (label - 1) % 8 < 5 else 0.72
    pixel = np.array([[[hue * 180, 230, 255 * value]]], dtype=np.uint8)
    red, green, blue = (int(part) for part in cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0])
    return red, green, blue


def _read(data: DataSet, split: str, item: Item) -> tuple[Bytes | None, Bytes | None]:
    try:
        image = as_rgb(data.read_image(item))
    except UserError:
        return None, None
    try:
        return image, None if split == "test" else data.read_mask(item)
    except UserError:
        return image, None


def _rank(item: Item) -> tuple[bytes, str]:
    return hashlib.blake2b(item.name.encode("utf-8", "surrogateescape")).digest(), item.name


def _flaw(split: str, image: Bytes | None, mask: Bytes | None) -> str:
    """What is wrong with a tile, in words; nothing where all is well."""
    if image is None:
        return "cannot be read"
    if mask is None:
        return "" if split == "test" else "no mask"
    return "" if mask.shape == image.shape[:2] else "mask of another size"


def _hatch(height: int, width: int) -> NDArray[np.bool_]:
    rows, columns = np.indices((height, width))
    return np.asarray((rows + columns) % 6 < 2)


def _tile_size(shapes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    """Height and width of tiles: of the median aspect of the images."""
    aspects: NDArray[np.float64] = np.array([width / height for height, width, *_ in shapes] or [4 / 3])
    aspect = float(np.clip(np.median(aspects), 1 / MOST_ASPECT, MOST_ASPECT))
    return round(math.sqrt(AREA / aspect)), round(math.sqrt(AREA * aspect))


def _legend(data: DataSet, across: int, void: bool) -> Image.Image:
    """The set's name and a patch of colour for each class, in as many rows as it takes."""
    font = _font()
    entries = [(f"{data.name} ({data.layout})", None), *((name, class_colour(label)) for label, name in enumerate(data.classes) if label)]
    entries += [("void", VOID_COLOUR)] if void else []
    entries += [("masks of test images are not shown", None)] if data.splits["test"] else []
    places, left, top = [], GAP, GAP
    for text, colour in entries:
        needed = round(font.getlength(text)) + (TEXT + 6 if colour else 0) + 3 * GAP
        if left > GAP and left + needed > across:
            left, top = GAP, top + BAND
        places.append((left, top))
        left += needed
    strip = Image.new("RGB", (across, top + BAND + GAP // 2), PAPER)
    draw = ImageDraw.Draw(strip)
    for (text, colour), (x, y) in zip(entries, places, strict=True):
        if colour:
            patch = np.full((TEXT, TEXT, 3), colour, dtype=np.uint8)
            patch[~_hatch(TEXT, TEXT) & (colour == VOID_COLOUR)] = PAPER
            strip.paste(Image.fromarray(patch), (x, y + 2))
        draw.text((x + (TEXT + 6 if colour else 0), y), text, INK, font)
    return strip


def _caption(draw: ImageDraw.ImageDraw, font: "ImageFont.FreeTypeFont", place: tuple[int, int], width: int, split: str, name: str) -> None:
    """The split and the name, whose beginning is cut where it is too long."""
    short = name.removeprefix(f"{split}/")
    room = width - font.getlength(f"{split}  ")
    while len(short) > 1 and font.getlength(short) > room:
        short = "…" + short[2:]
    draw.text(place, split, PALE, font)
    draw.text((place[0] + font.getlength(f"{split}  "), place[1]), short, INK, font)


def _font() -> "ImageFont.FreeTypeFont":
    font = ImageFont.load_default(TEXT)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow draws text with FreeType"
    return font
