"""What is measured: a network with its weights, or an ensemble of them, on a data set in its recorded split."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from nas.data import DataSet, round_size
from nas.data.dataset import SPLITS
from nas.errors import UserError
from nas.evaluate.domains import head_of
from nas.evaluate.recorded import recorded_set
from nas.evaluate.trained import read_record
from nas.model_code import ModelCode, load_model_code
from nas.weights import fit_weights, read_weights


@dataclass(frozen=True)
class Subject:
    """A network to be measured or used.

    Attributes:
        code: Its code.
        models: One for each file of weights, in eval mode on their device.
        num_classes: Of its answer, for the data at hand.
        channels: Of its images.
        domain: Position of the data set for a network with several heads.
    """

    code: ModelCode
    models: Sequence[nn.Module]
    num_classes: int
    channels: int
    domain: int = 0


def load_subject(
    model: str, weights: Sequence[Path], num_classes: int | None, channels: int, device: str = "cpu", domain: str | None = None
) -> Subject:
    """Builds a network and puts weights into it.

    Args:
        model: Path of a model file, or `package.module:function`.
        weights: One file, or several for an ensemble.
        num_classes: Of the data; None for those that the weights were trained for, as recorded beside them, else what the model says.
        channels: Of the data.
        device: Where.
        domain: Name of the head that answers, for a network with several.

    Raises:
        UserError: It cannot be built, does not go with the data, or the weights do not fit.
    """
    code = load_model_code(model)
    filed: Any = code.constants.get("NUM_CLASSES")
    classes = num_classes
    head = head_of(code, domain) if code.joint else 0
    if classes is None:
        record = None if code.joint else read_record(weights[0])
        if record is None and filed is None:
            raise UserError(f"{model} does not say its number of classes: give --classes")
        classes = len(record.set_of().classes) if record else filed[head] if code.joint else int(filed)
    if code.joint and filed[head] != classes:
        raise UserError(f"{model} has {filed[head]} classes for {domain}, {classes} were asked for: leave --classes out")
    made = []
    for path in weights:
        network = code.build(channels, code.built_for(classes))
        tensors = read_weights(path)
        _explain_classes(code, channels, classes, path, network, tensors)
        fit_weights(network, tensors, str(path))
        made.append(network.to(device).eval())
    return Subject(code, made, classes, channels, head)


def _explain_classes(code: ModelCode, channels: int, classes: int, path: Path, network: nn.Module, tensors: dict[str, Any]) -> None:
    """Where the weights fit the file's own number of classes and not the data's, that is the reason to name."""
    filed = code.constants.get("NUM_CLASSES")
    own = network.state_dict()
    fits = own.keys() == tensors.keys() and all(own[name].shape == tensors[name].shape for name in own)
    if fits or filed is None or code.joint or filed == classes:
        return
    other = code.build(channels, filed).state_dict()
    if other.keys() == tensors.keys() and all(other[name].shape == tensors[name].shape for name in other):
        raise UserError(
            f"{path} was trained for the {filed} classes that {code.spec} is written for ({', '.join(code.constants.get('CLASSES', ()))}), "
            f"and the data have {classes}: give data with the same classes, or train the model on these with `python -m nas.train`"
        )


def used_size(code: ModelCode, data: DataSet, weights: Path, domain: str | None = None) -> tuple[int, int]:
    """The size of use: as `size_of_use` says, else the data's own.

    Args:
        code: Of the network.
        data: What it is used on.
        weights: File of its weights.
        domain: Name of the head that answers, for a network with several.
    """
    if (known := size_of_use(code, weights, domain or data.name)) is not None:
        return known
    sizes = [data.mask_size(item) for split in SPLITS for item in data.splits[split][:20]]
    heights, widths = zip(*sizes, strict=True)
    return round_size(statistics.median(heights), statistics.median(widths))


def size_of_use(code: ModelCode, weights: Path, data_name: str | None = None) -> tuple[int, int] | None:
    """Height and width that a network was trained for: by the training that made the weights, else the search, else the model file.

    Args:
        code: Of the network.
        weights: File of its weights, with the record of their training beside it.
        data_name: Of the data set, or of its head in a network with several; None for the first that it was trained on, else the one that
            its file is written for.

    Returns:
        None where nobody says it.
    """
    if (record := read_record(weights)) is not None:
        return record.set_of(data_name).image_size
    recorded = recorded_set(code, data_name)
    if "image_size" in recorded:
        return _pair(recorded["image_size"])
    return _pair(code.constants["INPUT_SIZE"]) if "INPUT_SIZE" in code.constants else None


def channels_of_use(code: ModelCode, weights: Path, data_name: str | None = None) -> int:
    """Channels of the images that a network was trained on: by the training that made the weights, else the search, else three.

    Args:
        code: Of the network.
        weights: As for `size_of_use`.
        data_name: As there.
    """
    if (record := read_record(weights)) is not None:
        return record.set_of(data_name).channels
    return int(recorded_set(code, data_name).get("in_channels", 3))


def _pair(size: Sequence[int]) -> tuple[int, int]:
    height, width = size
    return int(height), int(width)
