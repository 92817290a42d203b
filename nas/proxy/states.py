"""Training states of live candidates, one file each in the study's folder: what a killed worker or coordinator goes on from.

A file is written beside and renamed, so it is whole or absent. It is of a rung, so that the state of a rung that nobody took note of
is never taken for another's.
"""

import contextlib
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from nas.files import write_bytes
from nas.train import TrainState

SUFFIX = ".state"


def state_file(folder: Path, key: str, rung: int) -> Path:
    """Where the state of a candidate at the end of a rung is kept."""
    return folder / f"{key}-{rung}{SUFFIX}"


def write_states(path: Path, states: Sequence[TrainState]) -> None:
    """Writes the states of a candidate's trainings, one a set or fold; all of them or nothing."""
    parts = [state.to_bytes() for state in states]
    write_bytes(path, struct.pack(f"<{1 + len(parts)}q", len(parts), *map(len, parts)) + b"".join(parts))


def read_states(path: Path) -> list[TrainState]:
    """What `write_states` wrote.

    Raises:
        OSError: There is no such file.
        ValueError: It is no file of states.
    """
    content = path.read_bytes()
    try:
        return _states(content)
    # torch's readers of broken bytes raise nearly anything: EOFError, RuntimeError, UnpicklingError, ...
    except Exception as error:
        raise ValueError(f"{path} is no file of training states ({type(error).__name__}: {error})") from error


def _states(content: bytes) -> list[TrainState]:
    (count,) = struct.unpack_from("<q", content)
    sizes = struct.unpack_from(f"<{count}q", content, 8)
    ends = [8 * (1 + count) + sum(sizes[: i + 1]) for i in range(count)]
    return [TrainState.from_bytes(content[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def remove_states(folder: Path, keep: Iterable[Path] = ()) -> None:
    """Removes the states of candidates that are no longer trained, and what killed processes left half-written."""
    _remove(set(folder.glob(f"*{SUFFIX}")) - set(keep))
    remove_half_written(folder)


def remove_half_written(folder: Path) -> None:
    """Removes what processes left that were killed while they wrote states; for who holds the study, since nobody else may be writing."""
    _remove(folder.glob(f".*{SUFFIX}.*"))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
