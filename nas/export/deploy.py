"""A trained network in forms that run without its Python: ONNX, a `torch.export` program, and the folded program.

Each file is loaded again and held against the network on another batch and another size before it gets its name.
"""

import contextlib
import importlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from nas.errors import UserError
from nas.export.fold import TOLERANCE as FOLDED_TOLERANCE
from nas.export.fold import folded

FORMATS = ("py", "onnx", "pt2", "folded")
"""The model file itself; and of the network with its weights: ONNX, `torch.export`, and that of the folded form."""

STEPS = (16, 32, 64)
"""Sides may be any multiple of the first of these that the network can be exported with: it halves them up to six times."""

TOLERANCE = 1e-4
"""Largest difference to the network that a file may have, relative to the largest logit: other libraries add in another order."""

OPSET = 18


@dataclass(frozen=True)
class Deployed:
    """A file that was written.

    Attributes:
        path: Of the file.
        difference: Largest difference of a logit to the network's, over a batch of another size than the export's.
        step: Sides of images are multiples of it.
        least: Pixels of the smallest side.
    """

    path: Path
    difference: float
    step: int
    least: int

    def __str__(self) -> str:
        sides = f"sides that are multiples of {self.step}, {self.least} or more"
        return f"{self.path}: any batch, {sides}; largest difference to the network {self.difference:.1e}"


def deploy(model: nn.Module, in_channels: int, formats: tuple[str, ...], out: Path) -> list[Deployed]:
    """Writes a network with its weights.

    Args:
        model: On the CPU, in eval mode, with one head.
        in_channels: Of its images.
        formats: Of `FORMATS`, but "py".
        out: Folder for `model.onnx`, `model.pt2` and `folded.pt2`.

    Raises:
        UserError: A package is missing, the network cannot be exported, or a file does not give the network's answers.
    """
    makers: Mapping[str, tuple[str, Callable[[nn.Module, Path, int, int], None], Callable[[Path], Callable[[Tensor], Tensor]]]] = {
        "onnx": ("model.onnx", _write_onnx, _read_onnx),
        "pt2": ("model.pt2", _write_program, _read_program),
        "folded": ("folded.pt2", _write_folded, _read_program),
    }
    if "onnx" in formats:
        _need_onnx()
    made = []
    for name in formats:
        if name in makers:
            file, write, read = makers[name]
            made.append(_checked(model, in_channels, out / file, write, read, FOLDED_TOLERANCE if name == "folded" else TOLERANCE))
    return made


def _checked(
    model: nn.Module,
    channels: int,
    path: Path,
    write: Callable[[nn.Module, Path, int, int], None],
    read: Callable[[Path], Callable[[Tensor], Tensor]],
    tolerance: float,
) -> Deployed:
    """Writes beside its place, compares, renames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        step = _first_that_works(lambda step: write(model, draft, channels, step), path)
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(3, channels, 3 * max(step, 32), 2 * max(step, 32), generator=generator)
        answer = read(draft)
        with torch.no_grad():
            expected, found = model(images), answer(images)
            least = _least_side(answer, channels, step)
        difference = float((found - expected).abs().max())
        if not difference <= tolerance * max(1.0, float(expected.abs().max())):
            raise UserError(f"{path} was not written: its answers differ from the network's by up to {difference:.1e}. Give another format")
        draft.replace(path)
    return Deployed(path, difference, step, least)


def _least_side(answer: Callable[[Tensor], Tensor], channels: int, step: int) -> int:
    """The smallest side that a file takes: `torch.export` refuses those at which a map of the network is a single pixel."""
    known = 2 * max(step, 32)  # as it has just been asked for
    for side in range(step, known, step):
        # A program refuses by an assertion, a runtime in its own way.
        with contextlib.suppress(Exception):
            answer(torch.zeros(1, channels, side, side))
            return side
    return known


def _first_that_works(write: Callable[[int], None], path: Path) -> int:
    errors: list[Exception] = []
    for step in STEPS:
        try:
            with _quietly():
                write(step)
            return step
        except UserError:
            raise
        # torch.export gives up with errors of many kinds, on what a network does with shapes; a full disk is none of them.
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            errors.append(error)
    reason = (str(errors[0]).strip() or type(errors[0]).__name__).partition("\n")[0]
    raise UserError(f"{path} cannot be made of this network ({type(errors[0]).__name__}: {reason}): give another format") from errors[0]


def _program(model: nn.Module, channels: int, step: int) -> "torch.export.ExportedProgram":
    height, width = step * Dim("height", min=1), step * Dim("width", min=1)
    example = torch.zeros(2, channels, 4 * step, 6 * step)
    return torch.export.export(model, (example,), dynamic_shapes=({0: Dim("batch", min=1), 2: height, 3: width},))


def _write_program(model: nn.Module, path: Path, channels: int, step: int) -> None:
    stream = io.BytesIO()
    torch.export.save(_program(model, channels, step), stream)
    path.write_bytes(stream.getvalue())


def _write_folded(model: nn.Module, path: Path, channels: int, step: int) -> None:
    _write_program(folded(model), path, channels, step)


def _read_program(path: Path) -> Callable[[Tensor], Tensor]:
    return torch.export.load(io.BytesIO(path.read_bytes())).module()


def _write_onnx(model: nn.Module, path: Path, channels: int, step: int) -> None:
    program = torch.onnx.export(
        _program(model, channels, step), input_names=["image"], output_names=["logits"], opset_version=OPSET, dynamo=True
    )
    assert program is not None
    program.save(str(path), include_initializers=True, external_data=False)


def _read_onnx(path: Path) -> Callable[[Tensor], Tensor]:
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()

    def answer(images: Tensor) -> Tensor:
        found: Any = session.run(None, {given.name: images.numpy()})[0]
        return torch.from_numpy(found)

    return answer


def _need_onnx() -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UserError(f'the format onnx needs the package {name}: pip install "nas-tiny-segmentation[onnx]"') from error


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's own account of its steps, which a person cannot use."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
