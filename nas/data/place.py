"""Where results may go: anywhere but into the folder of a data set."""

from collections.abc import Iterable
from pathlib import Path

from nas.errors import UserError


def keep_out(path: Path, places: Iterable[str | Path], flag: str = "--out") -> None:
    """Refuses to write into the data's own folders.

    Args:
        path: File or folder to be written.
        places: Folders of data sets, or specifications of built-in ones, which have none.
        flag: What names another path, for the message.

    Raises:
        UserError: The path lies in one of the folders.
    """
    for folder in (Path(place).expanduser() for place in places):
        if folder.is_dir() and path.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"{path} would lie in the data's own folder {folder}, where nothing is ever written: give {flag} elsewhere")
