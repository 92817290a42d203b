"""Finds and loads search spaces: built-in ones by name, a user's by the path of its file."""

import hashlib
import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from nas.errors import UserError
from nas.space.space import SearchSpace

NOT_SPACES = frozenset({"peers"})
"""Files of `search_spaces/` that hold something else."""


@dataclass(frozen=True)
class SpaceFile:
    """What crosses a process boundary or a restart.

    Attributes:
        name: As the user gave it: a built-in name, or a path.
        path: The file.
        sha256: Of the file's content, 16 hex digits.
        copy: A file that is read where the first has changed or is gone.
    """

    name: str
    path: Path
    sha256: str
    copy: Path | None = None

    @property
    def readable(self) -> Path:
        """The file that has the content.

        Raises:
            UserError: None has it any more.
        """
        for path in (self.path, self.copy):
            if path is not None and path.is_file() and _digest(path) == self.sha256:
                return path
        too = f", and so has {self.copy}" if self.copy is not None else ""
        raise UserError(
            f"the space file {self.path} has changed or gone since it was first read{too}: put it back, "
            "or search again under another --study"
        )


def built_in_folder() -> Path:
    """`search_spaces/`: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "search_spaces"
    return inside if inside.is_dir() else package.parent / "search_spaces"


def known_spaces() -> tuple[str, ...]:
    """Names of the built-in spaces."""
    names = (path.stem for path in sorted(built_in_folder().glob("*.py")))
    return tuple(name for name in names if not name.startswith("_") and name not in NOT_SPACES)


def find_space(name: str | Path) -> SpaceFile:
    """The file of a space.

    Raises:
        UserError: Neither a built-in name nor a file.
    """
    text = str(name)
    path = built_in_folder() / f"{text}.py" if text in known_spaces() else Path(text).expanduser()
    if not path.is_file():
        raise UserError(f"unknown space {text!r}: give one of {', '.join(known_spaces())}, or the path of a space file")
    return SpaceFile(text, path.resolve(), _digest(path))


def load_space(name: str | Path | SpaceFile) -> SearchSpace:
    """The `SPACE` of a file.

    Raises:
        UserError: No such space, the file has changed, it cannot be run, or it has no `SPACE`.
    """
    file = name if isinstance(name, SpaceFile) else find_space(name)
    module = load_module(file.readable)
    space = getattr(module, "SPACE", None)
    if not isinstance(space, SearchSpace):
        found = "no SPACE" if space is None else f"a SPACE of type {type(space).__name__}"
        raise UserError(f"a space file defines SPACE = SearchSpace(...), {file.path} has {found}: see search_spaces/tiny_unet.py")
    summary = (module.__doc__ or "").strip().partition("\n")[0]
    return replace(space, name=file.path.stem, summary=summary)


def load_module(path: Path) -> ModuleType:
    """Runs a file of Python, once for each content that it has.

    Raises:
        UserError: It cannot be run.
    """
    name = f"nas_space_{path.stem}_{_digest(path)}"
    module = sys.modules.get(name)
    if module is not None:
        return module
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"a space is a Python file, {path} is not")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Dataclasses and `inspect.getsource` look their module up there.
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UserError(f"the space file {path} fails with {type(error).__name__}: {error}") from error
    return module


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
