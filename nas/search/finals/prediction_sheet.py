"""What a finalist sees: validation images beside their masks and its predictions, as a picture that the dashboard shows with the trial."""

import io
import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from nas.blocks import AnyOperator
from nas.data import VOID, Bank, open_bank
from nas.data.bands import as_rgb
from nas.data.contact_sheet import overlaid
from nas.data.images import Bytes
from nas.evaluate import normalise
from nas.files import write_bytes
from nas.genome import genome_from_json
from nas.proxy.job import Workplace
from nas.proxy.states import read_states
from nas.proxy.training import Training, trainings
from nas.search.display.log import EventLog
from nas.search.study import StoredStudy
from nas.train import TrainState, load_ema

Vocabulary = Mapping[str, type[AnyOperator]]

ROWS = 6
"""Images of each set, evenly spread over its validation images."""

AREA, GAP, BAND = 320 * 240, 8, 22
PAPER, INK = (24, 24, 24), (235, 235, 235)
HEADS = ("image", "truth", "prediction")

ARTIFACTS = "dashboard:artifacts:"
"""Where optuna-dashboard finds artifacts of a trial in the study's attributes. Optuna keeps them with the trial, and a finished trial takes
no more."""


def attach_sheets(stored: StoredStudy, workplace: Workplace, vocabulary: Vocabulary, artifacts: Path, log: EventLog) -> None:
    """Draws a sheet of each finalist and set, and keeps it with the trial; with folds those of the first.

    Args:
        stored: The study.
        workplace: What its trials were trained with.
        vocabulary: Of the space.
        artifacts: Folder of artifacts.
        log: Is told of sheets that cannot be drawn: a search does not end for a picture.
    """
    finalists, lessons = stored.final_entries().keys(), list[Training]()
    for trial in stored.trials():
        key = str(trial.user_attrs.get("key"))
        path = stored.final_weights(key) if key in finalists else None
        if path is None:
            continue
        try:
            lessons = lessons or trainings([open_bank(bank) for bank in workplace.stages[-1][0]], workplace.recipes, workplace.joint)
            for lesson, state in zip(lessons, read_states(path), strict=False):
                sheet = prediction_sheet(trial.user_attrs["genome"], lesson, state, vocabulary)
                attach(stored, artifacts, trial._trial_id, f"predictions {lesson.name}.png", sheet)
        except Exception as error:
            log.write(f"no sheet of predictions for trial {trial.number} {key}: {type(error).__name__}: {error}", news=True)


def prediction_sheet(genome: str, lesson: Training, state: TrainState, vocabulary: Vocabulary) -> bytes:
    """Draws the sheet of one training.

    Args:
        genome: JSON.
        lesson: What was trained on.
        state: At its end.
        vocabulary: Of the space.

    Returns:
        The content of a PNG file: for each of up to `ROWS` validation images a row of image, truth and prediction.
    """
    model = lesson.network(genome_from_json(genome, vocabulary)).eval()
    load_ema(model, state)
    rows = [row for domain, bank in enumerate(lesson.banks) for row in _rows(model, bank, {"domain": domain} if lesson.joint else {})]
    return _sheet(rows)


def attach(stored: StoredStudy, folder: Path, trial_id: int, name: str, content: bytes) -> None:
    """Keeps a PNG with a finished trial, where the dashboard shows it; one of the same name gives way.

    Args:
        stored: The study.
        folder: Of artifacts.
        trial_id: In the storage.
        name: Of the file.
        content: Of the file.
    """
    prefix = f"{ARTIFACTS}{trial_id}:"
    for key, value in stored.storage.get_study_system_attrs(stored.id).items():
        if key.startswith(prefix) and value and (json.loads(value) or {}).get("filename") == name:
            stored.storage.set_study_system_attr(stored.id, key, json.dumps(None))
            (folder / key.removeprefix(prefix)).unlink(missing_ok=True)
    identity = str(uuid.uuid4())
    write_bytes(folder / identity, content)
    meta = {"artifact_id": identity, "filename": name, "mimetype": "image/png", "encoding": None}
    stored.storage.set_study_system_attr(stored.id, prefix + identity, json.dumps(meta))


def _rows(model: torch.nn.Module, bank: Bank, told: dict[str, int]) -> list[tuple[str, Bytes, Bytes, Bytes]]:
    """Name, image, mask and prediction of some validation images of a set."""
    count = len(bank.val_names)
    chosen = np.unique(np.linspace(0, count - 1, min(ROWS, count)).round().astype(int))
    rows = []
    with torch.inference_mode():
        for index in chosen:
            image, mask = np.array(bank.val_images[index]), np.array(bank.val_masks[index])
            found = model(normalise(torch.from_numpy(image)[None]), **told).argmax(1)[0]
            seen = np.where(mask == VOID, VOID, found.numpy()).astype(np.uint8)  # What is not judged is shown as such.
            rows.append((f"{bank.name} {bank.val_names[index]}", as_rgb(image), mask, seen))
    return rows


def _sheet(rows: Sequence[tuple[str, Bytes, Bytes, Bytes]]) -> bytes:
    height, width = rows[0][1].shape[:2]
    scale = (AREA / (height * width)) ** 0.5
    size = max(1, round(height * scale)), max(1, round(width * scale))
    sheet = Image.new("RGB", (GAP + len(HEADS) * (size[1] + GAP), BAND + len(rows) * (size[0] + BAND)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, head in enumerate(HEADS):
        draw.text((GAP + column * (size[1] + GAP), 5), head, INK)
    for row, (name, image, mask, found) in enumerate(rows):
        top = BAND + row * (size[0] + BAND)
        for column, shown in enumerate((None, mask, found)):
            sheet.paste(Image.fromarray(overlaid(image, shown, size)), (GAP + column * (size[1] + GAP), top))
        draw.text((GAP, top + size[0] + 4), name, INK)
    stream = io.BytesIO()
    sheet.save(stream, "PNG", compress_level=1)  # Four times as quick as the default, and a fifth larger.
    return stream.getvalue()
