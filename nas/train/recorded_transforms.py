"""The transforms that the search drew its views by, found again by what is recorded of them beside the model file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas.data import ViewRecipe, load_recipe
from nas.errors import UserError
from nas.model_code import ModelCode
from nas.python_file import digest_of


def recorded_transforms(code: ModelCode) -> ViewRecipe:
    """The recorded transforms; the built-in ones where none are recorded.

    Args:
        code: Of the network.

    Raises:
        UserError: They are gone, or are not what they were.
    """
    recorded: Mapping[str, Any] = code.arguments.get("transforms") or {}
    built_in = load_recipe()
    if recorded.get("sha256", built_in.sha256) == built_in.sha256:
        return built_in
    places = _places(code, recorded)
    for path in places:
        if path.is_file() and _is_recorded(path, recorded):
            return load_recipe(path)
    looked = ", ".join(f"{path} is {'another file now' if path.is_file() else 'gone'}" for path in places)
    raise UserError(
        f"{code.spec} was found with transforms that are not there as they were ({looked}): put the file back, or give --transforms FILE, "
        "such as a copy of nas/data/transforms.py for the built-in ones"
    )


def _places(code: ModelCode, recorded: Mapping[str, Any]) -> tuple[Path, ...]:
    """Where the file may be: in the study's folder, where the search read it, and in the study's folder should that have moved."""
    places = [Path(recorded[name]) for name in ("copy", "file") if name in recorded]
    if code.path is not None and "copy" in recorded:
        places.append(code.path.resolve().parent.parent / Path(recorded["copy"]).name)
    return tuple(dict.fromkeys(places))


def _is_recorded(path: Path, recorded: Mapping[str, Any]) -> bool:
    """Whether a file is the recorded one: by its content, which is not run for it, or by the words of an earlier version's built-in one."""
    if digest_of(path.read_bytes()) == recorded["sha256"]:
        return True
    words = str(recorded.get("description", ""))
    return digest_of(words.encode()) == recorded["sha256"] and load_recipe(path).description == words
