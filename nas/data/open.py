"""From what a person writes behind `--data` to a data set: a built-in name, or a folder whose layout is recognised by looking.

Whoever opens a set comes through here, so that a search, the check of data and a notebook have the same images in the same split.
A new layout is one file in `nas/data/layouts/` and one line in its `LAYOUTS`.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nas.data.dataset import DataSet
from nas.data.layout import Layout
from nas.data.layouts import LAYOUTS
from nas.data.stratify import stratify
from nas.data.synthetic import KINDS, open_synthetic
from nas.errors import UserError


def open_data(spec: str | Path, split_seed: int = 0, layout: str | None = None, channels: int | None = None) -> DataSet:
    """Opens a data set, in the split in which everything uses it.

    A set that says what trains, validates and tests is used so. What it leaves open is dealt by the masks' share of foreground (see
    `stratify`), which takes one reading of the masks concerned: a function of the files and `split_seed` alone.

    Args:
        spec: "synthetic" or "synthetic:KIND" for a built-in set, else the path of a folder.
        split_seed: Seed of the split, where a set brings none of its own.
        layout: Name of a layout, where looking would find another one; case does not matter.
        channels: Channels that images are read with, as `bands.read_image` does; None for three, which built-in sets have.

    Returns:
        The set; its files are listed, and not yet checked (see `check_data`).

    Raises:
        UserError: If there is no such folder kind or layout, if no layout recognises the folder, or if it has not the one named; if the
            images cannot have so many channels.
    """
    wanted = _named(layout)
    if channels is not None and channels < 1:
        raise UserError(f"images have at least 1 channel, {channels} were asked for: give --channels the number that the files have")
    word, _, kind = str(spec).partition(":")
    if word == "synthetic" and not isinstance(spec, Path):
        if wanted is not None:
            raise UserError(f"{spec} is built in and has no layout: leave {layout!r} out (./{spec} is a folder of that name)")
        built_in = open_synthetic(kind) if kind else open_synthetic()
        if channels not in (None, built_in.channels):
            raise UserError(f"{spec} is built in and has {built_in.channels} channels, {channels} were asked for: leave one of them out")
        return built_in
    path = Path(spec).expanduser()
    if not path.is_dir():
        what = "is a file, not a folder" if path.exists() else "does not exist"
        raise UserError(f"{path} {what}: give the folder of a data set, or a built-in set ({_builtin()})")
    for known_layout in LAYOUTS if wanted is None else (wanted,):
        if known_layout.recognise(path):
            found = stratify(known_layout.open(path, split_seed), split_seed)
            return found if channels is None else replace(found, channels=channels)
    if wanted is not None:
        raise UserError(f"{path} has not the layout {wanted.name}: it holds {_listing(path)}; expected {wanted.shape}")
    known = "\n".join(f"  {layout.name}: {layout.shape}" for layout in LAYOUTS)
    raise UserError(
        f"no known layout fits {path}, which holds {_listing(path)}. Expected one of\n{known}\n"
        f"Rename the folders to fit, point to the folder that holds them, or use a built-in set ({_builtin()})."
    )


def check_names(sets: Iterable[DataSet]) -> None:
    """Refuses two data sets of one name in one run.

    Raises:
        UserError: Naming it.
    """
    names = [data.name for data in sets]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UserError(f"two data sets are called {sorted(twice)[0]!r}: results are kept by name, rename the folder of one")


def _named(name: str | None) -> Layout | None:
    """The layout of a name; None for none."""
    if name is None:
        return None
    for layout in LAYOUTS:
        if layout.name.casefold() == name.casefold():
            return layout
    raise UserError(f"unknown layout {name!r}: give one of {', '.join(layout.name for layout in LAYOUTS)}, or none to look for it")


def _builtin() -> str:
    return ", ".join(["synthetic", *(f"synthetic:{kind.name}" for kind in KINDS)])


def _listing(path: Path, most: int = 8) -> str:
    """What lies in a folder, in words: folders with what they hold, then files by suffix."""
    entries = sorted(path.iterdir())
    folders = [f"{entry.name}/ ({len(list(entry.iterdir()))} entries)" for entry in entries if entry.is_dir()]
    suffixes = [entry.suffix.lower() or entry.name for entry in entries if not entry.is_dir()]
    files = [f"{suffixes.count(suffix)} x {suffix}" for suffix in dict.fromkeys(suffixes)]
    found = folders + files
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more if found else "nothing"
