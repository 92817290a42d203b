"""Collects the source of classes with all that it leans on, so that it can stand in a file of its own."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from nas.errors import UserError

RESERVED = frozenset(
    {"Network", "build_model", "main", "PARAMS", "MACS", "INPUT_SIZE", "NUM_CLASSES", "CLASSES", "DOMAINS", "GENOME", "sys", "torch", "nn"}
)
"""Names that a model file gives a meaning of its own."""

LITERALS = (int, float, str, bool, tuple, type(None))


@dataclass
class Definitions:
    """What an exported file must say before its network.

    Attributes:
        imports: Import lines.
        constants: Name -> literal.
        sources: Name -> source of a function or class, in an order in which each is defined before its use.
    """

    imports: set[str] = field(default_factory=set)
    constants: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    _objects: dict[str, object] = field(default_factory=dict)

    def add(self, thing: type | FunctionType) -> None:
        """Adds a class or function and, before it, all that it names.

        Raises:
            UserError: It leans on something that a model file may not import, or two different things have one name.
        """
        name = thing.__name__
        _check_name(name)
        if name in self._objects:
            if self._objects[name] is not thing:
                raise UserError(f"two different definitions are called {name}: rename the one in your space file")
            return
        self._objects[name] = thing
        source = inspect.getsource(thing)
        scope = vars(sys.modules[thing.__module__])
        for used in sorted(_names(source) - {name}):
            if used in scope:
                self._add_used(used, scope[used], name)
        self.sources[name] = source.rstrip() + "\n"

    def _add_used(self, name: str, value: object, user: str) -> None:
        if isinstance(value, ModuleType):
            self._add_import(name, value.__name__, None, user)
        elif isinstance(value, type | FunctionType) and not _importable(value.__module__):
            if value.__name__ != name:
                raise UserError(f"{user} knows {value.__name__} as {name}: a model file needs one name for it")
            self.add(value)
        elif isinstance(value, LITERALS):
            _check_name(name)
            if self.constants.setdefault(name, value) != value:
                raise UserError(f"two different constants are called {name}: rename the one in your space file")
        elif (module := getattr(value, "__module__", None)) and hasattr(value, "__name__"):
            self._add_import(name, module, value.__name__, user)
        else:
            raise UserError(f"{user} uses {name}, a {type(value).__name__}: a model file can carry functions, classes and literals")

    def _add_import(self, name: str, module: str, attribute: str | None, user: str) -> None:
        if not _importable(module):
            raise UserError(f"{user} uses {module}: a model file imports torch and the standard library only")
        if attribute is None and module == name:
            self.imports.add(f"import {module}")
            return
        package, _, last = module.rpartition(".") if attribute is None else (module, ".", attribute)
        target = last if last == name else f"{last} as {name}"
        self.imports.add(f"from {package} import {target}" if package else f"import {module} as {name}")


def _check_name(name: str) -> None:
    if name in RESERVED:
        raise UserError(f"a block's module needs something called {name}, which means something else in a model file: rename it")


def definitions_of(classes: Iterable[type]) -> Definitions:
    """The definitions of all classes that torch does not have."""
    found = Definitions()
    for cls in classes:
        if not _importable(cls.__module__):
            found.add(cls)
    return found


def _importable(module: str) -> bool:
    root = module.partition(".")[0]
    return root == "torch" or root in sys.stdlib_module_names


def _names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(textwrap.dedent(source))) if isinstance(node, ast.Name)}
