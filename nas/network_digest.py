"""Which network a training is of: its source code, as far as it can be had, and the tensors that it holds.

A person edits a class and runs the same command again: that is another network, wherever the class is written.
"""

import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nas.python_file import digest_of

if TYPE_CHECKING:
    from torch import nn


def network_digest(model: "nn.Module") -> str:
    """16 hexadecimal digits of a network: the files of its layers' classes, torch's own apart, and the names and shapes of its tensors.

    Functions that its `forward` calls are in it where they stand in one of these files.
    """
    shapes = [(name, *getattr(tensor, "shape", ())) for name, tensor in model.state_dict().items()]
    return digest_of(f"{digest_of_sources(_classes(model))} {shapes}".encode())


def digest_of_sources(things: Iterable[Any]) -> str:
    """16 hexadecimal digits of the files that define some modules, classes and functions; empty where there are none.

    The order of the things, and where the files lie, is not in it.
    """
    contents = {digest_of(path.read_bytes()) for path in set(map(_file_of, things)) if path is not None}
    return digest_of(" ".join(sorted(contents)).encode()) if contents else ""


def _classes(model: "nn.Module") -> Iterator[type]:
    kinds = {base for module in model.modules() for base in type(module).__mro__}
    return (kind for kind in kinds if kind.__module__.partition(".")[0] not in ("torch", "builtins"))


def _file_of(thing: Any) -> Path | None:
    """The file that defines something; None where it has none, as what is built in or was typed into a session."""
    module = thing if isinstance(thing, ModuleType) else sys.modules.get(getattr(inspect.unwrap(thing), "__module__", None) or "")
    file = getattr(module, "__file__", None)
    return Path(file) if file and Path(file).is_file() else None
