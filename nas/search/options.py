"""The flags of `python -m nas.search`: each is a field of `SearchConfig`."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from nas.data import LAYOUTS
from nas.flags import count, image_size, size_in_bytes, workers
from nas.machine import DEVICES
from nas.search.config import WARM_STARTS, SearchConfig
from nas.search.objectives import OBJECTIVES
from nas.search.presets import known_presets, preset_config
from nas.search.sampling import SAMPLERS
from nas.space import known_spaces

DEFAULTS = SearchConfig()


def parser() -> argparse.ArgumentParser:
    """The command's flags in groups."""
    made = argparse.ArgumentParser(
        prog="python -m nas.search",
        description="Searches the best segmentation networks under a cap on parameters, and exports the Pareto front.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_epilog(),
    )
    made.add_argument(
        "--preset",
        metavar="NAME_OR_FILE",
        help=f"a whole configuration: {', '.join(known_presets())}, or a TOML file; other flags override what it says",
    )
    _caps(made)
    _what(made)
    _study(made)
    _training(made)
    _machine(made)
    told = made.add_mutually_exclusive_group()
    told.add_argument("--quiet", action="store_true", help="print the final report alone; errors go to the error stream")
    told.add_argument("--verbose", action="store_true", help="print every event, as search.log in the study's folder has them")
    made.add_argument(
        "--dry-run", action="store_true", help="say what would happen, with sample draws and an estimate of the time, and stop"
    )
    return made


def _epilog() -> str:
    presets = "\n".join(f"  {name:<15}{summary}" for name, summary in known_presets().items())
    return f"presets:\n{presets}\n\nThe same from Python: from nas.search import SearchConfig, run_search"


def _caps(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("caps (no network over a cap is ever trained)")
    group.add_argument(
        "--budget", type=count, default=DEFAULTS.budget, metavar="N", help="most parameters; 10K is 10,000 (default %(default)s)"
    )
    group.add_argument(
        "--max-macs", type=count, metavar="N", help="most multiply-accumulates of one image of the image size; 50M is 50,000,000"
    )
    group.add_argument(
        "--max-memory", type=size_in_bytes, metavar="N", help="most bytes of activations of one image, float32; 512K is 512 x 1024 bytes"
    )


def _what(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("what is searched")
    group.add_argument(
        "--data",
        action="append",
        metavar="PATH",
        help=f"folder of a data set, or synthetic[:KIND]; give it again for more sets (default {DEFAULTS.data[0]})",
    )
    group.add_argument(
        "--joint",
        action=argparse.BooleanOptionalAction,
        default=DEFAULTS.joint,
        help="train one network on all sets together, with a head for each and a domain router",
    )
    group.add_argument(
        "--layout",
        metavar="NAME",
        help=f"layout of the folders, where looking finds another one: {', '.join(layout.name for layout in LAYOUTS)}",
    )
    group.add_argument(
        "--channels",
        type=int,
        metavar="N",
        help="channels of the images: 1 for grey, 4 where the fourth band is no transparency, as many as the files have (default 3, RGB)",
    )
    group.add_argument(
        "--space", default=DEFAULTS.space, metavar="NAME_OR_FILE", help=f"{', '.join(known_spaces())}, or a file (default %(default)s)"
    )
    group.add_argument(
        "--transforms",
        type=Path,
        metavar="FILE",
        help="Python file that augments the training images: a copy of nas/data/transforms.py, edited (default: that file)",
    )
    group.add_argument(
        "--trials", type=int, default=DEFAULTS.trials, metavar="N", help="trained networks in the study (default %(default)s)"
    )
    group.add_argument(
        "--objectives", type=names, default=DEFAULTS.objectives, metavar="A,B", help=f"of {', '.join(OBJECTIVES)} (default iou,macs)"
    )
    group.add_argument(
        "--sampler",
        default=DEFAULTS.sampler,
        metavar="NAME",
        help=f"{', '.join(SAMPLERS)}, or module:Class of any other of Optuna's interface (default %(default)s)",
    )
    group.add_argument(
        "--warm-start",
        default=DEFAULTS.warm_start,
        metavar="|".join(WARM_STARTS),
        help="train the known hand-designed networks that fit first, a quarter of the trials at most (default %(default)s)",
    )


def _study(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("where it is kept")
    group.add_argument("--study", metavar="NAME", help="name of the study; one that exists goes on (default: made of data and budget)")
    group.add_argument(
        "--storage", metavar="URL", help="Optuna storage: SQLite, PostgreSQL or MySQL (default: SQLite at studies/<name>/study.db)"
    )
    group.add_argument(
        "--home", type=Path, default=DEFAULTS.home, metavar="DIR", help="folder in which studies/ lies (default: where you stand)"
    )


def _training(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("proxy training")
    group.add_argument(
        "--image-size", type=image_size, metavar="H[xW]", help="pixels of validation, MACs and memory (default: chosen by the data)"
    )
    group.add_argument("--epochs", type=int, metavar="N", help="passes over the training images (default: about 1,500 images shown)")
    group.add_argument(
        "--prune",
        action=argparse.BooleanOptionalAction,
        default=DEFAULTS.prune,
        help="stop networks that fall behind early, or train every one to the end",
    )
    group.add_argument(
        "--grow",
        action=argparse.BooleanOptionalAction,
        default=DEFAULTS.grow,
        help="train the first rungs on smaller images, from half the image size on; a bank of views for each size (default: no)",
    )
    group.add_argument(
        "--finalists",
        type=int,
        default=DEFAULTS.finalists,
        metavar="N",
        help="networks of the front that are trained again with fresh seeds in the end, which settles the order (default %(default)s)",
    )
    group.add_argument("--final-seeds", type=int, default=DEFAULTS.final_seeds, metavar="N", help="for each of them (default %(default)s)")
    group.add_argument("--final-epochs", type=int, metavar="N", help="epochs of final training (default: as in the search)")
    group.add_argument("--batch-size", type=int, metavar="N", help="images a step (default: the recipe's)")
    group.add_argument("--learning-rate", type=float, metavar="X", help="peak learning rate (default: the recipe's)")
    group.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="train each network on K folds of train and val and judge it by all of them together, K times the cost: for fewer than about "
        "100 images (default: once, judged by val)",
    )
    group.add_argument("--seed", type=int, default=DEFAULTS.seed, metavar="N", help="of sampler, weights and order (default %(default)s)")


def _machine(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("machine")
    group.add_argument("--device", default=DEFAULTS.device, metavar="NAME", help=f"{', '.join(DEVICES)} (default %(default)s)")
    group.add_argument(
        "--workers",
        type=workers,
        metavar="N|auto",
        help="training processes; 0 trains in this one (default auto: one a core on a CPU, on a GPU as many as fit)",
    )
    group.add_argument(
        "--cache-size",
        type=size_in_bytes,
        default=DEFAULTS.cache_size,
        metavar="N",
        help="most bytes of banks of views, the least recently used go (default 20G)",
    )
    group.add_argument("--timeout", type=float, metavar="SECONDS", help="stop after this time; the study can go on later")


def config_of(flags: argparse.Namespace) -> SearchConfig:
    """The settings that the flags give."""
    settings = {field.name: getattr(flags, field.name) for field in fields(SearchConfig) if field.name in flags.given}
    if "data" in settings:
        settings["data"] = tuple(settings["data"])
    preset = settings.pop("preset", None)
    return SearchConfig(**settings) if preset is None else preset_config(preset, **settings)


def names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags of a command line, and as `given` the names of those that were on it: the others must not override a preset."""
    made = parser()
    flags = made.parse_args(arguments)
    # A second look, with a default that nobody can give; a list, since flags that can be repeated append to a copy of theirs.
    absent: list[str] = []
    made.set_defaults(**dict.fromkeys(vars(flags), absent))
    flags.given = frozenset(name for name, value in vars(made.parse_args(arguments)).items() if value is not absent)
    return flags
