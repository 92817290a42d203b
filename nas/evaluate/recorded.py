"""What is recorded beside a model file of the data that its network was found on, and those data as they were."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nas.data import LAYOUTS, DataSet, open_data, with_recorded_split
from nas.model_code import ModelCode


def recorded_set(code: ModelCode, spec: str | None = None) -> dict[str, Any]:
    """What `training_args.json` says of a data set.

    Args:
        code: Of the network.
        spec: As given behind `--data`, or a set's name; its folder, or where that has moved its name, tells which is meant. None for
            the one that the model file is written for: of several that were trained on separately, the first with the file's classes.

    Returns:
        Empty where it says nothing of that set.
    """
    sets: list[dict[str, Any]] = list(code.arguments.get("sets", ()))
    if spec is None:
        classes = code.constants.get("CLASSES")
        own = [] if code.joint else [one for one in sets if isinstance(classes, tuple) and one.get("classes") == list(classes)]
        return next(iter([*own, *sets]), {})
    place = Path(spec).expanduser().resolve()
    meant = {spec, str(place), place.name}
    return next((one for one in sets if meant & {one.get("location"), one.get("name")}), {})


def open_recorded(spec: str, code: ModelCode, layout: str | None = None, channels: int | None = None, new_split: bool = False) -> DataSet:
    """A data set in the layout, with the channels and in the split that are recorded beside a model.

    Args:
        spec: As given behind `--data`.
        code: Of the network.
        layout: Name of a layout; None for the recorded one where the folder has it, else what looking finds.
        channels: Channels; None for the recorded ones, or three.
        new_split: Whether the recorded split is left alone.

    Raises:
        UserError: As for `open_data`, or images of the recorded split are gone.
    """
    known = recorded_set(code, spec)
    wanted = channels or int((known or recorded_set(code)).get("in_channels", 3))
    opened = partial(open_data, spec, channels=None if wanted == 3 else wanted)
    data = opened(layout=layout or _layout(spec, known))
    known = recorded_set(code, data.name)
    # A folder may be known by what was found in it alone, such as VOC2012 in VOCdevkit.
    if layout is None and _layout(spec, known) not in (None, data.layout):
        data = opened(layout=_layout(spec, known))
    split = known.get("items")
    return with_recorded_split(data, split) if split and not new_split else data


def _layout(spec: str, known: Mapping[str, Any]) -> str | None:
    """The recorded layout, where the folder has it; None for another folder, and for built-in sets."""
    path = Path(spec).expanduser()
    return next((one.name for one in LAYOUTS if one.name == known.get("layout") and path.is_dir() and one.recognise(path)), None)
