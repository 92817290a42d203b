"""Writes trained networks of a study as model files that import torch alone."""

import argparse
import sys
from pathlib import Path

from nas.door import enter
from nas.export.study import export_trials
from nas.search import study_folder


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    made = argparse.ArgumentParser(prog="python -m nas.export", description="Writes trained networks of a study as standalone model files.")
    made.add_argument("--study", required=True, metavar="NAME", help="name of the study")
    made.add_argument("--trial", default="best", metavar="best|N|front", help="which trained trials (default %(default)s)")
    made.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (default: exports/ in the study's folder)")
    made.add_argument("--storage", metavar="URL", help="Optuna storage (default: SQLite at studies/<name>/study.db)")
    made.add_argument("--home", type=Path, default=Path(), metavar="DIR", help="folder in which studies/ lies (default: where you stand)")
    return made


def main() -> int:
    """Parses, exports, prints."""
    flags = parser().parse_args()
    folder = study_folder(flags.home, flags.study)
    out = flags.out or folder.root / "exports" / flags.trial
    for path in export_trials(flags.study, folder.storage_url(flags.storage), flags.trial, out):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(enter(main))
