"""Images that occur twice: a network that has seen a validation image in training, or its neighbour frame, is judged too well.

The same pixels are found by a digest, whatever the file's format. Nearly the same picture (another compression, another size, the
camera moved a little) is looked for among the closest hashes and then laid over it, since all photographs of one road have close hashes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from nas.data.bands import as_rgb
from nas.data.images import Bytes
from nas.data.similarity import distances, image_hash, packed

SPLIT_PAIRS = (("train", "val"), ("train", "test"), ("val", "test"))

CLOSE = 20
"""Hashes at most so far apart may belong to one scene, and need the look in full: the frame before, shifted a little, was 15 away in
published data, while photographs of different places of asphalt are down to 4."""

CANDIDATES = 20
"""Of so many closest images each image is compared with in full: keeps large sets of one kind of picture quick."""

SIDE, MARGIN = 64, 10
"""Of the small grey pictures that are laid over each other, and how far each may be moved."""

ALIKE = 0.9
"""Correlation from which two pictures are the same scene: other photographs reach 0.85 where the frame around them is the same."""

SPELLED = 5
"""Pairs that are named; the rest is counted."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What is kept of an image to find it again.

    Attributes:
        name: Name of the item.
        split: Its split.
        digest: Equal for equal pixels.
        hash: Close for like pictures.
        small: A grey copy of `SIDE x SIDE` pixels.
    """

    name: str
    split: str
    digest: bytes
    hash: int
    small: Bytes


def picture(name: str, split: str, image: Bytes) -> Picture:
    """What is kept of an image (`H x W x C`); what is alike is judged by what one sees, `as_rgb`."""
    digest = hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16).digest()
    seen = as_rgb(image)
    small = cv2.resize(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return Picture(name, split, digest, image_hash(seen), np.asarray(small, dtype=np.uint8))


def leaks(pictures: Sequence[Picture]) -> list[str]:
    """What two splits share, and what one holds twice.

    Args:
        pictures: Of all splits that are to be compared.

    Returns:
        One sentence per pair of splits and kind of likeness, then one per split with repeated images.
    """
    found = []
    for first, second in SPLIT_PAIRS:
        older, newer = ([one for one in pictures if one.split == split] for split in (first, second))
        same = _equal(older, newer)
        if same:
            found.append(
                f"leakage: {len(same)} of {len(newer)} {second} images {_are(same)} in {first} too, pixel by pixel ({_named(same)}): the "
                f"score would flatter; keep each in one split"
            )
        near = _near(older, [one for one in newer if one not in {b for _, b in same}])
        if near:
            found.append(
                f"leakage: {len(near)} of {len(newer)} {second} images nearly {_equals(near)} one in {first} ({_named(near)}): frames or "
                f"copies of one scene flatter the score; keep each scene in one split"
            )
    return found + [text for split in ("train", "val", "test") for text in _repeated([one for one in pictures if one.split == split])]


def alike(a: Picture, b: Picture) -> bool:
    """Whether the middle of one picture is found somewhere in the other."""
    middle = a.small[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return bool(cv2.matchTemplate(b.small, middle, cv2.TM_CCOEFF_NORMED).max() >= ALIKE)


def _equal(older: Sequence[Picture], newer: Sequence[Picture]) -> list[tuple[Picture, Picture]]:
    known = {one.digest: one for one in reversed(older)}
    return [(known[one.digest], one) for one in newer if one.digest in known]


def _near(older: Sequence[Picture], newer: Sequence[Picture]) -> list[tuple[Picture, Picture]]:
    """Each of `newer` that shows a scene of `older`, behind the closest that does."""
    pairs, codes = [], packed([other.hash for other in older])
    for one in newer:
        bits = distances(one.hash, codes)
        closest = np.argsort(bits, kind="stable")[:CANDIDATES]
        match = next((older[place] for place in closest if bits[place] <= CLOSE and alike(older[place], one)), None)
        if match is not None:
            pairs.append((match, one))
    return pairs


def _repeated(pictures: Sequence[Picture]) -> list[str]:
    first: dict[bytes, Picture] = {}
    pairs = [(first[one.digest], one) for one in pictures if first.setdefault(one.digest, one) is not one]
    if not pairs:
        return []
    split = pictures[0].split
    return [f"{split}: {len(pairs)} image{'s' * (len(pairs) > 1)} {_are(pairs)} there twice ({_named(pairs)}); each counts twice"]


def _are(pairs: Sequence[object]) -> str:
    return "is" if len(pairs) == 1 else "are"


def _equals(pairs: Sequence[object]) -> str:
    return "equals" if len(pairs) == 1 else "equal"


def _named(pairs: Sequence[tuple[Picture, Picture]]) -> str:
    more = f", and {len(pairs) - SPELLED} more" if len(pairs) > SPELLED else ""
    return ", ".join(f"{a.name} and {b.name}" for a, b in pairs[:SPELLED]) + more
