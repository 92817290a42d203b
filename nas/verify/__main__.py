"""Checks a model file as a size-capped competition would at hand-in: exit code 0 where it passes, 1 where it does not."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from nas.data import DataSet, keep_out
from nas.door import enter
from nas.errors import UserError
from nas.evaluate.domains import domains_of, head_of
from nas.evaluate.performance import Performance, measure_performance
from nas.evaluate.recorded import open_recorded, recorded_set
from nas.files import write_text
from nas.flags import count
from nas.machine import available_cores
from nas.model_code import ModelCode, load_model_code
from nas.verify.checks import LARGEST, Case, Finding, check_file, check_network
from nas.verify.hand_in import check_papers

FAILED = 1


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    made = argparse.ArgumentParser(
        prog="python -m nas.verify", description="Checks a model file for hand-in: size, imports, sizes and classes of the data, papers."
    )
    made.add_argument("model", metavar="MODEL", help="a model file; checking it runs its code")
    made.add_argument("--budget", type=count, required=True, metavar="N", help="most parameters (10000 or 10K)")
    made.add_argument("--data", action="append", metavar="PATH", help="data set that it must serve; again for more (default: the recorded)")
    made.add_argument("--layout", metavar="NAME", help="layout of the data, where looking finds another one")
    made.add_argument(
        "--domain",
        action="append",
        default=[],
        metavar="NAME",
        help="data set whose head answers for each --data, for a network with several (default: the ones that the data are)",
    )
    made.add_argument("--out", type=Path, metavar="FILE", help="the performance summary (default performance.md beside the model)")
    return made


def main() -> int:
    """Parses, checks, prints, writes the summary."""
    flags = parser().parse_args()
    path = Path(flags.model).expanduser()
    if not path.is_file():
        raise UserError(f"{flags.model}: a model file is needed, which is what is handed in")
    out = flags.out or path.parent / "performance.md"
    # Its text first: a package that is not installed ends the file, and is to be named as what may not be imported.
    findings = check_file(path)
    try:
        code = load_model_code(flags.model)
    except UserError as error:
        keep_out(out, flags.data or ())
        return told(out, flags.model, [], [*findings, Finding("opening", False, f"{error}. Mend what is named, and check again")])
    specs = flags.data or [str(one["location"]) for one in code.arguments.get("sets", ()) if "location" in one]
    if not specs:
        raise UserError(f"{flags.model} has no training_args.json beside it that names its data: give --data")
    # In whatever split: whether the images of the recorded one are there is a finding of the papers.
    sets = [open_recorded(spec, code, flags.layout, new_split=True) for spec in specs]
    keep_out(out, (data.location for data in sets))
    cases = [case_of(code, data, domain) for data, domain in zip(sets, domains_of(code, sets, flags.domain), strict=True)]
    findings += [*check_network(code, cases, flags.budget), *check_papers(code, sets)]
    return told(out, flags.model, summary(code, cases, flags.budget), findings)


def told(out: Path, model: str, lines: Sequence[str], findings: Sequence[Finding]) -> int:
    """Prints the findings and writes one page: what the network costs and reached, as `summary` says, and what was checked.

    Returns:
        The exit code.
    """
    for finding in findings:
        print(f"{'pass' if finding.passed else 'FAIL'}  {finding.what}: {finding.said}", flush=True)
    table = [f"| {one.what} | {'pass' if one.passed else 'FAIL'} | {' '.join(one.said.split())} |" for one in findings]
    write_text(out, "\n".join([f"# {model}", "", *lines, "## Checks", "", "| check | | |", "|---|---|---|", *table]) + "\n")
    failures = sum(not finding.passed for finding in findings)
    print(f"{'passed' if not failures else f'{failures} of {len(findings)} checks failed'}; performance summary: {out}")
    return FAILED if failures else 0


def case_of(code: ModelCode, data: DataSet, domain: str | None = None) -> Case:
    """What a data set asks of the network: its classes, channels, and the sizes that occur, the size of use among them."""
    recorded = recorded_set(code, domain or data.name)
    sizes = [data.mask_size(item) for split in ("train", "val") for item in data.splits[split]]
    chosen = [min(sizes, key=_area), max(sizes, key=_area)]
    if "image_size" in recorded:
        chosen.insert(0, (int(recorded["image_size"][0]), int(recorded["image_size"][1])))
    head = head_of(code, domain) if domain is not None else 0
    return Case(data.name, data.num_classes, data.channels, tuple(dict.fromkeys(_bounded(size) for size in chosen)), head)


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _bounded(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, (LARGEST / _area(size)) ** 0.5)
    return round(size[0] * scale), round(size[1] * scale)


def summary(code: ModelCode, cases: Sequence[Case], budget: int) -> list[str]:
    """What a network that could be opened costs and reached, as lines of Markdown."""
    lines = [f"Source {code.digest}; cap {budget:,} parameters.", "", "## Cost", ""]
    for case in cases:
        performance = _performance(code, case)
        lines.append(f"- {case.name}: {performance.describe() if performance else 'it cannot be built or run, see below'}")
    return [*lines, "", f"On a machine of {available_cores()} cores.", "", "## Accuracy", "", *accuracy(code), ""]


def _performance(code: ModelCode, case: Case) -> Performance | None:
    try:
        model = code.build(case.channels, code.built_for(case.num_classes))
        return measure_performance(model, (case.channels, *case.sizes[0]), domain=case.domain if code.joint else None)
    # A network that is wrong may raise anything; the checks say what.
    except Exception:
        return None


def accuracy(code: ModelCode) -> list[str]:
    """What the search measured, from the arguments file."""
    final = code.arguments.get("final")
    lines = [
        f"- {one['name']}: validation IoU {one['validation_iou']:.4f} in the search, at {one['image_size'][0]}x{one['image_size'][1]}"
        for one in code.arguments.get("sets", ())
        if _is_number(one.get("validation_iou")) and {"name", "image_size"} <= one.keys()
    ]
    entries = [entry for entry in final if isinstance(entry, dict)] if isinstance(final, list) else []
    if ious := [entry["iou"] for entry in entries if _is_number(entry.get("iou"))]:
        lines.append(f"- {len(ious)} trainings with fresh seeds: {', '.join(f'{iou:.4f}' for iou in ious)}")
    return lines or ["- nothing is recorded beside the model file"]


def _is_number(value: object) -> bool:
    """Whether what stands in a file that anybody may edit is one."""
    return isinstance(value, int | float)


if __name__ == "__main__":
    sys.exit(enter(main))
