"""ETIS-LaribPolypDB: 196 images of polyps (Silva et al., "Toward embedded detection of polyps in WCE images ...", IJCARS 2014).

The original archive: `ETIS-LaribPolypDB/N.tif` and `Ground Truth/pN.tif`, one folder beside the other or within it. The copy that came
with PraNet (`images/N.png`, `masks/N.png`) is a plain folder of images and masks and needs nothing of its own.
"""

from pathlib import Path

from nas.data.dataset import SPLITS, BinaryFileDataSet
from nas.data.layout import Layout
from nas.data.layouts.listing import deal, pair_up
from nas.data.split import split_names, split_words

NAME = "ETIS-LaribPolypDB"
TRUTHS = ("Ground Truth", "GroundTruth", "Ground_Truth")
SUFFIXES = (".tif", ".tiff")


def recognise(path: Path) -> bool:
    """Whether `path` holds `N.tif` and `Ground Truth/pN.tif`, in one of the archive's nestings."""
    return _folders(path) is not None


def open_etis(path: Path, split_seed: int = 0) -> BinaryFileDataSet:
    """Opens a folder in the layout of ETIS-LaribPolypDB's archive.

    Args:
        path: The folder that holds the images' and the truths' folder, or both kinds of files.
        split_seed: Seed of the split by hash; there is no official one.

    Returns:
        The set.
    """
    folders = _folders(path)
    images, truths = (_tiffs(folder) for folder in folders) if folders else ({}, {})
    problems: list[str] = []
    items = {item.name: item for item in pair_up(images, {stem.removeprefix("p"): file for stem, file in truths.items()}, "", problems)}
    return BinaryFileDataSet(
        name=NAME,
        classes=("background", "polyp"),
        splits=deal(items, SPLITS, split_names(tuple(items), split_seed)),
        split_source=split_words(split_seed),
        layout=LAYOUT.name,
        location=str(path.resolve()),
        problems=tuple(problems),
        own_split=False,
        own_test=False,
    )


def _folders(path: Path) -> tuple[Path, Path] | None:
    """The folder of images and that of truths."""
    for root in (path, path / NAME):
        for truths in (root / name for name in TRUTHS):
            if any(stem.startswith("p") for stem in _tiffs(truths)):
                for images in (root / NAME, root):
                    if _tiffs(images):
                        return images, truths
    return None


def _tiffs(folder: Path) -> dict[str, Path]:
    """The TIFF files of a folder by their name without suffix; none where there is no such folder."""
    return {file.stem: file for file in sorted(folder.glob("*")) if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")}


LAYOUT = Layout("etis", "ETIS-LaribPolypDB/N.tif and Ground Truth/pN.tif", recognise, open_etis)
