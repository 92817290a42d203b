"""CrackForest: 118 annotated photographs of asphalt (Shi et al., "Automatic Road Crack Detection Using ...", IEEE T-ITS 2016).

`image/NNN.jpg` and `groundTruth/NNN.mat`. The archive also holds images without truth, which are no items. The truth is a map of
regions, not of classes: 1 is pavement, 2 crack, 3 pavement enclosed by a loop of cracks (up to 30 % of an image), 4 thin separate
cracks. So `> 1` is badly wrong, and `== 2` loses pixels.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from nas.data.dataset import SPLITS, DataSet, FileDataSet, Item
from nas.data.images import BadFileError, Bytes
from nas.data.layout import Layout
from nas.data.split import split_names, split_words

CRACK_REGIONS = (2, 4)


@final
@dataclass(frozen=True)
class CrackForest(FileDataSet):
    """A folder in CrackForest's layout; classes are background and crack."""

    def read_mask_file(self, path: Path) -> Bytes:
        """See `FileDataSet.read_mask_file`."""
        regions = _regions(path)
        if regions.ndim != 2:
            raise BadFileError(f"{path}: groundTruth.Segmentation has {regions.ndim} dimensions; expected a map of regions, H x W")
        return np.isin(regions, CRACK_REGIONS).astype(np.uint8)

    def mask_size(self, item: Item) -> tuple[int, int]:
        """See `DataSet.mask_size`; a MATLAB file is read whole."""
        return DataSet.mask_size(self, item)


def recognise(path: Path) -> bool:
    """Whether `path` holds `image/*.jpg` and `groundTruth/*.mat`."""
    return (path / "image").is_dir() and any((path / "groundTruth").glob("*.mat"))


def open_cfd(path: Path, split_seed: int = 0) -> CrackForest:
    """Opens a folder in CrackForest's layout.

    Args:
        path: The folder that holds `image/` and `groundTruth/`.
        split_seed: Seed of the split by hash; there is no official one.

    Returns:
        The set, with every image that has a truth.
    """
    truths = {file.stem: file for file in sorted((path / "groundTruth").glob("*.mat"))}
    images = {file.stem: file for file in sorted((path / "image").iterdir()) if file.suffix.lower() in (".jpg", ".png", ".bmp")}
    items = {stem: Item(stem, images[stem], truths[stem]) for stem in truths if stem in images}
    orphans = tuple(f"{truths[stem]}: a truth without image; expected image/{stem}.jpg" for stem in truths if stem not in images)
    parts = split_names(tuple(items), split_seed)
    return CrackForest(
        name=path.resolve().name,
        classes=("background", "crack"),
        splits={split: tuple(items[name] for name in part) for split, part in zip(SPLITS, parts, strict=True)},
        split_source=split_words(split_seed),
        layout=LAYOUT.name,
        location=str(path.resolve()),
        problems=orphans,
        own_split=False,
        own_test=False,
    )


def _regions(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """The map of regions in one truth file."""
    from scipy.io import loadmat  # 0.2 s to import, and only this layout needs it

    try:
        return np.asarray(loadmat(path)["groundTruth"]["Segmentation"][0, 0])
    # scipy's reader of broken files raises nearly anything: OSError, ValueError, MatReadError, zlib.error, ...
    except Exception as error:
        empty = path.is_file() and path.stat().st_size == 0
        reason = "the file is empty" if empty else f"cannot be read ({type(error).__name__}: {error})"
        raise BadFileError(f"{path}: {reason}; expected a MATLAB file with groundTruth.Segmentation") from error


LAYOUT = Layout("CrackForest", "image/NNN.jpg and groundTruth/NNN.mat", recognise, open_cfd)
