"""A split that was written down: whoever trains or measures an exported network later has the images where the search had them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nas.data.dataset import SPLITS, DataSet
from nas.errors import UserError


def item_names(data: DataSet, splits: Sequence[str] = SPLITS) -> dict[str, list[str]]:
    """Names of the items of each split, for the record."""
    return {split: [item.name for item in data.splits[split]] for split in splits}


def is_record_of(recorded: Mapping[str, Sequence[str]], data: DataSet) -> bool:
    """Whether a record is of this data set: they have the name of an image in common."""
    names = {item.name for split in SPLITS for item in data.splits[split]}
    return any(name in names for split in SPLITS for name in recorded.get(split, ()))


def gone_images(data: DataSet, recorded: Mapping[str, Sequence[str]]) -> str:
    """Which images of a record a data set lacks, in words; empty where it lacks none."""
    names = {item.name for split in SPLITS for item in data.splits[split]}
    wanted = [name for split in SPLITS for name in recorded.get(split, ())]
    gone = [name for name in wanted if name not in names]
    return f"{data.location} lacks {len(gone)} of the {len(wanted)} images of the recorded split, {gone[0]!r} for one" if gone else ""


def with_recorded_split(data: DataSet, recorded: Mapping[str, Sequence[str]]) -> DataSet:
    """A data set in the split of a record.

    Args:
        data: The set as it is now.
        recorded: Names of the items of each split.

    Returns:
        The set itself where the record is of other data (no name in common) or says the same; else the set in the record's split. Images
        that the record does not know, which came later, are left out: to train on one might be to train on a copy of a test image.

    Raises:
        UserError: Images of the record are gone.
    """
    items = {item.name: item for split in SPLITS for item in data.splits[split]}
    wanted = [name for split in SPLITS for name in recorded.get(split, ())]
    if not is_record_of(recorded, data) or item_names(data) == {split: list(recorded.get(split, ())) for split in SPLITS}:
        return data
    if gone := gone_images(data, recorded):
        raise UserError(f"{gone}: put them back, or give --new-split to deal the images anew")
    splits = {split: tuple(items[name] for name in recorded.get(split, ())) for split in SPLITS}
    left_out = len(items) - len(wanted)
    words = f"as recorded beside the model ({left_out} newer images left out)" if left_out else "as recorded beside the model"
    return replace(data, splits=splits, split_source=words, own_split=True, own_test=True)
