"""Final trainings: fresh seeds settle who is best, and the weights are kept."""

import math

import pandas as pd
import pytest
import torch
from optuna.trial import TrialState, create_trial

from nas.data import open_bank
from nas.evaluate import evaluate
from nas.export import export_trials
from nas.proxy import job as job_room
from nas.search import opened_study, run_search
from nas.search.finals import prediction_sheet
from nas.search.finals.training import FinalRound
from nas.search.finals.values import CompleteRound, Final, best_weights, fresh, with_spread
from nas.space.load import built_in_folder
from tests.export.test_export import load


def trial(number, iou, macs):
    attrs = {"key": f"k{number}", "genome": "{}", "iou": iou, "miou": iou, "dice": iou, "params": 1, "macs": macs, "memory": 1}
    return create_trial(state=TrialState.COMPLETE, values=[iou, macs], user_attrs=attrs)


def final(*ious):
    return Final(tuple({"seed": seed, "epochs": None, "iou": iou, "miou": iou, "dice": iou} for seed, iou in enumerate(ious, start=1)))


def test_a_lone_seed_has_no_spread():
    assert final(0.5).spread("iou") is None
    assert (with_spread(0.5, None), with_spread(0.5, math.nan), fresh(1)) == ("0.5000", "0.5000", "1 fresh seed")
    assert final(0.4, 0.6).spread("iou") == pytest.approx(0.1414, abs=1e-4)
    assert (with_spread(0.5, 0.1414), fresh(2)) == ("0.5000 +- 0.1414", "2 fresh seeds")


def test_only_trainings_of_one_length_and_the_same_seeds_compare():
    def entries(*known):
        return [{"seed": seed, "epochs": epochs, "iou": iou} for seed, epochs, iou in known]

    stored = {
        "one": entries((1, None, 0.5), (2, None, 0.7), (1, 9, 0.9)),
        "more": entries((1, None, 0.4), (3, None, 0.9), (2, None, 0.6)),
        "half": entries((1, None, 0.4)),
        "long": entries((1, 9, 0.8), (2, 9, 0.8)),
    }
    finals = CompleteRound(["one", "half"], [1, 2], None).finals(stored)
    assert {key: round(one.mean("iou"), 6) for key, one in finals.values.items()} == {"one": 0.6, "more": 0.5}
    assert finals.finalists == {"one", "half"}
    assert CompleteRound(["long"], [1, 2], 9).finals(stored).values.keys() == {"long"}


def test_the_best_weights_are_those_of_the_best_training_that_has_some(tmp_path):
    entries = [{"seed": 1, "epochs": None, "iou": 0.5}, {"seed": 2, "epochs": None, "iou": 0.7}, {"seed": 2, "epochs": 9, "iou": 0.9}]
    assert best_weights(tmp_path, "k", entries) is None
    for expected in ("k-seed1.state", "k-seed2.state", "k-seed2-epochs9.state"):
        (tmp_path / expected).write_bytes(b"")
        assert best_weights(tmp_path, "k", entries) == tmp_path / expected


def test_finalists_are_trained_with_fresh_seeds(finished):
    config, result = finished
    with opened_study(result.study, result.storage) as stored:
        finals = stored.finals().values
        assert len(finals) == min(2, sum(one.state == TrialState.COMPLETE for one in stored.trials()))
        assert all([entry["seed"] for entry in one.entries] == [config.seed + 1, config.seed + 2] for one in finals.values())
    table = result.front
    assert table["final_seeds"].max() == 2
    ranked = table[table["final_seeds"] > 0]["final_iou"].tolist()
    assert ranked == sorted(ranked, reverse=True)
    pd.testing.assert_frame_equal(pd.read_csv(result.folder.front), table, check_dtype=False)


def test_the_best_comes_with_its_trained_weights(finished, tmp_path):
    from safetensors.torch import load_file

    _, result = finished
    (path,) = export_trials(result.study, result.storage, "best", tmp_path)
    module = load(path)
    model = module.build_model()
    model.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    (folder,) = (result.folder.root.parent / ".banks").glob("squares-*")
    with opened_study(result.study, result.storage) as stored:
        entries = stored.finals().values[result.front["key"][0]].entries
    assert evaluate(model, open_bank(folder), torch.device("cpu"), 2).mean_iou == pytest.approx(
        max(one["iou"] for one in entries), abs=1e-6
    )
    assert "safetensors.torch.load_file('weights.safetensors')" in module.__doc__
    assert "Trained again with 2 fresh seeds" in module.__doc__
    assert "safetensors" in (tmp_path / "requirements.txt").read_text()


def test_only_what_is_missing_is_trained_when_it_is_run_again(quick, monkeypatch):
    first = run_search(quick(finalists=1, final_seeds=1))
    trained = []
    real = FinalRound._settle

    def settle(self, one, answer, worker):
        trained.append(one.seed)
        real(self, one, answer, worker)

    monkeypatch.setattr(FinalRound, "_settle", settle)
    again = run_search(quick(finalists=1, final_seeds=2))
    assert trained == [2]
    assert again.front["final_seeds"][0] == 2
    assert len(list(first.folder.weights.glob("*.state"))) == 1
    longer = run_search(quick(finalists=1, final_seeds=1, final_epochs=3))
    assert trained == [2, 1]
    with opened_study(longer.study, longer.storage) as stored:
        assert [entry["epochs"] for entry in stored.finals().values[longer.front["key"][0]].entries] == [3]


def test_a_space_file_that_goes_under_way_costs_nothing(quick, tmp_path, monkeypatch):
    space, real = tmp_path / "own.py", job_room.train_rung
    space.write_text((built_in_folder() / "mobile.py").read_text())

    def train(*arguments):
        space.unlink(missing_ok=True)
        return real(*arguments)

    monkeypatch.setattr(job_room, "train_rung", train)
    result = run_search(quick(trials=1, epochs=1, space=str(space), finalists=1, final_seeds=1))
    assert result.front["final_seeds"][0] == 1
    assert "no sheet of predictions" not in result.folder.log.read_text()
    assert export_trials(result.study, result.storage, "best", tmp_path / "best")


def test_a_sheet_that_cannot_be_drawn_is_a_warning(quick, monkeypatch):
    def broken(*arguments):
        raise ValueError("no picture")

    monkeypatch.setattr(prediction_sheet, "prediction_sheet", broken)
    result = run_search(quick(trials=1, epochs=1, finalists=1, final_seeds=1))
    assert result.outcome == "complete"
    assert result.front["final_seeds"][0] == 1
    assert "no sheet of predictions for trial 0" in result.folder.log.read_text()


def test_finals_are_left_for_the_next_run_when_time_is_up(quick):
    folder = run_search(quick()).folder.weights
    folder.mkdir()
    half_written = folder / ".k0-seed1.state.x1y2"  # By a process that was killed in its final training.
    half_written.write_bytes(b"")
    late = run_search(quick(finalists=2, timeout=1e-9))
    assert not half_written.exists()
    assert late.outcome == "timeout"
    assert not late.front["final_seeds"].any()
    assert run_search(quick(finalists=2, final_seeds=1)).outcome == "complete"
