"""CarDD's binary form: car damage or not (Wang et al., "CarDD: A New Dataset for Vision-Based Car Damage Detection", T-ITS 2023).

`CarDD_SOD/CarDD-{TR,VAL,TE}/CarDD-*-{Image,Mask}`, masks of 0 and 255. A release holds it beside `CarDD_COCO`, which is taken first:
point to `CarDD_SOD`, or name this layout.
"""

from pathlib import Path

from nas.data.dataset import SPLITS, BinaryFileDataSet, Item
from nas.data.images import IMAGE_SUFFIXES, MASK_SUFFIXES
from nas.data.layout import Layout
from nas.data.layouts.listing import NO_TEST, by_stem, cut_validation, pair_up

PARTS = {"train": "TR", "val": "VAL", "test": "TE"}
PLACES = (".", "CarDD_SOD", "CarDD_release/CarDD_SOD", "CarDD_release/CarDD_release/CarDD_SOD")


def recognise(path: Path) -> bool:
    """Whether `path` is `CarDD_SOD`, or holds it, maybe within a release's folders."""
    return _root(path) is not None


def open_cardd_sod(path: Path, split_seed: int = 0) -> BinaryFileDataSet:
    """Opens a folder in the layout of CarDD's binary form.

    Args:
        path: `CarDD_SOD`, or a folder that holds it.
        split_seed: Seed of the cut by hash where `CarDD-VAL` is missing.

    Returns:
        The set, split as the folders say; a test folder without masks is left out.
    """
    root = (_root(path) or path).resolve()
    problems: list[str] = []
    splits = {split: _part(root, split, problems) for split in SPLITS}
    source = "folders"
    validated = _folder(root, "val", "Image").is_dir()
    if not validated:
        splits, source = cut_validation(splits, source, split_seed)
    return BinaryFileDataSet(
        name=root.name,
        classes=("background", "damage"),
        splits=splits,
        split_source=source if splits["test"] else f"{source}; {NO_TEST}",
        layout=LAYOUT.name,
        location=str(root),
        problems=tuple(problems),
        own_split=validated,
    )


def _part(root: Path, split: str, problems: list[str]) -> tuple[Item, ...]:
    images, masks = _folder(root, split, "Image"), _folder(root, split, "Mask")
    if split == "test" and not masks.is_dir():
        return ()
    return pair_up(by_stem(images, IMAGE_SUFFIXES, problems), by_stem(masks, MASK_SUFFIXES, problems), f"{split}/", problems)


def _folder(root: Path, split: str, kind: str) -> Path:
    part = f"CarDD-{PARTS[split]}"
    return root / part / f"{part}-{kind}"


def _root(path: Path) -> Path | None:
    roots = (path / place for place in PLACES)
    return next((root for root in roots if all(_folder(root, "train", kind).is_dir() for kind in ("Image", "Mask"))), None)


LAYOUT = Layout("cardd-sod", "CarDD_SOD/CarDD-{TR,VAL,TE}/CarDD-*-{Image,Mask}", recognise, open_cardd_sod)
