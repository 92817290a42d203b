"""The Pareto front of a study as a table."""

from collections.abc import Sequence
from itertools import takewhile

import numpy as np
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from nas.pareto import non_dominated
from nas.receptive_field import ReceptiveField
from nas.search.finals.values import Final, Finals, with_spread
from nas.search.objectives import ACCURACIES, to_minimise
from nas.topology import NumClasses

COSTS = ("params", "macs", "memory")
SIGHT = ("receptive_field", "sees_whole_image")
FINAL = ("final_iou", "final_spread", "final_seeds")
REFERENCE = ("image_size", "num_classes", "split", "folds")
"""Columns that say what the others refer to, alike in all rows: a terminal's table says them above it."""


def front_trials(trials: Sequence[FrozenTrial], objectives: Sequence[str], finals: Finals | None = None) -> list[FrozenTrial]:
    """The complete trials that no other dominates, best first.

    By the IoU of the search, but for the finalists at the top: these are ordered by their mean IoU over fresh seeds, without those that
    another dominates by such means. A mean is not held against a search value, which is the higher of the two for who was chosen by it: a
    finalist behind a network that was found since has its place by the IoU of the search, until that one has been a finalist too.

    Args:
        trials: Of a study.
        objectives: Names.
        finals: Final values, where there are any.
    """
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and "genome" in trial.user_attrs]
    front = _undominated(complete, [to_minimise(objectives, trial.values) for trial in complete])
    front.sort(key=lambda trial: (-trial.user_attrs["iou"], trial.number))
    return front if finals is None else _settled(front, complete, objectives, finals)


def _settled(front: list[FrozenTrial], complete: list[FrozenTrial], objectives: Sequence[str], finals: Finals) -> list[FrozenTrial]:
    """The front with the finalists at its top in the order of their means."""
    values = finals.values
    top = list(takewhile(lambda trial: _key(trial) in values.keys() | finals.finalists, front))
    rivals = [trial for trial in top if _key(trial) in values]
    if finals.finalists <= set(map(_key, top)):
        # Nothing has come between them since. A finalist of an earlier round may be better by such means than what replaced it.
        elsewhere = values.keys() - set(map(_key, front))
        rivals += [trial for trial in complete if _key(trial) in elsewhere]
    ranked = set(map(_key, rivals))
    best = _undominated(rivals, [values[_key(trial)].minimised(objectives, trial.user_attrs) for trial in rivals])
    best.sort(key=lambda trial: (-values[_key(trial)].mean("iou"), trial.number))
    return [*best, *(trial for trial in front if _key(trial) not in ranked)]


def _key(trial: FrozenTrial) -> str:
    """Of its genome; no two trials share one."""
    return str(trial.user_attrs["key"])


def _undominated(trials: Sequence[FrozenTrial], values: Sequence[Sequence[float]]) -> list[FrozenTrial]:
    if not trials:
        return []
    return [trial for trial, keep in zip(trials, non_dominated(np.array(values)), strict=True) if keep]


def front_table(
    trials: Sequence[FrozenTrial],
    objectives: Sequence[str],
    image_size: Sequence[int],
    num_classes: NumClasses,
    folds: int | None = None,
    finals: Finals | None = None,
) -> pd.DataFrame:
    """The front as a table.

    Args:
        trials: Of a study.
        objectives: Names.
        image_size: Height and width that costs refer to.
        num_classes: Logits.
        folds: Of the search; None without.
        finals: Final values, where there are any.

    Returns:
        One row a trial of the front: number, key, final IoU (mean and standard deviation over how many seeds; empty for who was no
        finalist), accuracies of the search (means over sets, IoU on each of several), costs, and what these refer to: image size, classes,
        `split` ("val": a search reads no test image) and `folds`, the validation parts in one confusion matrix (1 where val is validated on
        as it is).
    """
    known = finals or Finals()
    chosen = front_trials(trials, objectives, known)
    sets = list(dict.fromkeys(name for trial in chosen for name in trial.user_attrs["iou_per_set"]))
    own = {f"iou {name}": name for name in sets} if len(sets) > 1 else {}
    rows = [
        {
            "trial": trial.number,
            "key": trial.user_attrs["key"],
            **_final(known.get(trial.user_attrs["key"])),
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
    return pd.DataFrame(rows, columns=["trial", "key", *FINAL, *ACCURACIES, *own, *COSTS, *SIGHT, *REFERENCE])


def _final(final: Final | None) -> dict[str, float | int | None]:
    found = (None, None, 0) if final is None else (final.mean("iou"), final.spread("iou"), len(final.entries))
    return dict(zip(FINAL, found, strict=True))


def front_text(table: pd.DataFrame) -> str:
    """The table for a terminal."""
    shown = table.assign(
        **{name: table[name].map("{:.4f}".format) for name in table.columns if name in ACCURACIES or name.startswith("iou ")},
        final_iou=[
            with_spread(mean, spread) if seeds else "-" for mean, spread, seeds in zip(*(table[name] for name in FINAL), strict=True)
        ],
        params=table["params"].map("{:,}".format),
        macs=table["macs"].map(lambda n: f"{n / 1e6:,.2f}M"),
        memory=table["memory"].map(lambda n: f"{n / 1024:,.0f}K"),
        receptive_field=[str(ReceptiveField(*seen)) for seen in zip(*(table[name] for name in SIGHT), strict=True)],
    )
    hidden = ["final_spread", "final_seeds", "sees_whole_image", *REFERENCE]
    if not table["final_seeds"].any():
        hidden.append("final_iou")
    return shown.drop(columns=hidden).to_string(index=False)
