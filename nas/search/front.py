"""The Pareto front of a study as a table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from nas.pareto import non_dominated
from nas.receptive_field import ReceptiveField
from nas.search.objectives import to_minimise
from nas.topology import NumClasses

COSTS = ("params", "macs", "memory")
ACCURACIES = ("iou", "miou", "dice")
SIGHT = ("receptive_field", "sees_whole_image")
REFERENCE = ("image_size", "num_classes", "split", "folds")
"""Columns that say what the others refer to, alike in all rows: a terminal's table says them above it."""


def front_trials(trials: Sequence[FrozenTrial], objectives: Sequence[str]) -> list[FrozenTrial]:
    """The complete trials that no other dominates, best validation IoU first."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and "genome" in trial.user_attrs]
    if not complete:
        return []
    kept = non_dominated(np.array([to_minimise(objectives, trial.values) for trial in complete]))
    return sorted(
        (trial for trial, keep in zip(complete, kept, strict=True) if keep), key=lambda trial: (-trial.user_attrs["iou"], trial.number)
    )


def front_table(
    trials: Sequence[FrozenTrial], objectives: Sequence[str], image_size: Sequence[int], num_classes: NumClasses, folds: int | None = None
) -> pd.DataFrame:
    """The front as a table.

    Args:
        trials: Of a study.
        objectives: Names.
        image_size: Height and width that costs refer to.
        num_classes: Logits.
        folds: Of the search; None without.

    Returns:
        One row a trial of the front: number, key, accuracies (means over sets, IoU on each of several), costs, and what these refer to:
        image size, classes, `split` ("val": a search reads no test image) and `folds`, the validation parts in one confusion matrix (1
        where val is validated on as it is).
    """
    chosen = front_trials(trials, objectives)
    sets = list(dict.fromkeys(name for trial in chosen for name in trial.user_attrs["iou_per_set"]))
    own = {f"iou {name}": name for name in sets} if len(sets) > 1 else {}
    rows = [
        {
            "trial": trial.number,
            "key": trial.user_attrs["key"],
            **{name: trial.user_attrs[name] for name in ACCURACIES},
            **{column: trial.user_attrs["iou_per_set"][name] for column, name in own.items()},
            **{name: trial.user_attrs[name] for name in (*COSTS, *SIGHT)},
            "image_size": "x".join(map(str, image_size)),
            "num_classes": num_classes if isinstance(num_classes, int) else "+".join(map(str, num_classes)),
            "split": "val",
            "folds": folds or 1,
        }
        for trial in chosen
    ]
    return pd.DataFrame(rows, columns=["trial", "key", *ACCURACIES, *own, *COSTS, *SIGHT, *REFERENCE])


def front_text(table: pd.DataFrame) -> str:
    """The table for a terminal."""
    shown = table.assign(
        **{name: table[name].map("{:.4f}".format) for name in table.columns if name in ACCURACIES or name.startswith("iou ")},
        params=table["params"].map("{:,}".format),
        macs=table["macs"].map(lambda n: f"{n / 1e6:,.2f}M"),
        memory=table["memory"].map(lambda n: f"{n / 1024:,.0f}K"),
        receptive_field=[str(ReceptiveField(*seen)) for seen in zip(*(table[name] for name in SIGHT), strict=True)],
    )
    return shown.drop(columns=["sees_whole_image", *REFERENCE]).to_string(index=False)
