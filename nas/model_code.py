"""A network that somebody brings: an exported model file, or any function that gives an `nn.Module`.

A model file is code: opening one runs it, with all that the person who runs it may do.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.errors import UserError
from nas.network_digest import digest_of_sources
from nas.python_file import digest_of, import_attribute, run_file

if TYPE_CHECKING:
    from torch import nn

BUILDER = "build_model"
"""The function of a model file that gives its network."""

ARGUMENTS = "training_args.json"
"""The file beside a model file that holds recipe, split and facts of the data."""

_OF_A_SET = {"name": str, "location": str, "in_channels": int, "image_size": list, "recipe": dict, "items": dict}
"""Kinds of what is read of a data set in it."""

NumClasses = int | tuple[int, ...]


@dataclass(frozen=True)
class ModelCode:
    """Code that builds a network.

    Attributes:
        spec: As given: a path, or `package.module:function`.
        make: Gives the network; called with `in_channels` and `num_classes` where it takes them.
        path: The model file; None for a function of a module.
        digest: 16 hexadecimal digits of its file, or of those of the module and the function; empty where there are none. What these
            import is not in it: `network_digest` knows more.
        constants: Capitalised names of the file, such as `INPUT_SIZE` and `CLASSES`.
        arguments: The content of `training_args.json` beside it; empty where there is none.
    """

    spec: str
    make: Callable[..., Any]
    path: Path | None = None
    digest: str = ""
    constants: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Short, for folders and tables: the file's folder where it is called model.py, its stem elsewhere, or the function."""
        if self.path is None:
            return self.spec.partition(":")[2]
        return self.path.resolve().parent.name if self.path.stem == "model" else self.path.stem

    @property
    def joint(self) -> bool:
        """Whether its network has several heads and is told which."""
        return isinstance(self.constants.get("NUM_CLASSES"), tuple)

    @property
    def takes_classes(self) -> bool:
        """Whether it can be built for another number of classes."""
        return "num_classes" in _parameters(self.make)

    def built_for(self, num_classes: int) -> NumClasses:
        """Classes that the network is built for where its data have so many: those of every head, where it has several."""
        heads: tuple[int, ...] = self.constants["NUM_CLASSES"] if self.joint else ()
        return heads or num_classes

    def build(self, in_channels: int, num_classes: NumClasses) -> "nn.Module":
        """The network, with fresh weights drawn from torch's global generator.

        Args:
            in_channels: Channels of the images.
            num_classes: Logits, the background's among them; of each head for a network with several.

        Raises:
            UserError: It cannot be built, or is no `nn.Module`.
        """
        from torch import nn

        wanted = {"in_channels": in_channels, "num_classes": num_classes}
        taken = _parameters(self.make)
        known = {name: value for name, value in wanted.items() if name in taken}
        try:
            made = self.make(**known)
        except Exception as error:
            asked = ", ".join(f"{name}={value}" for name, value in known.items())
            raise UserError(f"{self.spec} cannot be built with {asked or 'no arguments'} ({type(error).__name__}: {error})") from error
        if not isinstance(made, nn.Module):
            raise UserError(f"{self.spec} gave a {type(made).__name__}: an nn.Module is needed")
        return made


def load_model_code(spec: str) -> ModelCode:
    """Opens a model file, which runs it, or imports a function.

    Args:
        spec: Path of a Python file with a function `build_model`, or `package.module:function`.

    Raises:
        UserError: There is no such file or function, or it fails.
    """
    module_name, colon, attribute = spec.rpartition(":")
    if colon and attribute.isidentifier() and not Path(spec).exists():
        return _from_module(spec, module_name, attribute)
    path = Path(spec).expanduser()
    if path.is_dir():
        raise UserError(f"{path} is a folder: name the model file in it, such as {path / 'model.py'}")
    if not path.is_file():
        raise UserError(f"there is no model file {path}: give a file that `python -m nas.export` wrote, or package.module:function")
    content = path.read_bytes()
    module = run_file(path, content, "model")
    make = getattr(module, BUILDER, None)
    if not callable(make):
        raise UserError(f"{path} has no function {BUILDER}(in_channels, num_classes) that gives the network: add one")
    constants = _checked_constants(path, {name: value for name, value in vars(module).items() if name.isupper()})
    return ModelCode(str(path), make, path, digest_of(content), constants, _arguments(path))


def _checked_constants(path: Path, constants: dict[str, Any]) -> dict[str, Any]:
    """The constants with a side alone as a square, and heads as a tuple; what would make their readers stumble is refused."""
    size = constants.get("INPUT_SIZE")
    if size is not None:
        sides = (size, size) if isinstance(size, int) else size
        if not _are_counts(sides) or len(sides) != 2:
            raise UserError(f"INPUT_SIZE of {path} is {size!r}: height and width in pixels are needed, such as (96, 96)")
        constants["INPUT_SIZE"] = tuple(sides)
    classes = constants.get("NUM_CLASSES")
    if classes is not None and not _are_counts([classes]):
        if not _are_counts(classes) or not classes:
            raise UserError(f"NUM_CLASSES of {path} is {classes!r}: a whole number is needed, or one for each head, such as (2, 7)")
        constants["NUM_CLASSES"] = tuple(classes)
    return constants


def _are_counts(values: Any) -> bool:
    return isinstance(values, tuple | list) and all(isinstance(one, int) and one > 0 for one in values)


def _from_module(spec: str, module_name: str, attribute: str) -> ModelCode:
    make = import_attribute(module_name, attribute, spec)
    if not callable(make):
        raise UserError(f"{spec} is a {type(make).__name__}: a function that gives an nn.Module is needed")
    return ModelCode(spec, make, digest=digest_of_sources([import_module(module_name), make]))


def _arguments(path: Path) -> Mapping[str, Any]:
    beside = path.parent / ARGUMENTS
    if not beside.is_file():
        return {}
    try:
        document = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{beside} is not JSON ({error}): export the model anew, or remove the file and give the flags by hand") from error
    if not isinstance(document, dict):
        raise UserError(f"{beside} holds a {type(document).__name__}, an object is needed: export the model anew, or remove the file")
    _check_sets(beside, document.get("sets", []))
    return document


def _check_sets(beside: Path, sets: Any) -> None:
    """Refuses data sets that whoever reads them would stumble over."""
    if not isinstance(sets, list) or not all(isinstance(one, dict) for one in sets):
        raise UserError(f"{beside}: `sets` must be a list of objects, one for each data set: export the model anew, or remove the file")
    for one in sets:
        for name, kind in _OF_A_SET.items():
            if name in one and not isinstance(one[name], kind):
                came = f"{name} of a data set is a {type(one[name]).__name__}, a {kind.__name__} is needed"
                raise UserError(f"{beside}: {came}: export the model anew, or remove the file")
        size = one.get("image_size", [1, 1])
        if len(size) != 2 or not _are_counts(size):
            came = f"image_size of a data set is {size}, height and width in pixels are needed"
            raise UserError(f"{beside}: {came}: export the model anew, or remove the file")


def _parameters(make: Callable[..., Any]) -> frozenset[str]:
    """Names of what a function takes; both of ours where it takes anything."""
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return frozenset({"in_channels", "num_classes"})
    return frozenset(one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY))
