"""The flags of `python -m nas.evaluate`."""

import argparse
from pathlib import Path

from nas.evaluate.whole import TTA
from nas.flags import at_least, image_size
from nas.machine import DEVICES


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    made = argparse.ArgumentParser(
        prog="python -m nas.evaluate",
        description="Measures a network on a split of a data set, at the images' own size, with confidence intervals over images.",
    )
    made.add_argument("model", metavar="MODEL", help="a model file (opening one runs its code), or package.module:function")
    made.add_argument("--weights", action="append", type=Path, required=True, metavar="FILE", help="weights; again for an ensemble")
    made.add_argument("--data", metavar="PATH", help="data set (default: what the weights were trained on, else the network found on)")
    made.add_argument("--split", default="test", choices=("train", "val", "test"), help="images to measure on (default %(default)s)")
    made.add_argument("--layout", metavar="NAME", help="layout of the data, where looking finds another one")
    made.add_argument("--channels", type=at_least(1), metavar="N", help="channels of the images (default: as in its training, else 3)")
    made.add_argument("--new-split", action="store_true", help="split the data anew instead of as recorded beside the model")
    made.add_argument(
        "--domain", metavar="NAME", help="data set whose head answers, for a network with several (default: the one that the data are)"
    )
    made.add_argument("--image-size", type=image_size, metavar="H[xW]", help="pixels that the network sees (default: as in its training)")
    made.add_argument("--tta", type=augmentations, default=(), metavar="NAMES", help=f"test-time augmentation: any of {','.join(TTA)}")
    made.add_argument(
        "--threshold", type=threshold, metavar="auto|X", help="of the foreground's probability, binary tasks; auto: chosen on val"
    )
    made.add_argument("--against", metavar="MODEL", help="another network, to compare by a paired bootstrap")
    made.add_argument("--against-weights", action="append", type=Path, metavar="FILE", help="its weights; again for an ensemble")
    made.add_argument("--errors", type=Path, metavar="DIR", help="show where it is wrong: overlays of the worst images, and a table")
    made.add_argument("--worst", type=at_least(1), default=12, metavar="N", help="overlays in there (default %(default)s)")
    made.add_argument("--out", type=Path, metavar="DIR", help="folder for evaluation.json and evaluation.md (default: beside the weights)")
    made.add_argument("--device", default="auto", choices=DEVICES, help="where (default %(default)s)")
    made.add_argument("--seed", type=at_least(0), default=0, metavar="N", help="of the bootstrap (default %(default)s)")
    made.add_argument("--quiet", action="store_true", help="print the results alone")
    return made


def augmentations(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name not in TTA:
            raise argparse.ArgumentTypeError(f"unknown test-time augmentation {name!r}: give any of {', '.join(TTA)}")
    return names


def threshold(text: str) -> float | str:
    """A probability, or auto."""
    try:
        return text if text == "auto" else probability(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"auto, or {error}") from None


def probability(text: str) -> float:
    """A number between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"a probability between 0 and 1 is needed, {text!r} was given")
    return value
