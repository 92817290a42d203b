"""What a study's folder holds from the beginning: copies of what was given, and all that is needed to repeat the search."""

from dataclasses import asdict
from typing import Any

from nas.data import item_names
from nas.errors import UserError
from nas.files import write_bytes, write_json, write_text
from nas.search.environment import git_commit, machine, versions
from nas.search.plan import Plan
from nas.search.storage.database import shown_url


def write_files(plan: Plan) -> None:
    """What the study's folder holds from the beginning."""
    try:
        plan.folder.artifacts.mkdir(parents=True, exist_ok=True)
        write_bytes(plan.folder.space, plan.space_file.readable.read_bytes())
        write_text(plan.folder.transforms, plan.transforms.source)
        write_json(plan.folder.config, config_document(plan))
    except OSError as error:
        raise UserError(f"cannot write to {plan.folder.root}: {error.strerror}. Free some space, or give another --home") from error


def config_document(plan: Plan) -> dict[str, Any]:
    """All that is needed to repeat the search."""
    return {
        "study": plan.name,
        "config": {
            **asdict(plan.config),
            "home": str(plan.config.home),
            "transforms": str(plan.config.transforms) if plan.config.transforms else None,
            "storage": shown_url(plan.folder.storage_url(plan.config.storage)),
        },
        "settings": plan.settings(),
        "sets": [one.document() for one in plan.sets],
        "split": {one.data.name: item_names(one.data) for one in plan.sets},
        "folds": {one.data.name: [item_names(fold, ("train", "val")) for fold in one.folds] for one in plan.sets if one.folds},
        "space_file": str(plan.space_file.path),
        "transforms": plan.transforms.document(),
        "versions": versions(),
        "commit": git_commit(),
        "machine": machine(plan.device),
    }
