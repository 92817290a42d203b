"""Segments images: masks as indexed PNGs in the images' own size, overlays and probabilities where wanted."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from nas.data.bands import as_rgb, read_image
from nas.door import enter
from nas.errors import UserError
from nas.evaluate.domains import check_named
from nas.evaluate.options import augmentations, probability
from nas.evaluate.subject import channels_of_use, load_subject, size_of_use
from nas.evaluate.threshold import classes_of
from nas.evaluate.whole import TTA, Predictor
from nas.flags import at_least, image_size
from nas.machine import DEVICES, resolve_device
from nas.model_code import load_model_code
from nas.predict.files import find_images, write_mask, write_overlay, write_probabilities


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    made = argparse.ArgumentParser(prog="python -m nas.predict", description="Segments images with a trained network.")
    made.add_argument("model", metavar="MODEL", help="a model file (opening one runs its code), or package.module:function")
    made.add_argument("images", nargs="+", metavar="IMAGE", help="images, folders of images, or patterns such as 'photos/*.jpg'")
    made.add_argument("--weights", action="append", type=Path, required=True, metavar="FILE", help="weights; again for an ensemble")
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the masks")
    made.add_argument("--overlays", action="store_true", help="write each image with its mask over it, too")
    made.add_argument("--probabilities", action="store_true", help="write probabilities as .npy (classes x height x width, float16), too")
    made.add_argument("--image-size", type=image_size, metavar="H[xW]", help="pixels that the network sees (default: as in its training)")
    made.add_argument("--channels", type=at_least(1), metavar="N", help="channels of the images (default: as in its training, else 3)")
    made.add_argument("--classes", type=at_least(2), metavar="N", help="classes, the background's among them (default: as in its training)")
    made.add_argument("--domain", metavar="NAME", help="data set whose head answers, for a network with several")
    made.add_argument("--tta", type=augmentations, default=(), metavar="NAMES", help=f"test-time augmentation: any of {','.join(TTA)}")
    made.add_argument("--threshold", type=probability, metavar="X", help="of the foreground's probability, binary tasks")
    made.add_argument("--device", default="auto", choices=DEVICES, help="where (default %(default)s)")
    made.add_argument("--quiet", action="store_true", help="no progress bar")
    return made


def main() -> int:
    """Parses, answers, writes."""
    flags = parser().parse_args()
    images, code, device = find_images(flags.images, flags.out), load_model_code(flags.model), resolve_device(flags.device)
    check_named([code], flags.domain)
    channels = flags.channels or channels_of_use(code, flags.weights[0], flags.domain)
    subject = load_subject(flags.model, flags.weights, flags.classes, channels, device, flags.domain)
    if flags.threshold is not None and subject.num_classes != 2:
        raise UserError(f"--threshold is for two classes, {flags.model} has {subject.num_classes}: leave it out")
    size = flags.image_size or size_of_use(code, flags.weights[0], flags.domain)
    if size is None:
        raise UserError(f"{flags.model} does not say the size that it works at: give --image-size")
    predictor = Predictor(subject.models, size, subject.num_classes, device, flags.tta, subject.domain)
    for path, name in tqdm(images, unit="image", dynamic_ncols=True, disable=flags.quiet):
        image = read_image(path, channels)
        shares = predictor(image)
        found = classes_of(shares, flags.threshold)
        write_mask(flags.out / f"{name}.png", found)
        if flags.overlays:
            write_overlay(flags.out / "overlays" / f"{name}.png", as_rgb(image), found)
        if flags.probabilities:
            write_probabilities(flags.out / "probabilities" / f"{name}.npy", shares.numpy())
    print(f"{len(images)} mask{'s' if len(images) != 1 else ''} in {flags.out}: palette indices are classes, 0 the background")
    return 0


if __name__ == "__main__":
    sys.exit(enter(main))
