"""Presets: whole configurations of a search, one TOML file each in `studies/`; flags override them.

A key is a field of `SearchConfig`. A value is what the field takes, or the text that its flag takes, such as "256K", "96x128" or "auto".
"""

import argparse
import difflib
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from nas.errors import UserError
from nas.flags import count, image_size, size_in_bytes, workers
from nas.search.config import SearchConfig

TEXTS: Mapping[str, Callable[[str], Any]] = {
    "budget": count,
    "max_macs": count,
    "max_memory": size_in_bytes,
    "cache_size": size_in_bytes,
    "image_size": image_size,
    "workers": workers,
}
"""Fields that can be given as text, as on the command line."""

KINDS: Mapping[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a text"}


def preset_folder() -> Path:
    """`studies/`: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "studies"
    return inside if inside.is_dir() else package.parent / "studies"


def known_presets() -> dict[str, str]:
    """Names of the built-in presets, each with its file's first line of comment."""
    paths = sorted(preset_folder().glob("*.toml"))
    return {path.stem: path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for path in paths}


def preset_config(name: str, **changes: Any) -> SearchConfig:
    """The settings of a preset, with changes.

    Args:
        name: Of a built-in preset, or path of a TOML file.
        changes: Fields of `SearchConfig` that are to be otherwise.

    Raises:
        UserError: There is no such preset, it has a key or value that is none, or the changes do not go with it.
    """
    return SearchConfig(**{**load_preset(name), **changes, "preset": name})


def load_preset(name: str) -> dict[str, Any]:
    """The settings of a preset by field, those alone that it names; they are good as they are.

    Raises:
        UserError: There is no such preset, or it has a key or value that is none; the message names the file.
    """
    path = _find(name)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"the preset {path} cannot be read: {error}") from error
    try:
        settings = {key: _value(key, value) for key, value in found.items()}
        SearchConfig(**settings)
    except UserError as error:
        raise UserError(f"the preset {path}: {error}") from error
    return settings


def _find(name: str) -> Path:
    path = preset_folder() / f"{name}.toml" if name in known_presets() else Path(name).expanduser()
    if not path.is_file():
        raise UserError(f"unknown preset {name!r}: give one of {', '.join(known_presets())}, or the path of a TOML file")
    return path


def _value(key: str, value: Any) -> Any:
    """A value as its field takes it."""
    known = [field.name for field in fields(SearchConfig) if field.name != "preset"]
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        raise UserError(f"unknown setting {key!r}{f' (is {near[0]} meant?)' if near else ''}: a setting is one of {', '.join(known)}")
    if isinstance(value, str) and key in TEXTS:
        try:
            return TEXTS[key](value)
        except argparse.ArgumentTypeError as error:
            raise UserError(f"{key}: {error}") from error
    hint = typing.get_type_hints(SearchConfig)[key]
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)] if isinstance(hint, types.UnionType) else [hint]
    if not any(_is(value, kind) for kind in kinds):
        raise UserError(f"{key} must be {' or '.join(map(_words, kinds))}, {value!r} was given")
    return tuple(value) if isinstance(value, list) else value


def _is(value: Any, kind: Any) -> bool:
    """Whether a value that TOML can hold is of the kind of a field; one alone will do where several can be given."""
    if typing.get_origin(kind) is tuple:
        parts = typing.get_args(kind)
        if not isinstance(value, list):
            return _is(value, parts[0])
        expected = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
        return len(value) == len(expected) and all(map(_is, value, expected))
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    accepted: Mapping[Any, tuple[type, ...]] = {int: (int,), float: (int, float), str: (str,), Path: (str,)}
    return isinstance(value, accepted[kind])


def _words(kind: Any) -> str:
    if typing.get_origin(kind) is not tuple:
        return KINDS[kind]
    parts = typing.get_args(kind)
    return f"{KINDS[parts[0]]}, or a list of {'them' if parts[-1] is Ellipsis else f'{len(parts)}'}"
