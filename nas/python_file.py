"""Code that a person hands over: a Python file by its path, or `module:attribute`."""

import hashlib
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from nas.errors import UserError


def digest_of(content: bytes) -> str:
    """16 hexadecimal digits of the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()[:16]


def run_file(path: Path, content: bytes, what: str) -> ModuleType:
    """Runs the content of a file, once for each content in a process.

    The bytes are compiled here rather than by Python's import system, which would leave a `__pycache__` beside the file and take its word
    for a file that was changed within one second.

    Args:
        path: Where the content comes from, for messages and tracebacks.
        content: Python source.
        what: What the file is, such as "transforms".

    Returns:
        The module.

    Raises:
        UserError: It cannot be run; the message names file, line and reason.
    """
    name = f"nas_{what}_{path.stem}_{digest_of(content)}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # Dataclasses and `inspect.getsource` look their module up there.
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)
    # A file may raise anything, and call sys.exit().
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserError(f"the {what} file {path} fails{where(error, path)} with {type(error).__name__}: {error}") from error
    return module


def import_attribute(module_name: str, attribute: str, said: str) -> Any:
    """What a module holds under a name.

    Args:
        module_name: Of the module, which is imported.
        attribute: The name in it.
        said: What the person wrote, such as "--sampler mine:Sampler", for messages.

    Raises:
        UserError: The module cannot be imported, or has no such name.
    """
    try:
        module = importlib.import_module(module_name)
    # A module that is imported may raise anything, and call sys.exit().
    except (Exception, SystemExit) as error:
        raise UserError(
            f"{said}: the module {module_name} cannot be imported ({type(error).__name__}: {error}). Install it, stand in its folder, or "
            "add that to PYTHONPATH"
        ) from error
    if not hasattr(module, attribute):
        place = getattr(module, "__file__", None) or module_name
        raise UserError(f"{said}: the module {module_name} has no {attribute!r}; write it as it is spelled in {place}")
    return getattr(module, attribute)


def where(error: BaseException, path: Path) -> str:
    """The innermost line of a file at which something went wrong, as " in line N"; nothing where it was elsewhere."""
    if isinstance(error, SyntaxError):
        return ""  # its own text says the line
    lines, step = [], error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            lines.append(step.tb_lineno)
        step = step.tb_next
    return f" in line {lines[-1]}" if lines else ""
