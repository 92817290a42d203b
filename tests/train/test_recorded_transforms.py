"""Transforms are those of the search: from the study's folder, where they were read, or not at all."""

import shutil
from pathlib import Path

import pytest

from nas.data import load_recipe, transforms
from nas.errors import UserError
from nas.model_code import ModelCode
from nas.python_file import digest_of
from nas.train.recorded_transforms import recorded_transforms


@pytest.fixture
def study(tmp_path):
    """A study with edited transforms: their file, the copy of it, and the code of its network."""
    mine, copy = tmp_path / "mine.py", tmp_path / "study" / "transforms.py"
    copy.parent.mkdir()
    mine.write_text(Path(transforms.__file__).read_text().replace("FLIP = 0.5", "FLIP = 0.0"))
    shutil.copy(mine, copy)
    return mine, copy, coded(copy, load_recipe(mine).document())


def coded(copy, document):
    return ModelCode("model.py", lambda: None, copy.parent / "best" / "model.py", arguments={"transforms": {**document, "copy": str(copy)}})


def test_edited_ones_are_found_in_either_place(study):
    mine, copy, code = study
    assert recorded_transforms(code).path == copy
    copy.unlink()
    assert recorded_transforms(code).path == mine
    assert not recorded_transforms(code).built_in


def test_a_study_that_moved_has_its_copy(study, tmp_path):
    mine, copy, code = study
    mine.unlink()
    copy.parent.rename(tmp_path / "moved")
    moved = ModelCode("model.py", code.make, tmp_path / "moved" / "best" / "model.py", arguments=code.arguments)
    assert recorded_transforms(moved).path == tmp_path / "moved" / "transforms.py"


def test_changed_and_gone_ones_are_refused(study):
    mine, copy, code = study
    mine.write_text("raise SystemExit")
    copy.unlink()
    with pytest.raises(UserError, match=r"transforms\.py is gone, .*mine\.py is another file now.*--transforms FILE"):
        recorded_transforms(code)


def test_the_built_in_ones(study):
    _, copy, _ = study
    for arguments in ({}, {"transforms": None}, {"transforms": load_recipe().document()}):
        assert recorded_transforms(ModelCode("model.py", lambda: None, arguments=arguments)).built_in
    document = {"file": "gone.py", "description": "an earlier version", "sha256": digest_of(b"an earlier version")}
    with pytest.raises(UserError, match="another file now"):
        recorded_transforms(coded(copy, document))
    copy.write_text(copy.read_text() + '\nDESCRIPTION = "an earlier version"\n')
    assert recorded_transforms(coded(copy, document)).path == copy
