"""What must lie beside a model file: the arguments of its training, and the packages that it needs."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.data import DataSet, gone_images, is_record_of
from nas.errors import UserError
from nas.evaluate.recorded import recorded_set
from nas.model_code import ARGUMENTS, ModelCode
from nas.train import Recipe
from nas.verify.checks import Finding, imported

REQUIREMENTS = "requirements.txt"
NEEDED = ("sets", "normalise", "loss", "optimiser")
NEEDED_OF_A_SET = ("name", "classes", "in_channels", "image_size", "split", "recipe", "items")


def check_papers(code: ModelCode, sets: Sequence[DataSet]) -> list[Finding]:
    """Looks at the files beside a model file.

    Args:
        code: Of the network, from a file.
        sets: The data that it is handed in for, in whatever split.
    """
    assert code.path is not None
    return [_arguments(code, sets), _requirements(code.path)]


def _arguments(code: ModelCode, sets: Sequence[DataSet]) -> Finding:
    document = code.arguments
    if not document:
        return Finding(ARGUMENTS, False, "is not there: export the model anew, `python -m nas.export` writes it beside the model file")
    missing = [name for name in NEEDED if name not in document or document[name] == []]
    missing += [f"{name} of a set" for one in document.get("sets", ()) for name in NEEDED_OF_A_SET if not one.get(name)]
    if missing:
        return Finding(ARGUMENTS, False, f"lacks {', '.join(dict.fromkeys(missing))}: export the model anew")
    for one in document["sets"]:
        if (wrong := _recipe_fault(one["recipe"])) is not None:
            return Finding(ARGUMENTS, False, f"the recipe of {one['name']}: {wrong}")
    splits = [(data, recorded_set(code, data.name).get("items", {})) for data in sets]
    for data, items in splits:
        if is_record_of(items, data) and (gone := gone_images(data, items)):
            return Finding(ARGUMENTS, False, f"{gone}: put them back, its figures are of these images")
    strange = [data.name for data, items in splits if not is_record_of(items, data)]
    said = f"recipe, split and facts of {', '.join(sorted(one['name'] for one in document['sets']))}"
    if strange:
        said += f"; no images of {', '.join(strange)}: a split of its own, and the recipe of the set that the file is written for"
    return Finding(ARGUMENTS, True, said)


def _recipe_fault(recipe: Mapping[str, Any]) -> str | None:
    try:
        Recipe.from_dict(recipe)
    except (UserError, TypeError) as error:
        return str(error)
    return None


def _requirements(path: Path) -> Finding:
    file = path.parent / REQUIREMENTS
    if not file.is_file():
        return Finding(REQUIREMENTS, False, "is not there: write one beside the model file that names torch and its least version")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return Finding(REQUIREMENTS, False, f"is no text in UTF-8 ({error}): save it as such")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    names = {re.split(r"[<>=!~\[; ]", line)[0].lower() for line in lines}
    if "torch" not in names and "torch" in {name.partition(".")[0] for name in imported(path)}:
        return Finding(REQUIREMENTS, False, "does not name torch, which the model file imports: add torch>=2.6")
    return Finding(REQUIREMENTS, True, ", ".join(lines))
