"""A recorded split is the split."""

import pytest

from nas.data import is_record_of, item_names, open_synthetic, with_recorded_split
from nas.errors import UserError


@pytest.fixture(scope="module")
def data():
    return open_synthetic("blobs")


def moved(data):
    """The record in which one image changes sides."""
    names = item_names(data)
    names["val"].append(names["train"].pop())
    return names


def test_the_same_split_changes_nothing(data):
    assert with_recorded_split(data, item_names(data)) is data


def test_a_record_moves_images(data):
    there = with_recorded_split(data, moved(data))
    assert item_names(there) == moved(data)
    assert "recorded" in there.split_source
    assert there.fingerprint() != data.fingerprint()


def test_other_data_keep_their_own(data):
    assert with_recorded_split(data, {"train": ["somebody/else"], "val": ["somebody/too"]}) is data


def test_a_record_is_of_data_that_share_a_name(data):
    assert is_record_of({"val": ["somebody/else", item_names(data)["test"][0]]}, data)
    assert not is_record_of({"val": ["somebody/else"]}, data)


def test_newer_images_are_left_out_in_words(data):
    names = moved(data)
    gone = names["test"].pop()
    there = with_recorded_split(data, names)
    assert gone not in {item.name for items in there.splits.values() for item in items}
    assert "1 newer images left out" in there.split_source


def test_images_that_are_gone_are_named(data):
    names = moved(data)
    names["train"].append("a/lost/one")
    with pytest.raises(UserError, match=r"lacks 1 of the \d+ images.*'a/lost/one'.*--new-split"):
        with_recorded_split(data, names)
