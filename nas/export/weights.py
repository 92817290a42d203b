"""Trained weights beside a model file, as safetensors (https://github.com/huggingface/safetensors): read without running any code."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from nas.model_code import ARGUMENTS
from nas.proxy.states import read_states
from nas.search import StoredStudy

NAME = "weights.safetensors"

REQUIREMENT = "safetensors>=0.4"
"""What reading them needs beside torch, as a line of requirements.txt."""

LOADING = "model = build_model(); model.load_state_dict(safetensors.torch.load_file('{name}'))"
"""How weights get into the network of a model file."""


def finalist_weights(stored: StoredStudy, key: str) -> dict[str, dict[str, Tensor]]:
    """The averaged weights of a finalist's best final training: file name -> tensors by the names of the network's `state_dict`.

    Args:
        stored: The study.
        key: Of the genome.

    Returns:
        Empty for who was no finalist. One file for a network of one set or of all sets together; where each set was trained on separately,
        the first file goes with the model file, which has the head of the set with the most classes, and the others name their sets.
    """
    document = stored.document
    path = stored.final_weights(key)
    if path is None:
        return {}
    sets = document["facts"]["sets"]
    names = file_names([one["name"] for one in sets], document["settings"]["joint"], main_set(sets))
    # With folds each network saw all images but its fold's; those of the first fold stand for the others.
    found = {name: dict(state.ema) for name, state in zip(names, read_states(path), strict=False)}
    return dict(sorted(found.items(), key=lambda pair: pair[0] != NAME))


def remove_weights_of_another(folder: Path, key: str) -> None:
    """Removes the weights beside the model file of another network, which this one replaces: they would not fit, or be taken for its own.

    Args:
        folder: That a model file is written to.
        key: Of the genome that it will have.
    """
    try:
        before = json.loads((folder / ARGUMENTS).read_text(encoding="utf-8")).get("key")
    except (OSError, ValueError, AttributeError):
        return  # No export of this program: what lies there is the person's own.
    if before != key:
        for path in (folder / NAME, *folder.glob("weights-*.safetensors")):
            path.unlink(missing_ok=True)


def main_set(sets: Sequence[dict[str, object]]) -> int:
    """Position of the set that a model file is written for: the one with the most classes, the first of several."""
    counts = [len(one["classes"]) for one in sets]  # type: ignore[arg-type]
    return counts.index(max(counts))


def file_names(sets: Sequence[str], joint: bool, main: int) -> list[str]:
    """Names of the weights' files of each training."""
    if joint or len(sets) == 1:
        return [NAME]
    plain = [re.sub(r"[^\w.-]+", "-", name) for name in sets]
    return [NAME if i == main else f"weights-{name}.safetensors" for i, name in enumerate(plain)]
