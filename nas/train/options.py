"""The flags of `python -m nas.train`, and the settings that they give."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import get_args

from nas.flags import at_least, image_size, size_in_bytes
from nas.machine import DEVICES
from nas.train.full_config import FullConfig
from nas.train.full_sets import EPOCHS, SHOWN
from nas.train.losses import LOSSES
from nas.train.recipe import ClassWeights

DEFAULTS = FullConfig(model="")


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    made = argparse.ArgumentParser(
        prog="python -m nas.train",
        description="Trains an exported model file, or any network, in full. A run that was killed goes on where it was, with the same "
        "command and to the same weights.",
    )
    made.add_argument(
        "model", metavar="MODEL", help="a model file (opening one runs its code), or package.module:function that gives an nn.Module"
    )
    _data(made)
    _recipe(made)
    _run(made)
    return made


def _data(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("data")
    group.add_argument(
        "--data", action="append", metavar="PATH", help="data set; again for more (default: those that the network was found on)"
    )
    group.add_argument("--layout", metavar="NAME", help="layout of the data, where looking finds another one")
    group.add_argument(
        "--domain",
        action="append",
        metavar="NAME",
        help="data set whose head learns each --data, for a network with several (default: the ones that the data are)",
    )
    group.add_argument("--channels", type=at_least(1), metavar="N", help="channels of the images (default: the file's, else 3)")
    group.add_argument("--new-split", action="store_true", help="split the data anew instead of as recorded beside the model")
    group.add_argument(
        "--transforms", type=Path, metavar="FILE", help="Python file whose training_transform draws the views (default: the search's)"
    )
    group.add_argument("--image-size", type=image_size, metavar="H[xW]", help="pixels of use (default: the data's own size)")
    group.add_argument("--crop", type=image_size, metavar="H[xW]", help="pixels of training views (default: at most 128x128)")
    group.add_argument("--views", type=at_least(1), metavar="N", help="different views of each training image (default 20)")
    group.add_argument("--folds", type=at_least(2), metavar="K", help="train on K folds of train and val, one network each")


def _recipe(made: argparse.ArgumentParser) -> None:
    least, most = EPOCHS
    group = made.add_argument_group("recipe (default: the search's, from training_args.json beside the model)")
    shown = f"length (default: about {SHOWN:,} images shown, in {least} to {most} epochs)"
    group.add_argument("--epochs", type=at_least(1), metavar="N", help=shown)
    group.add_argument("--batch-size", type=at_least(2), metavar="N", help="images a step")
    group.add_argument("--learning-rate", type=float, metavar="X", help="peak learning rate")
    group.add_argument("--weight-decay", type=float, metavar="X", help="AdamW's")
    group.add_argument("--ema-decay", type=float, metavar="X", help="of the moving average of the weights, which is what is kept")
    group.add_argument("--loss", choices=sorted(LOSSES), help="what is minimised (default ce_dice)")
    group.add_argument("--dice-weight", type=float, metavar="X", help="weight of the loss's second term")
    group.add_argument("--class-weights", choices=get_args(ClassWeights), help="how rare classes are lifted")
    group.add_argument(
        "--patience", type=at_least(0), metavar="N", help="end after so many epochs without a better validation; 0 never (default: 40 %%)"
    )
    group.add_argument("--weights", type=Path, metavar="FILE", help="start from these weights instead of fresh ones")
    group.add_argument("--seed", type=at_least(0), metavar="N", help="of weights and order of images")
    group.add_argument("--seeds", type=at_least(1), default=DEFAULTS.seeds, metavar="N", help="so many trainings, one seed after the other")


def _run(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("run")
    group.add_argument("--out", type=Path, metavar="DIR", help="folder for the results (default runs/NAME)")
    group.add_argument("--device", default=DEFAULTS.device, choices=DEVICES, help="where (default %(default)s)")
    group.add_argument("--workers", type=at_least(1), metavar="N", help="trainings at a time (default: one a core on a CPU, else one)")
    group.add_argument("--tensorboard", action="store_true", help="write TensorBoard's events too")
    group.add_argument("--restart", action="store_true", help="begin anew: removes what this run left in the folder, and nothing else")
    group.add_argument("--quiet", action="store_true", help="print the results alone")
    group.add_argument(
        "--cache-size", type=size_in_bytes, default=DEFAULTS.cache_size, metavar="N", help="most bytes of banks of views (default 20G)"
    )
    group.add_argument("--home", type=Path, default=DEFAULTS.home, metavar="DIR", help="where studies/.banks lies (default: here)")


def config_of(flags: argparse.Namespace) -> FullConfig:
    """The settings that the flags give."""
    settings = {field.name: getattr(flags, field.name) for field in fields(FullConfig)}
    return FullConfig(**settings | {"data": tuple(flags.data or ()), "domain": tuple(flags.domain or ())})
