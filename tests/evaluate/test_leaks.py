"""Which images were trained on: by name, in the set of the record, wherever its folder lies now."""

from types import SimpleNamespace

import pytest

from nas.data import Item
from nas.evaluate.leaks import leaks, trained_names, unseen
from nas.evaluate.trained import TrainingRecord, write_record
from tests.evaluate.test_trained import trained_set

ITEMS = tuple(map(Item, "abcd"))


@pytest.fixture
def folds(tmp_path):
    """Weights of two folds."""
    for fold, names in ((1, "ab"), (2, "bc")):
        own = trained_set("squares", location="/data/squares", train=tuple(names))
        write_record(tmp_path / f"fold-{fold}", TrainingRecord("m.py", "abc", ("best.safetensors",), (own,)))
    return [tmp_path / f"fold-{fold}" / "best.safetensors" for fold in (1, 2)]


@pytest.mark.parametrize("location", ["/data/squares", "/moved/squares", "/data/renamed"])
def test_a_set_that_moved_is_known(folds, location):
    data = SimpleNamespace(name=location.rpartition("/")[2], location=location)
    assert trained_names(folds[0], data) == (frozenset("ab") if location != "/data/renamed" else frozenset())


def test_an_ensemble_has_seen_what_any_of_it_has(folds, tmp_path):
    data = SimpleNamespace(name="squares", location="/data/squares")
    assert [item.name for item in unseen(folds, data, ITEMS)] == ["d"]
    assert [sentence.partition(" images")[0] for sentence in leaks(folds, data, ITEMS[:2])] == [
        f"{folds[0]} was trained on 2 of these 2",
        f"{folds[1]} was trained on 1 of these 2",
    ]
    assert unseen([tmp_path / "unknown.pt"], data, ITEMS) == ITEMS
    assert leaks([tmp_path / "unknown.pt"], data, ITEMS) == []
