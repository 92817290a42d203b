"""The recipe of the training views: a file with a `training_transform`, the built-in one or a person's own (`--transforms`).

What is wrong with such a file is said when it is loaded and when its pipeline is made; `views.py` looks at what the pipeline draws.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nas.data import transforms
from nas.errors import UserError
from nas.python_file import digest_of, run_file, where

if TYPE_CHECKING:
    from albumentations import Compose

FUNCTION = "training_transform"
COPY = "copy nas/data/transforms.py and edit the copy"


@dataclass(frozen=True)
class ViewRecipe:
    """How the training views of a study are drawn.

    Attributes:
        path: The file.
        source: Its text.
        sha256: 16 hexadecimal digits that change with the recipe: of the file's content, but of the built-in one its `DESCRIPTION`, so
            that a better comment there does not end the studies that were begun before.
        description: In words; empty where the file has no `DESCRIPTION`.
        built_in: Whether it is `nas/data/transforms.py`.
        make: The file's `training_transform`.
    """

    path: Path
    source: str
    sha256: str
    description: str
    built_in: bool
    make: Callable[..., Any]

    @property
    def identity(self) -> str:
        """What a study keeps to know the recipe again."""
        return f"{'built in' if self.built_in else 'a file'}, sha256 {self.sha256}"

    def document(self) -> dict[str, str]:
        """What is recorded of it: file, hash, words."""
        return {"file": str(self.path), "sha256": self.sha256, "description": self.description}

    def pipeline(self, train_size: tuple[int, int], channels: int) -> "Compose":
        """A pipeline of one's own: a thread must not share it.

        Args:
            train_size: Height and width of a view.
            channels: Of an image; the function is told of it where it has an argument of that name.

        Raises:
            UserError: The file's function fails, or gives something else.
        """
        from albumentations import Compose  # 1.3 s, and only who draws needs it

        told = {"channels": channels} if "channels" in inspect.signature(self.make).parameters else {}
        try:
            made = self.make(train_size, **told)
        except Exception as error:
            raise UserError(
                f"{self.path}: {FUNCTION}({train_size}) fails{where(error, self.path)} with {type(error).__name__}: {error}"
            ) from error
        if not isinstance(made, Compose):
            raise UserError(f"{self.path}: {FUNCTION} returned {_kind(made)}; expected an albumentations.Compose: {COPY}")
        return made


def load_recipe(path: Path | None = None) -> ViewRecipe:
    """The recipe in a file.

    Args:
        path: A Python file with a function `training_transform(train_size)`; None for the built-in one.

    Raises:
        UserError: There is no such file, it cannot be run, or the function is missing or takes other arguments.
    """
    if path is None:
        return BUILT_IN
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"--transforms {path} {what}: give a Python file with a function {FUNCTION}; {COPY}")
    content = path.read_bytes()
    module = run_file(path, content, "transforms")
    return ViewRecipe(
        path=path.resolve(),
        source=content.decode("utf-8", errors="replace"),
        sha256=digest_of(content),
        description=_description(module),
        built_in=False,
        make=_function(module, path),
    )


def _function(module: ModuleType, path: Path) -> Callable[..., Any]:
    made: Callable[..., Any] | None = getattr(module, FUNCTION, None)
    if made is None or not callable(made):
        has = "has no" if made is None else f"has {_kind(made)} for a"
        raise UserError(f"{path} {has} function {FUNCTION}(train_size) that returns an albumentations.Compose: {COPY}")
    try:
        inspect.signature(made).bind((32, 32))
    except TypeError as error:
        raise UserError(
            f"{path}: {FUNCTION}{inspect.signature(made)} cannot be called with the size of a view, (height, width), alone: {error}"
        ) from error
    return made


def _description(module: ModuleType) -> str:
    text = getattr(module, "DESCRIPTION", "")
    return text if isinstance(text, str) else ""


def _kind(value: object) -> str:
    name = type(value).__name__
    return "nothing" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _built_in() -> ViewRecipe:
    path = Path(transforms.__file__)
    return ViewRecipe(
        path=path,
        source=path.read_text(encoding="utf-8"),
        sha256=digest_of(transforms.DESCRIPTION.encode()),
        description=transforms.DESCRIPTION,
        built_in=True,
        make=transforms.training_transform,
    )


BUILT_IN = _built_in()
