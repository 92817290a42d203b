"""Searches the best networks under a cap on parameters, and exports the best."""

import sys
from shlex import quote

import pandas as pd

from nas.door import INTERRUPTED, enter
from nas.export import export_trials
from nas.search.display.front import front_text
from nas.search.display.note import measured_on
from nas.search.display.progress import duration, for_terminal
from nas.search.dry_run import dry_run
from nas.search.finals.values import fresh, with_spread
from nas.search.options import config_of, parse
from nas.search.run import SearchResult, run_search
from nas.search.storage.database import shown_url


def main() -> int:
    """Parses, searches, exports, prints."""
    flags = parse()
    config = config_of(flags)
    if flags.dry_run:
        print(dry_run(config))
        return 0
    result = run_search(config, for_terminal(quiet=flags.quiet, verbose=flags.verbose))
    try:
        if len(result.front):
            export_trials(result.study, result.storage, "best", result.folder.best, result.folder)
    finally:
        # Whatever the export meets, the person sees what the search found.
        print(report(result))
    return INTERRUPTED if result.outcome == "interrupted" else 0


def report(result: SearchResult) -> str:
    """What a search ends with: why it ended, the front, where everything lies, and what to do next."""
    ended = {
        "complete": "The study is complete",
        "exhausted": "The space is exhausted: 1,000 draws in a row gave no new network that fits",
        "interrupted": "Interrupted; the same command goes on from here",
        "timeout": "The time is up; the same command goes on from here",
    }[result.outcome]
    counts = result.counts
    lines = [
        "",
        f"{ended}. {result.trials} trained networks; {counts.duplicates} draws of known ones and {counts.misfits} that could not fit were "
        "not trained.",
        f"This run took {duration(result.seconds)}; overhead {100 * result.overhead:.1f} % of the time of {result.workers} "
        f"worker{'s' if result.workers != 1 else ''} was not training or validation.",
        "",
    ]
    if not len(result.front):
        return "\n".join([*lines, "No network was trained, so there is no front yet."])
    folder = result.folder
    return "\n".join(
        [
            *lines,
            f"Pareto front, measured on {measured_on(result.folds)} at {result.front['image_size'][0]}; the test split was not read:",
            front_text(result.front),
            "",
            f"best     {folder.best / 'model.py'}   ({_best(result.front)})",
            f"front    {folder.front}",
            f"config   {folder.config}",
            f"storage  {shown_url(result.storage)}",
            "",
            f"Look:    optuna-dashboard {quote(shown_url(result.storage))} --artifact-dir {quote(str(folder.artifacts))}",
            f"Export:  python -m nas.export --study {quote(result.study)} --trial front --out models{_place(result)}",
            f"Check:   python {quote(str(folder.best / 'model.py'))}",
        ]
    )


def _best(front: pd.DataFrame) -> str:
    """What the first row was chosen by."""
    first = front.iloc[0]
    if not first["final_seeds"]:
        return f"highest validation IoU, {first['iou']:.4f}"
    gap = first["iou"] - first["final_iou"]
    return (
        f"best by its mean validation IoU over {fresh(first['final_seeds'])}, "
        f"{with_spread(first['final_iou'], first['final_spread'])}; {abs(gap):.4f} "
        f"{'below' if gap >= 0 else 'above'} the {first['iou']:.4f} of the search"
    )


def _place(result: SearchResult) -> str:
    """The flags without which the export would look elsewhere."""
    home = str(result.folder.root.parent.parent)
    flags = "" if home == "." else f" --home {quote(home)}"
    return flags if result.storage == result.folder.storage_url(None) else f"{flags} --storage {quote(shown_url(result.storage))}"


if __name__ == "__main__":
    sys.exit(enter(main))
