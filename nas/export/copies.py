"""A model file handed on with other weights: copied with the papers beside it, in the form of a study's export."""

import inspect
from dataclasses import replace
from pathlib import Path

from nas.errors import UserError
from nas.evaluate.subject import Subject
from nas.evaluate.trained import RECORD, TrainingRecord, read_record, record_in, write_record
from nas.export.card import CARD, DRAWING
from nas.export.weights import LOADING, REQUIREMENT
from nas.export.weights import NAME as WEIGHTS
from nas.files import write_bytes, write_text
from nas.model_code import ARGUMENTS
from nas.python_file import digest_of
from nas.weights import read_weights, save_weights

REQUIREMENTS = "requirements.txt"

HEADING = "## These weights"
"""Of the part of a card that tells other weights from those of the search."""


def copy_model(subject: Subject, weights: Path, out: Path) -> list[Path]:
    """Writes `model.py`, `weights.safetensors` with the record of their training, and the papers beside the model file.

    Args:
        subject: The network, of a model file, into which the weights fit.
        weights: File of its weights.
        out: Folder for the copies; nothing is written where it is the model file's own.

    Returns:
        The files written.

    Raises:
        UserError: The folder holds weights of another training, or a paper is no text; nothing is written then.
    """
    path = subject.code.path
    assert path is not None
    if out.resolve() == path.resolve().parent:
        return []
    papers = {name: _text(path.parent / name) for name in (ARGUMENTS, REQUIREMENTS, CARD, DRAWING) if (path.parent / name).is_file()}
    record = _record_with_those_there(weights, out)
    written = [out / "model.py", out / WEIGHTS]
    write_bytes(written[0], path.read_bytes())
    save_weights(written[1], read_weights(weights))
    if record is not None:
        write_record(out, record)
        written.append(out / RECORD)
    elif read_record(written[1]) is not None:
        (out / RECORD).unlink()  # of an earlier copy's weights
    for name, text in papers.items():
        if name == REQUIREMENTS and "safetensors" not in text:
            text = f"{text.rstrip()}\n{REQUIREMENT}\n"
        write_text(out / name, _told(text, subject, weights) if name == CARD else text)
        written.append(out / name)
    return written


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must be text in UTF-8 and is not ({error}): save it as such, or remove it") from error


def _record_with_those_there(weights: Path, out: Path) -> TrainingRecord | None:
    """The record for a folder with a copy of some weights: of their training, and of those that lie there already.

    Raises:
        UserError: Those that lie there are of another training, and a folder has one record.
    """
    record, there = read_record(weights), record_in(out)
    others = tuple(name for name in there.weights if name != WEIGHTS and (out / name).is_file()) if there else ()
    if there is None or not others:
        return replace(record, weights=(WEIGHTS,)) if record else None
    if record is None:
        return replace(there, weights=others)
    if replace(record, weights=()) != replace(there, weights=()):
        raise UserError(
            f"{out / RECORD} tells of the training that made {', '.join(others)}, and {weights} is of another one: one record would be "
            "lost. Give another --out"
        )
    return replace(there, weights=(*others, WEIGHTS))


def _told(card: str, subject: Subject, weights: Path) -> str:
    """The card, and where the weights are not the search's own, that its figures are not theirs."""
    code, content = subject.code, weights.read_bytes()
    assert code.path is not None
    own = code.path.parent / WEIGHTS
    if own.is_file() and own.read_bytes() == content:
        return card
    given = {"in_channels": subject.channels, "num_classes": code.built_for(subject.num_classes)}
    taken = inspect.signature(code.make).parameters
    asked = ", ".join(f"{name}={value}" for name, value in given.items() if name in taken)
    loading = LOADING.format(name=WEIGHTS).replace("build_model()", f"build_model({asked})")
    words = (
        f"`{WEIGHTS}` is a copy of `{weights}` ({digest_of(content)}). The figures above are the search's, not those of these weights: "
        f"`python -m nas.evaluate` measures them. They are loaded by `{loading}` (import safetensors.torch)."
    )
    return f"{card.partition(HEADING)[0].rstrip()}\n\n{HEADING}\n\n{words}\n"
