"""Checks data sets: what is there, what is wrong, what would spoil results; draws a contact sheet of each."""

import argparse
import re
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from nas.data import LAYOUTS, DataSet, keep_out, look_at, open_data
from nas.data.contact_sheet import contact_sheet
from nas.data.report import findings, heading, verdict
from nas.data.synthetic import KINDS
from nas.door import MISTAKE, enter
from nas.errors import UserError
from nas.files import write_bytes


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    made = argparse.ArgumentParser(prog="python -m nas.data", description="Lists the layouts of data sets, and checks sets.")
    commands = made.add_subparsers(dest="command", metavar="check")
    text = (
        "Reads every image and mask of training and validation once and says what is there, what is wrong and what would spoil results. "
        "Of test images the pixels are read to find copies of them in other splits, and shown on the sheet; their masks are not. Ends with "
        "2 where training would be wrong, with 0 where there are warnings at most."
    )
    checked = commands.add_parser("check", help="look at data sets before a search", description=text)
    checked.add_argument("paths", nargs="+", metavar="PATH", help="folder of a data set, or synthetic[:KIND]")
    checked.add_argument("--layout", metavar="NAME", help="layout of the data, where looking finds another one")
    checked.add_argument("--channels", type=int, metavar="N", help="channels of the images, as a search has it (default 3)")
    checked.add_argument(
        "--split-seed",
        type=int,
        default=0,
        metavar="N",
        help="of a split that the data leave open (default %(default)s, as a search has it)",
    )
    checked.add_argument("--out", type=Path, metavar="FILE", help="where the contact sheet goes (default data_check_NAME.png, here)")
    return made


def main() -> int:
    """Parses and does what the command says."""
    flags = parser().parse_args()
    if flags.command is None:
        print(listing())
        return 0
    opened, faulty = [], False
    for path in flags.paths:
        try:
            opened.append(open_data(path, flags.split_seed, flags.layout, flags.channels))
        except UserError as error:
            if len(flags.paths) == 1:
                raise
            print(f"error: {error}", file=sys.stderr)
            faulty = True
    for data, sheet in zip(opened, sheet_files(opened, flags.paths, flags.out), strict=True):
        faulty = not check(data, sheet) or faulty
    return MISTAKE if faulty else 0


def listing() -> str:
    """The layouts that are recognised, and the built-in sets."""
    layouts = [f"  {layout.name:<12} {layout.shape}" for layout in LAYOUTS]
    kinds = ", ".join(["synthetic", *(f"synthetic:{kind.name}" for kind in KINDS)])
    return "\n".join(["Layouts of data sets:", *layouts, f"Built in: {kinds}", "python -m nas.data check PATH looks at a set."])


def check(data: DataSet, sheet: Path) -> bool:
    """Prints all about a set and writes its contact sheet; whether training on it would be right."""
    print(heading(data), flush=True)
    report = look_at(data, compare=True)
    print(findings(data, report))
    if any(data.splits.values()):
        write_bytes(sheet, contact_sheet(data))
        print(f"  {'sheet':<14}{sheet}")
    print(f"  => {verdict(report)}\n", flush=True)
    return not report.problems


def sheet_files(sets: Sequence[DataSet], asked: Sequence[str], out: Path | None) -> list[Path]:
    """Where the contact sheet of each set goes.

    Args:
        sets: The sets that could be opened.
        asked: All paths that were given.
        out: As given; None for a name in the current folder.

    Raises:
        UserError: If one file is named for several sheets, is no PNG, or lies in a data set's folder.
    """
    if out is not None and len(asked) > 1:
        raise UserError(f"--out names one file, and {len(asked)} sets make as many sheets: leave --out out, or check one set at a time")
    if out is not None and (out.suffix.lower() != ".png" or out.is_dir()):
        raise UserError(f"{out}: the contact sheet is a PNG file: give a name that ends in .png")
    files: list[Path] = []
    for data in sets:
        stem = "data_check_" + re.sub(r"[^\w.-]+", "-", data.name)
        names = (Path(f"{stem}{'' if number == 1 else f'-{number}'}.png") for number in count(1))
        files.append(out or next(name for name in names if name not in files))
    for file in files:
        keep_out(file, (*asked, *(data.location for data in sets)), "--out FILE")
    return files


if __name__ == "__main__":
    sys.exit(enter(main))
