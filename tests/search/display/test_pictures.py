"""Every trial has a drawing of its architecture, where Optuna and its dashboard look for artifacts."""

import json
import re

from optuna.artifacts import get_all_artifact_meta
from optuna_dashboard._note import get_note_from_system_attrs

from nas.search import opened_study
from nas.search.display.pictures import NAME


def test_every_trial_has_its_drawing_in_its_note(finished):
    config, result = finished
    folder = config.home / "studies" / result.study / "artifacts"
    with opened_study(result.study, result.storage) as stored:
        trials, study_id = stored.trials(), stored.id
        attrs = stored.storage.get_study_system_attrs(study_id)
        notes = [get_note_from_system_attrs(attrs, trial._trial_id)["body"] for trial in trials]
        artifacts = [get_all_artifact_meta(trial, storage=stored.storage) for trial in trials]
    assert trials
    for trial, note, kept in zip(trials, notes, artifacts, strict=True):
        (meta,) = [one for one in kept if one.filename == NAME]
        drawn = (folder / meta.artifact_id).read_text(encoding="utf-8")
        assert meta.mimetype == "image/svg+xml"
        assert f"<title>{trial.user_attrs['key']}: {trial.user_attrs['params']:,} parameters" in drawn
        found = re.findall(r"!\[[^\]]*\]\(/artifacts/(\d+)/(\d+)/([0-9a-f-]+)\)", note)
        assert found == [(str(study_id), str(trial._trial_id), meta.artifact_id)]
        assert json.loads(trial.system_attrs[f"artifacts:{meta.artifact_id}"])["filename"] == NAME
