"""Trained weights beside a model file: those of its network, or none."""

import json

import pytest
from optuna.trial import TrialState

from nas.export import export_trials
from nas.export.weights import remove_weights_of_another
from nas.search import opened_study
from tests.search.conftest import finished, squares  # noqa: F401 - fixtures


def test_weights_of_the_network_before_do_not_stay_beside_the_next(finished, tmp_path):  # noqa: F811
    _, result = finished
    with opened_study(result.study, result.storage) as stored:
        finalists = stored.final_entries()
        other = next(
            one
            for one in stored.trials()
            if one.state in (TrialState.COMPLETE, TrialState.PRUNED) and one.user_attrs["key"] not in finalists
        )
    export_trials(result.study, result.storage, "best", tmp_path)
    assert (tmp_path / "weights.safetensors").is_file()
    export_trials(result.study, result.storage, str(other.number), tmp_path)
    assert not (tmp_path / "weights.safetensors").exists()
    assert "weights.safetensors" not in (tmp_path / "model.py").read_text()


@pytest.mark.parametrize("arguments", [json.dumps({"key": "same"}), "no JSON", "[]", None])
def test_weights_of_the_same_network_or_of_nobody_known_stay(tmp_path, arguments):
    if arguments is not None:
        (tmp_path / "training_args.json").write_text(arguments)
    names = {"weights.safetensors", "weights-cracks.safetensors"}
    for name in names:
        (tmp_path / name).write_bytes(b"")
    remove_weights_of_another(tmp_path, "same")
    assert names <= {path.name for path in tmp_path.iterdir()}


def test_only_weights_go(tmp_path):
    (tmp_path / "training_args.json").write_text(json.dumps({"key": "other"}))
    for name in ("weights.safetensors", "weights-cracks.safetensors", "best.safetensors"):
        (tmp_path / name).write_bytes(b"")
    remove_weights_of_another(tmp_path, "same")
    assert {path.name for path in tmp_path.iterdir()} == {"training_args.json", "best.safetensors"}
