"""What a layout is: a way in which a data set lies on disk, recognised by looking, and how to open it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nas.data.dataset import DataSet


@dataclass(frozen=True)
class Layout:
    """One on-disk form of data sets.

    Attributes:
        name: Short, such as "folder".
        shape: What lies where, in one line, for messages.
        recognise: Tells whether a folder has this form; looks at names only.
        open: Opens such a folder; arguments are the folder and the seed of a split by hash. Broken files do not stop it.
    """

    name: str
    shape: str
    recognise: Callable[[Path], bool]
    open: Callable[[Path, int], DataSet]
