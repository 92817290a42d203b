"""From what a person writes behind `--data` to a data set: a built-in name, or a folder whose layout is recognised by looking.

A new layout is one file beside this one and one line in `LAYOUTS`.
"""

from pathlib import Path

from nas.data import cfd, folder
from nas.data.dataset import DataSet
from nas.data.synthetic import KINDS, open_synthetic
from nas.errors import UserError

# The first that recognises a folder opens it: particular layouts come before general ones.
LAYOUTS = (cfd.LAYOUT, folder.LAYOUT)


def open_data(spec: str | Path, split_seed: int = 0) -> DataSet:
    """Opens a data set.

    Args:
        spec: "synthetic" or "synthetic:KIND" for a built-in set, else the path of a folder.
        split_seed: Seed of the split by hash, where a set brings no split of its own.

    Returns:
        The set; its files are listed, and not yet checked (see `check_data`).

    Raises:
        UserError: If there is no such folder or kind, or if no layout recognises the folder.
    """
    word, _, kind = str(spec).partition(":")
    if word == "synthetic" and not isinstance(spec, Path):
        return open_synthetic(kind) if kind else open_synthetic()
    path = Path(spec).expanduser()
    if not path.is_dir():
        what = "is a file, not a folder" if path.exists() else "does not exist"
        raise UserError(f"{path} {what}: give the folder of a data set, or a built-in set ({_builtin()})")
    for layout in LAYOUTS:
        if layout.recognise(path):
            return layout.open(path, split_seed)
    known = "\n".join(f"  {layout.name}: {layout.shape}" for layout in LAYOUTS)
    raise UserError(
        f"no known layout fits {path}, which holds {_listing(path)}. Expected one of\n{known}\n"
        f"Rename the folders to fit, point to the folder that holds them, or use a built-in set ({_builtin()})."
    )


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
