"""A whole search in one process: what it leaves behind, that it is repeatable, and how it goes on."""

import json
from dataclasses import replace

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState
from optuna_dashboard import get_note

from nas.cost import estimate
from nas.errors import UserError
from nas.genome import genome_from_json
from nas.pareto import non_dominated
from nas.proxy import job as job_room
from nas.search import run_search
from nas.search.ladder import Ladder
from nas.search.storage.record import Recorder
from nas.train import Diverged


def trials_of(result):
    storage = optuna.storages.RDBStorage(result.storage)
    return optuna.load_study(study_name=result.study, storage=storage).trials


def test_every_trial_carries_its_attributes(finished):
    _, result = finished
    trials = trials_of(result)
    assert len(trials) == result.trials == 5
    for trial in trials:
        assert trial.state == TrialState.COMPLETE
        genome = genome_from_json(trial.user_attrs["genome"])
        cost = estimate(genome, (3, 32, 32), 2)
        assert trial.user_attrs["key"] == genome.key
        assert (trial.user_attrs["params"], trial.user_attrs["macs"], trial.user_attrs["memory"]) == (cost.params, cost.macs, cost.memory)
        assert cost.params <= 10_000
        assert trial.system_attrs["constraints"] == [cost.params / 10_000 - 1]
        assert set(trial.user_attrs["iou_per_class"]["squares"]) == {"background", "class 1"}
        assert [[point["epoch"] for point in entry["curve"]] for entry in trial.user_attrs["rungs"]] == [[1], [2]]
        assert trial.values == [trial.user_attrs["iou"], cost.macs]


def test_no_architecture_is_trained_twice(finished):
    _, result = finished
    keys = [trial.user_attrs["key"] for trial in trials_of(result)]
    assert len(set(keys)) == len(keys)


def test_objectives_are_named_and_notes_written(finished):
    _, result = finished
    study = optuna.load_study(study_name=result.study, storage=result.storage)
    assert study.metric_names == ["iou", "macs"]
    for trial in study.trials:
        handle = type("Handle", (), {"storage": study._storage, "study": study, "_trial_id": trial._trial_id})()
        note = get_note(handle)
        assert trial.user_attrs["key"] in note
        assert "class 1" in note
        assert f"{trial.user_attrs['params']:,}" in note


def test_the_front_is_what_nothing_dominates(finished):
    _, result = finished
    trials = trials_of(result)
    kept = non_dominated(np.array([[-trial.values[0], trial.values[1]] for trial in trials]))
    assert set(result.front["trial"]) == {trial.number for trial, keep in zip(trials, kept, strict=True) if keep}
    assert result.front["iou"].is_monotonic_decreasing
    table = pd.read_csv(result.folder.front)
    assert list(table["trial"]) == list(result.front["trial"])
    assert set(table["image_size"]) == {"32x32"}
    assert set(table["num_classes"]) == {2}


def test_config_says_all_that_is_needed_to_repeat(finished):
    config, result = finished
    document = json.loads(result.folder.config.read_text())
    assert document["config"]["trials"] == config.trials
    assert len(document["split"]["squares"]["train"]) == 12
    assert document["versions"]["torch"]
    assert document["machine"]["device"] == "cpu"
    assert document["settings"]["sets"]["squares"]["epochs"] == 2


def curve_of(trial):
    return [point for entry in trial.user_attrs["rungs"] for point in entry["curve"]]


def test_the_same_seed_gives_the_same_trials(finished, tmp_path):
    config, result = finished
    again = run_search(replace(config, home=tmp_path))
    assert [(t.values, t.params, curve_of(t)) for t in trials_of(result)] == [(t.values, t.params, curve_of(t)) for t in trials_of(again)]


def test_a_study_goes_on_up_to_the_total(quick):
    run_search(quick(trials=2))
    first = trials_of(run_search(quick(trials=2)))
    assert len(first) == 2
    result = run_search(quick(trials=4))
    now = trials_of(result)
    assert len(now) == result.trials == 4
    assert [t.values for t in now[:2]] == [t.values for t in first]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"budget": 9_000}, "budget is 10000, now 9000"),
        ({"epochs": 3}, "epochs is 2, now 3"),
        ({"seed": 5}, "seed is 0, now 5"),
        ({"objectives": ("dice", "macs")}, "objectives"),
        ({"image_size": (64, 64)}, "image_size"),
    ],
)
def test_other_settings_are_refused_by_name(quick, change, named):
    run_search(quick(trials=1))
    with pytest.raises(UserError, match=named):
        run_search(quick(trials=2, **change))


def test_a_diverged_trial_fails_with_its_reason_and_the_search_goes_on(quick, monkeypatch):
    real, calls = job_room.train_rung, []

    def sometimes(*arguments):
        calls.append(1)
        if len(calls) == 3:  # The first trial took two rungs.
            raise Diverged(1, "loss")
        return real(*arguments)

    monkeypatch.setattr(job_room, "train_rung", sometimes)
    result = run_search(quick(trials=2))
    trials = trials_of(result)
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]
    assert "diverged" in trials[1].user_attrs["reason"]
    assert result.trials == 2
    # A key that failed is not tried again, and does not count.
    assert len({trial.user_attrs["key"] for trial in trials}) == 3


def test_twenty_failures_in_a_row_end_the_search(quick, monkeypatch):
    def never(*arguments):
        raise RuntimeError("no luck")

    monkeypatch.setattr(job_room, "train_rung", never)
    with pytest.raises(UserError, match=r"20 trials failed in a row.*no luck"):
        run_search(quick(trials=30))
    monkeypatch.undo()
    assert run_search(quick(trials=1)).trials == 1


def failing(monkeypatch, error, times):
    """Makes the first trainings fail."""
    real, calls = job_room.train_rung, []

    def train(*arguments):
        calls.append(1)
        if len(calls) <= times:
            raise error
        return real(*arguments)

    monkeypatch.setattr(job_room, "train_rung", train)
    return calls


def test_memory_that_is_short_once_costs_nothing(quick, monkeypatch):
    calls = failing(monkeypatch, MemoryError("for a moment"), 1)
    result = run_search(quick(trials=1, epochs=1))
    assert [trial.state for trial in trials_of(result)] == [TrialState.COMPLETE]
    assert len(calls) == 2
    assert "(MemoryError: for a moment): that rung is trained once more" in result.folder.log.read_text()


def test_a_network_for_which_memory_is_short_twice_fails(quick, monkeypatch):
    failing(monkeypatch, MemoryError("too large"), 2)
    trials = trials_of(run_search(quick(trials=1, epochs=1)))
    assert [trial.state for trial in trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert trials[0].user_attrs["reason"] == "MemoryError: too large (tried twice)"


@pytest.mark.parametrize(
    ("error", "words", "tries"),
    [(OSError(28, "No space left on device"), "No space left on device", 2), (RuntimeError("CUDA error: unknown"), "can no longer use", 1)],
)
def test_a_machine_that_cannot_go_on_ends_the_search_and_no_trial(quick, monkeypatch, error, words, tries):
    calls, config = failing(monkeypatch, error, 100), quick(trials=1, epochs=1)
    with pytest.raises(UserError, match=words):
        run_search(config)
    assert len(calls) == tries
    monkeypatch.undo()
    result = run_search(config)
    assert [trial.state for trial in trials_of(result)] == [TrialState.COMPLETE]
    assert "is put back at rung 0" in result.folder.log.read_text()


SMALL_SPACE = """
from nas.blocks import AddSkip, Conv, MaxPool
from nas.space import SearchSpace

class Fixed(Conv):
    kind = "fixed"
    genes = {}

SPACE = SearchSpace(
    stem=Conv, stem_strides=(1,), levels=(2,), blocks=(Fixed,), downs=(MaxPool,), skips=(AddSkip,), width_ratio=(0.99, 1.01)
)
"""


def test_an_exhausted_space_ends_well(quick, tmp_path):
    space = tmp_path / "small.py"
    space.write_text(SMALL_SPACE)
    result = run_search(quick(trials=50, epochs=1, space=str(space)))
    assert result.outcome == "exhausted"
    assert 1 <= result.trials < 50
    assert result.counts.duplicates >= 1_000
    assert len(result.front)


def test_a_budget_that_nothing_fits_names_the_smallest(quick):
    with pytest.raises(UserError, match=r"no genome of tiny_unet fits 50 parameters \(its smallest has 88\)"):
        run_search(quick(budget=50))
    with pytest.raises(UserError, match=r"fits 10 MACs.*raise --max-macs"):
        run_search(quick(max_macs=10))


def test_parameters_as_an_objective_spread_over_the_cap(quick):
    result = run_search(quick(trials=8, epochs=1, objectives=("iou", "params"), sampler="random"))
    params = [trial.user_attrs["params"] for trial in trials_of(result)]
    assert min(params) < 5_000
    assert max(params) <= 10_000


@pytest.mark.parametrize("sampler", ["random", "nsga2", "gp"])
def test_every_sampler_searches_and_goes_on(quick, sampler):
    run_search(quick(trials=2, epochs=1, sampler=sampler))
    assert run_search(quick(trials=4, epochs=1, sampler=sampler)).trials == 4


def test_a_timeout_stops_and_can_go_on(quick):
    result = run_search(quick(trials=10_000, epochs=1, timeout=4.0))
    assert result.outcome == "timeout"
    states = {trial.state for trial in trials_of(result)}
    assert TrialState.RUNNING not in states
    more = run_search(quick(trials=result.trials + 1, epochs=1))
    assert more.trials == result.trials + 1


def test_a_trial_left_running_by_a_dead_process_is_taken_up(quick):
    result = run_search(quick(trials=2))
    storage = optuna.storages.RDBStorage(result.storage)
    study_id = storage.get_study_id_from_name("quick")
    done = storage.get_all_trials(study_id)[0]
    orphan = optuna.trial.create_trial(
        state=TrialState.RUNNING,
        params=done.params,
        distributions=done.distributions,
        user_attrs=done.user_attrs | _other_genome(done),
        system_attrs={"constraints": [-0.1]},
    )
    orphan_id = storage.create_new_trial(study_id, orphan)
    again = run_search(quick(trials=3))
    assert again.trials == 3
    taken = storage.get_trial(orphan_id)
    assert taken.state == TrialState.COMPLETE
    assert len(trials_of(again)) == 3


def test_a_verdict_that_a_kill_kept_from_the_trial_holds(quick, monkeypatch):
    """Killed between a rung's entry and the trial's end, a stopped trial ends as stopped and is not trained on."""

    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Ladder, "goes_on", lambda self, rung, standing, guarded=False: False)
    monkeypatch.setattr(Recorder, "prune", killed)
    with pytest.raises(KeyboardInterrupt):
        run_search(quick(trials=1))
    monkeypatch.undo()
    result = run_search(quick(trials=2))
    first, second = trials_of(result)
    assert (first.state, len(first.user_attrs["rungs"])) == (TrialState.PRUNED, 1)
    assert (second.state, result.trials) == (TrialState.COMPLETE, 2)


def _other_genome(trial):
    genome = genome_from_json(trial.user_attrs["genome"])
    narrower = genome.with_widths(
        [width - step if width > 4 * step else width for width, step in zip(genome.widths, genome.width_steps, strict=True)]
    )
    assert narrower.key != genome.key
    return {"genome": narrower.to_json(), "key": narrower.key}
