"""Folds: every image of train and val counts once in a candidate's IoU, and everything that is written says so."""

import json
from dataclasses import fields, replace

import optuna
import pandas as pd
import pytest
import torch
from optuna_dashboard import get_note

from nas.data import Bank, bank_bytes
from nas.errors import UserError
from nas.evaluate import Evaluation
from nas.export import export_trials
from nas.genome import genome_from_json
from nas.network import build_network
from nas.proxy.job import Workplace
from nas.proxy.training import ProxyResult, pooled, train_rung, trainings
from nas.search import SearchConfig, run_search
from nas.search.__main__ import report
from nas.search.dry_run import _steps, dry_run
from nas.search.plan import make_plan
from tests.search.conftest import write_set


@pytest.fixture(scope="module")
def folded(squares, tmp_path_factory):
    """A search over 3 folds of 18 images."""
    home = tmp_path_factory.mktemp("folds")
    config = SearchConfig(data=(str(squares),), trials=2, epochs=2, workers=0, device="cpu", home=home, study="folded", folds=3)
    return config, run_search(config)


def trials_of(result):
    return optuna.load_study(study_name=result.study, storage=result.storage).trials


def summed(evaluations):
    """By hand: matrices added cell by cell."""
    cells = [[sum(one.confusion[i][j] for one in evaluations) for j in range(2)] for i in range(2)]
    return Evaluation(tuple(map(tuple, cells)), evaluations[0].classes)


def test_iou_comes_from_one_confusion_matrix_of_all_folds(folded):
    config, result = folded
    plan = make_plan(config)
    trial = trials_of(result)[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        genome = genome_from_json(trial.user_attrs["genome"])
        lessons = [trainings(banks, [plan.sets[0].recipe], joint=False) for banks in plan.banks()]
        parts = [train_rung(genome, [own], "cpu")[0].evaluations["squares"] for own in lessons]
    finally:
        torch.set_num_threads(threads)
    whole = summed(parts)
    assert sum(map(sum, whole.confusion)) == 18 * 32 * 32
    assert trial.user_attrs["iou"] == trial.values[0] == whole.mean_iou
    assert (trial.user_attrs["miou"], trial.user_attrs["dice"]) == (whole.miou, whole.dice)
    assert trial.user_attrs["iou_per_fold"]["squares"] == [part.mean_iou for part in parts]


def test_curves_name_the_fold(folded):
    for trial in trials_of(folded[1]):
        curve = [point for entry in trial.user_attrs["rungs"] for point in entry["curve"]]
        curve.sort(key=lambda point: (point["fold"], point["epoch"]))
        assert [(point["fold"], point["epoch"]) for point in curve] == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
        assert [point["iou"] for point in curve if point["epoch"] == 2] == trial.user_attrs["iou_per_fold"]["squares"]


def test_all_that_is_written_says_so(folded, tmp_path):
    _, result = folded
    document = json.loads(result.folder.config.read_text())
    assert document["config"]["folds"] == document["settings"]["folds"] == 3
    split, folds = document["split"]["squares"], document["folds"]["squares"]
    assert sorted(name for fold in folds for name in fold["val"]) == sorted(split["train"] + split["val"])
    assert all(sorted(fold["train"] + fold["val"]) == sorted(split["train"] + split["val"]) for fold in folds)
    table = pd.read_csv(result.folder.front)
    assert (set(table["split"]), set(table["folds"])) == ({"val"}, {3})
    assert "measured on all images of train and val, each once in 3 folds at 32x32; the test split was not read" in report(result)
    (path,) = export_trials(result.study, result.storage, "best", tmp_path)
    assert "over all images of train and val, each once in 3 folds" in path.read_text()
    arguments = json.loads((tmp_path / "training_args.json").read_text())
    assert arguments["sets"][0]["folds"] == 3
    assert arguments["measured_on"] == "all images of train and val, each once in 3 folds"
    study = optuna.load_study(study_name=result.study, storage=result.storage)
    for trial in study.trials:
        note = get_note(type("Handle", (), {"storage": study._storage, "study": study, "_trial_id": trial._trial_id})())
        assert "Measured on all images of train and val, each once in 3 folds; the test split was not read." in note
        assert all(f"{iou:.4f}" in note for iou in trial.user_attrs["iou_per_fold"]["squares"])


def test_without_folds_nothing_speaks_of_them(finished, tmp_path):
    _, result = finished
    assert (set(result.front["split"]), set(result.front["folds"])) == ({"val"}, {1})
    assert "measured on the validation split at 32x32; the test split was not read" in report(result)
    assert json.loads(result.folder.config.read_text())["folds"] == {}
    assert "iou_per_fold" not in trials_of(result)[0].user_attrs
    (path,) = export_trials(result.study, result.storage, "best", tmp_path)
    assert "fold" not in path.read_text().partition("Genome")[0]
    arguments = json.loads((tmp_path / "training_args.json").read_text())
    assert (arguments["sets"][0]["folds"], arguments["measured_on"]) == (None, "the validation split")


@pytest.mark.parametrize(("other", "words"), [(2, "folds is 3, now 2"), (None, "folds is 3, now not set")])
def test_a_study_goes_on_with_its_own_folds_alone(folded, other, words):
    config, _ = folded
    changed = {field.name: getattr(config, field.name) for field in fields(config)} | {"folds": other, "trials": 3}
    with pytest.raises(UserError, match=f"the study folded was begun with other settings: {words}"):
        run_search(SearchConfig(**changed))


def test_folds_are_not_taken_up_later(quick):
    run_search(quick(trials=1, epochs=1))
    with pytest.raises(UserError, match="folds is not set, now 3"):
        run_search(quick(trials=2, epochs=1, folds=3))


def test_folds_do_not_follow_the_seed(quick):
    first, second = (make_plan(quick(folds=3, seed=seed)).sets[0] for seed in (0, 7))
    assert [fold.splits for fold in first.folds] == [fold.splits for fold in second.folds]


def test_every_fold_starts_with_the_same_weights(quick, monkeypatch):
    kept = []

    def keep(*arguments):
        kept.append(build_network(*arguments))
        states.append({name: tensor.clone() for name, tensor in kept[-1].state_dict().items()})
        return kept[-1]

    states: list = []
    monkeypatch.setattr("nas.proxy.training.build_network", keep)
    run_search(quick(trials=1, epochs=1, folds=2, warm_start="none"))
    first, second = states
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_more_folds_than_images_are_refused_with_what_to_do(quick):
    with pytest.raises(UserError, match=r"--folds 19 needs at least as many .* squares has 18: give --folds 18 or fewer"):
        make_plan(quick(folds=19))
    with pytest.raises(UserError, match="--folds must be at least 2, 1 was given"):
        quick(folds=1)


def test_folds_and_their_price_are_said(quick):
    text = make_plan(quick(folds=4)).sets[0].describe()
    assert "trained 4 times, on 13 or 14 of the 18 training and validation images" in text
    assert "warning" not in text
    assert "warning: --folds is meant for sets of fewer than about 100 images: on 320 it costs 2 trainings" in (
        make_plan(quick(folds=2, data=("synthetic:blobs",))).sets[0].describe()
    )


def test_the_dry_run_counts_every_fold(quick):
    plain, folded = (make_plan(quick(folds=folds, epochs=2)).sets[0] for folds in (None, 6))
    # 12 training images are 2 steps of 8 an epoch, and so are the 15 of a fold.
    assert (_steps(plain), _steps(folded)) == (4, 24)
    assert "(24 steps in 6 folds)" in dry_run(quick(folds=6, epochs=2))


def test_the_banks_of_all_folds_share_the_cache(quick):
    image = 32 * 32 * 4
    # 3 folds of 12 training and 6 validation images each.
    plan = make_plan(quick(folds=3, epochs=8, cache_size=3 * (12 * 5 + 6) * image))
    (one,) = plan.sets
    assert one.views == 5
    assert sum(bank_bytes(fold, one.size.image_size, one.size.train_size, one.views) for fold in one.folds) <= plan.config.cache_size
    assert [[type(bank) for bank in banks] for banks in plan.banks()] == [[Bank]] * 3
    result = run_search(quick(folds=3, epochs=1, trials=1, cache_size=1))
    assert result.outcome == "complete"
    assert len(list((plan.bank_folder).glob("squares-*"))) == 3


def test_folds_of_several_sets_go_together(quick, squares, tmp_path):
    other = write_set(tmp_path / "other", train=5, val=2)
    config = quick(data=(str(squares), str(other)), joint=True, folds=2, trials=1, epochs=1, warm_start="none")
    (trial,) = trials_of(run_search(config))
    assert {name: len(ious) for name, ious in trial.user_attrs["iou_per_fold"].items()} == {"squares": 2, "other": 2}
    assert [(point["fold"], point["set"]) for point in trial.user_attrs["rungs"][-1]["curve"]] == [
        (1, "squares + other"),
        (2, "squares + other"),
    ]
    with pytest.raises(UserError, match="other has 7"):
        make_plan(quick(data=(str(squares), str(other)), folds=8))


def test_folds_cross_a_process_boundary(quick):
    plan = make_plan(quick(folds=2))
    rounds = [[bank.path for bank in banks] for banks in plan.banks()]
    space_file = replace(plan.space_file, copy=plan.folder.space)
    place = Workplace(space_file, [rounds], [one.recipe for one in plan.sets], "cpu")
    assert Workplace.from_dict(json.loads(json.dumps(place.to_dict()))) == place
    part = ProxyResult({"squares": Evaluation(((5, 1), (2, 2)), ("background", "class 1"))}, [{"epoch": 1}], 1.0, 0.5, notes=("so",))
    whole = pooled([part, part])
    assert whole.notes == ("so",)
    assert whole.evaluations["squares"].confusion == ((10, 2), (4, 4))
    assert (whole.train_seconds, whole.validate_seconds, whole.curve[1]["fold"]) == (2.0, 1.0, 2)
    assert ProxyResult.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    assert pooled([part]) is part
