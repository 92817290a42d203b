"""Writes trained networks as model files that import torch alone, and in forms that run without Python: ONNX, torch.export, folded."""

import argparse
import sys
from pathlib import Path

from nas.door import enter
from nas.errors import UserError
from nas.evaluate.domains import domain_names
from nas.evaluate.subject import channels_of_use, load_subject
from nas.export.copies import copy_model
from nas.export.deploy import FORMATS, deploy
from nas.export.study import export_trials
from nas.export.weights import NAME as WEIGHTS
from nas.flags import at_least
from nas.model_code import load_model_code
from nas.search import study_folder


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    made = argparse.ArgumentParser(
        prog="python -m nas.export",
        description="Writes trained networks of a study, or a model file with weights, for use elsewhere.",
    )
    source = made.add_mutually_exclusive_group(required=True)
    source.add_argument("--study", metavar="NAME", help="name of the study")
    source.add_argument("--model", metavar="MODEL", help="a model file, with --weights (opening one runs its code)")
    made.add_argument("--trial", default="best", metavar="best|N|front", help="which trained trials of the study (default %(default)s)")
    made.add_argument("--weights", type=Path, metavar="FILE", help="weights (default: the study's of a finalist, beside its model file)")
    made.add_argument(
        "--channels", type=at_least(1), metavar="N", help="channels of the images, with --model (default: as in its training)"
    )
    made.add_argument(
        "--classes", type=at_least(2), metavar="N", help="classes, the background's among them, with --model (default: likewise)"
    )
    made.add_argument(
        "--formats", type=formats, default=("py",), metavar="NAMES", help=f"any of {','.join(FORMATS)} with commas between (default py)"
    )
    made.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (default: exports/ in the study's folder, the model's)")
    made.add_argument("--storage", metavar="URL", help="Optuna storage (default: SQLite at studies/<name>/study.db)")
    made.add_argument("--home", type=Path, default=Path(), metavar="DIR", help="folder in which studies/ lies (default: where you stand)")
    return made


def formats(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(f"unknown format {name!r}: give any of {', '.join(FORMATS)}")
    if not names:
        raise argparse.ArgumentTypeError(f"at least one of {', '.join(FORMATS)} is needed")
    return names


def main() -> int:
    """Parses, exports, prints."""
    flags = parser().parse_args()
    if flags.model is not None:
        if flags.weights is None:
            raise UserError("--model needs --weights: a network that was not trained is of no use elsewhere")
        model = Path(flags.model).expanduser()
        out = flags.out or model.parent
        if set(flags.formats) == {"py"} and model.is_file() and out.resolve() == model.resolve().parent:
            raise UserError(f"{model} is there already: give --out for a copy with these weights, or --formats, any of {','.join(FORMATS)}")
        deployed(model, flags.weights, flags.formats, out, flags.classes, flags.channels)
        return 0
    if flags.classes or flags.channels:
        raise UserError("--classes and --channels go with --model: a study knows those of its networks, leave them out")
    if flags.weights is not None and set(flags.formats) == {"py"}:
        raise UserError(
            "--weights says with which weights a study's network is written in other forms: give --formats, any of "
            f"{','.join(FORMATS[1:])}; or, for a copy of a model file with them, --model and --out instead of --study"
        )
    folder = study_folder(flags.home, flags.study)
    out = flags.out or folder.root / "exports" / flags.trial
    for path in export_trials(flags.study, folder.storage_url(flags.storage), flags.trial, out, folder):
        print(path)
        weights = flags.weights or path.parent / WEIGHTS
        if set(flags.formats) == {"py"}:
            continue
        if not weights.is_file():
            raise UserError(
                f"{path} has no trained weights, since it was no finalist: train it with `python -m nas.train {path}`, then export it with "
                "--model and --weights"
            )
        deployed(path, weights, flags.formats, path.parent)
    return 0


def deployed(
    model: Path, weights: Path, wanted: tuple[str, ...], out: Path, classes: int | None = None, channels: int | None = None
) -> None:
    """Writes a copy and the other forms of a model file, and says how each of these compares."""
    code, others = load_model_code(str(model)), sorted(set(wanted) - {"py"})
    if code.path is None and "py" in wanted:
        raise UserError(f"{code.spec} is a function, and py copies a model file: give other --formats, any of {','.join(FORMATS[1:])}")
    if code.joint and others:
        raise UserError(f"{model} has several heads: {', '.join(others)} are written for networks with one")
    domain = domain_names(code)[0] if code.joint else None
    subject = load_subject(str(model), [weights], classes, channels or channels_of_use(code, weights), domain=domain)
    if "py" in wanted:
        for path in copy_model(subject, weights, out):
            print(path)
    for one in deploy(subject.models[0], subject.channels, wanted, out):
        print(one)


if __name__ == "__main__":
    sys.exit(enter(main))
