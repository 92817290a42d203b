"""What must lie beside a model file: the arguments of its training, and the packages that it needs."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.errors import UserError
from nas.model_code import ARGUMENTS, ModelCode
from nas.train import Recipe
from nas.verify.checks import Case, Finding, imported

REQUIREMENTS = "requirements.txt"
NEEDED = ("sets", "normalise", "loss", "optimiser")
NEEDED_OF_A_SET = ("name", "classes", "in_channels", "image_size", "split", "recipe")


def check_papers(code: ModelCode, cases: Sequence[Case]) -> list[Finding]:
    """Looks at the files beside a model file.

    Args:
        code: Of the network, from a file.
        cases: The data sets that it is handed in for.
    """
    assert code.path is not None
    return [_arguments(code, cases), _requirements(code.path)]


def _arguments(code: ModelCode, cases: Sequence[Case]) -> Finding:
    document = code.arguments
    if not document:
        return Finding(ARGUMENTS, False, "is not there: export the model anew, `python -m nas.export` writes it beside the model file")
    missing = [name for name in NEEDED if name not in document]
    missing += [f"{name} of a set" for one in document.get("sets", ()) for name in NEEDED_OF_A_SET if name not in one]
    if missing:
        return Finding(ARGUMENTS, False, f"lacks {', '.join(dict.fromkeys(missing))}: export the model anew")
    for one in document["sets"]:
        if (wrong := _recipe_fault(one["recipe"])) is not None:
            return Finding(ARGUMENTS, False, f"the recipe of {one['name']}: {wrong}")
    known = {one["name"] for one in document["sets"]}
    strange = [case.name for case in cases if case.name not in known]
    said = f"recipe, split and facts of {', '.join(sorted(known))}"
    return Finding(ARGUMENTS, True, said + (f"; nothing of {', '.join(strange)}, which train by the first recipe" if strange else ""))


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
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    names = {re.split(r"[<>=!~\[; ]", line)[0].lower() for line in lines}
    if "torch" not in names and "torch" in {name.partition(".")[0] for name in imported(path)}:
        return Finding(REQUIREMENTS, False, "does not name torch, which the model file imports: add torch>=2.6")
    return Finding(REQUIREMENTS, True, ", ".join(lines))
