"""Searches with a transforms file of one's own: what is recorded, and what a resume refuses."""

import json
import shutil
import subprocess
import sys

import pytest

from nas.data import transforms
from nas.errors import UserError
from nas.export import export_trials
from nas.search import run_search
from nas.search.dry_run import dry_run


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "my transforms.py"
    shutil.copy(transforms.__file__, file)
    file.write_text(file.read_text().replace("FLIP = 0.5", "FLIP = 0.1"))
    return file


def test_a_search_records_its_file(quick, own, tmp_path):
    result = run_search(quick(trials=1, transforms=str(own)))
    document = json.loads(result.folder.config.read_text())
    recorded = document["transforms"]
    assert document["config"]["transforms"] == recorded["file"] == str(own)
    assert document["settings"]["transforms"] == f"a file, sha256 {recorded['sha256']}"
    assert "flip x 0.1" in recorded["description"]
    assert result.folder.transforms.read_text() == own.read_text()
    export_trials(result.study, result.storage, "best", tmp_path / "best")
    arguments = json.loads((tmp_path / "best" / "training_args.json").read_text())
    assert arguments["transforms"] == {**recorded, "copy": str(result.folder.transforms)}


def test_a_resume_with_other_transforms_is_refused(quick, own):
    run_search(quick(trials=1, transforms=own))
    own.write_text(own.read_text().replace("FLIP = 0.1", "FLIP = 0.2"))
    with pytest.raises(UserError, match=r"begun with other settings: transforms is 'a file, sha256 .*', now 'a file, sha256 "):
        run_search(quick(trials=2, transforms=own))
    with pytest.raises(UserError, match="now 'built in, sha256 "):
        run_search(quick(trials=2))
    own.write_text(own.read_text().replace("FLIP = 0.2", "FLIP = 0.1"))
    assert run_search(quick(trials=2, transforms=own)).trials == 2


def test_a_file_that_does_not_work_begins_no_study(quick, own, tmp_path):
    text = own.read_text()
    own.write_text(text.replace("A.OneOf(crops, p=1),", ""))
    for attempt in (run_search, dry_run):
        with pytest.raises(UserError, match=r"gives the image as .*end with a crop"):
            attempt(quick(trials=1, transforms=own))
    assert not (tmp_path / "studies").exists()


def test_a_study_without_trials_takes_a_mended_file(quick, own, squares, monkeypatch):
    """Where the file fails on a later image, the study is there already, and empty."""
    import nas.search.plan

    def fail(*arguments, **named):
        raise UserError("this image fails")

    with monkeypatch.context() as patched:
        patched.setattr(nas.search.plan, "build_bank", fail)
        with pytest.raises(UserError, match="this image fails"):
            run_search(quick(trials=1, transforms=own))
    own.write_text(own.read_text() + "\n# mended\n")
    assert run_search(quick(trials=1, transforms=own)).trials == 1


def test_the_door_says_what_is_wrong(tmp_path, squares):
    file = tmp_path / "bad.py"
    file.write_text("import no_such_module\n")
    door = [sys.executable, "-m", "nas.search", "--data", str(squares), "--transforms", str(file), "--home", str(tmp_path)]
    done = subprocess.run(door, capture_output=True, text=True)
    assert done.returncode == 2
    assert "bad.py fails in line 1 with ModuleNotFoundError" in done.stderr
    assert "Traceback" not in done.stderr
