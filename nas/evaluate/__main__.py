"""Measures a network on a split of a data set: figures with confidence, cost on this machine, and where it is wrong."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nas.data import DataSet, Item, check_items, keep_out
from nas.door import enter
from nas.errors import UserError
from nas.evaluate.domains import check_named, domain_of
from nas.evaluate.figures import differences, figures_of
from nas.evaluate.leaks import leaks, unseen
from nas.evaluate.mistakes import Mistakes
from nas.evaluate.options import parser
from nas.evaluate.overlays import write_errors
from nas.evaluate.passes import measure_passes
from nas.evaluate.recorded import open_recorded, recorded_set
from nas.evaluate.report import Evaluated, markdown
from nas.evaluate.subject import load_subject, used_size
from nas.evaluate.tally import Tally, count_image
from nas.evaluate.threshold import best_threshold, classes_of
from nas.evaluate.trained import read_record
from nas.evaluate.whole import Predictor
from nas.files import write_json, write_text
from nas.machine import resolve_device
from nas.model_code import load_model_code


def main() -> int:
    """Parses, measures, prints."""
    flags = parser().parse_args()
    if bool(flags.against) != bool(flags.against_weights):
        raise UserError("--against and --against-weights belong together: give both, or neither")
    data = opened(flags)
    items = data.splits[flags.split]
    if not items:
        others = ", ".join(split for split, own in data.splits.items() if own)
        raise UserError(f"{data.name} has no images in its {flags.split} split ({data.split_source}): give --split {others}")
    out = flags.out or flags.weights[0].parent
    keep_out(out, [data.location])
    if flags.errors is not None:
        keep_out(flags.errors, [data.location], "--errors")
    check_named([load_model_code(model) for model in (flags.model, flags.against) if model], flags.domain)
    check_items(data, [*items, *(data.splits["val"] if flags.threshold == "auto" else ())])
    evaluated = evaluated_model(flags, data, items, flags.model, flags.weights, flags.errors)
    if flags.against:
        other = evaluated_model(flags, data, items, flags.against, flags.against_weights)
        evaluated.against, evaluated.against_weights = flags.against, other.weights
        evaluated.warnings = [*evaluated.warnings, *other.warnings]
        evaluated.compared = differences(evaluated.tally, other.tally, flags.seed)
    write_json(out / "evaluation.json", evaluated.to_dict())
    text = markdown(evaluated)
    write_text(out / "evaluation.md", text)
    print(text)
    print(f"written to {out / 'evaluation.json'} and {out / 'evaluation.md'}")
    return 0


def opened(flags: argparse.Namespace) -> DataSet:
    """The data set that the flags mean."""
    code = load_model_code(flags.model)
    record = read_record(flags.weights[0])
    trained = record.set_of(flags.domain) if record else None
    spec = flags.data or (trained and trained.location) or recorded_set(code).get("location")
    if not spec:
        raise UserError(f"neither {flags.model} nor {flags.weights[0]} has a file beside it that names its data: give --data")
    channels = flags.channels or (trained.channels if trained else None)
    return open_recorded(str(spec), code, flags.layout, channels, flags.new_split)


def evaluated_model(
    flags: argparse.Namespace, data: DataSet, items: Sequence[Item], model: str, weights: Sequence[Path], errors: Path | None = None
) -> Evaluated:
    """Measures one network; shows where it is wrong in a folder, if one is given."""
    device = resolve_device(flags.device)
    domain = domain_of(load_model_code(model), data, flags.domain)
    subject = load_subject(model, weights, data.num_classes, data.channels, device, domain)
    size = flags.image_size or used_size(subject.code, data, weights[0], domain)
    predictor = Predictor(subject.models, size, data.num_classes, device, flags.tta, subject.domain)
    val = unseen(weights, data, data.splits["val"])
    threshold = chosen_threshold(flags, data, val, predictor)
    counted, mistakes = counts(flags, data, items, predictor, threshold, model)
    if errors is not None:
        write_errors(errors, data, items, counted, mistakes, lambda image: classes_of(predictor(image), threshold), flags.worst)
    performance, passes = measure_passes(predictor, data.channels, None if domain is None else subject.domain)
    return Evaluated(
        model=model,
        weights=[str(path) for path in weights],
        data=data.name,
        domain=domain,
        split=flags.split,
        split_source=data.split_source,
        image_size=size,
        tta=flags.tta,
        threshold=threshold,
        threshold_source=threshold_source(flags, data, val),
        tally=counted,
        figures=figures_of(counted, flags.seed),
        performance=performance,
        passes=passes,
        mistakes=mistakes,
        warnings=leaks(weights, data, items),
    )


def threshold_source(flags: argparse.Namespace, data: DataSet, val: Sequence[Item]) -> str:
    """Where the threshold comes from, in words."""
    if flags.threshold != "auto":
        return "as given"
    count = len(data.splits["val"])
    return "chosen on val" if len(val) == count else f"chosen on the {len(val)} of {count} images of val that were not trained on"


def chosen_threshold(flags: argparse.Namespace, data: DataSet, val: Sequence[Item], predictor: Predictor) -> float | None:
    """The threshold of a binary task; None for the most probable class.

    Args:
        flags: As given.
        data: The set.
        val: The validation items that the network was not trained on: it is surer of the others than of what it has not seen.
        predictor: Answers.
    """
    if flags.threshold is None:
        return None
    if data.num_classes != 2:
        raise UserError(f"--threshold is for two classes, {data.name} has {data.num_classes}: leave it out")
    if flags.threshold != "auto":
        return float(flags.threshold)
    if flags.split == "val":
        raise UserError("--threshold auto is chosen on val, so it cannot be judged by val: give --split test")
    if not data.splits["val"]:
        raise UserError(f"{data.name} has no validation images to choose a threshold on: give --threshold X")
    if not val:
        raise UserError(
            f"the network was trained on all validation images of {data.name}, as those of --folds together: give --threshold X"
        )
    return best_threshold(data, val, predictor)


def counts(
    flags: argparse.Namespace, data: DataSet, items: Sequence[Item], predictor: Predictor, threshold: float | None, model: str
) -> tuple[Tally, Mistakes]:
    """One pass over the images."""
    mistakes, rows = Mistakes(data.classes), []
    for item in tqdm(items, desc=Path(model).name, unit="image", dynamic_ncols=True, disable=flags.quiet):
        image, mask = data.read(item)
        found = classes_of(predictor(image), threshold)
        rows.append(count_image(mask, found, data.num_classes))
        mistakes.add(mask, found)
    confusion, outline = (np.stack(column) for column in zip(*rows, strict=True))
    return Tally(tuple(item.name for item in items), data.classes, confusion, outline), mistakes


if __name__ == "__main__":
    sys.exit(enter(main))
