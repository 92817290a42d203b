"""A candidate trained rung by rung equals one that never stopped, whatever happened to its states."""

import json

import optuna
import pytest

from nas.cost import Budget
from nas.data import build_bank, open_data
from nas.proxy import training as training_room
from nas.proxy.states import read_states, remove_half_written, remove_states, state_file, write_states
from nas.proxy.training import train_rung, trainings
from nas.search.candidate import Target
from nas.search.live import LiveTrial, stored_standings
from nas.search.objectives import ACCURACIES, BREAK_EVEN, RUNGS
from nas.search.proposer import Proposal
from nas.space import ScaledDraws, load_space
from nas.train import Recipe


@pytest.fixture(scope="module")
def bank(squares, tmp_path_factory):
    return build_bank(open_data(str(squares)), (32, 32), (32, 32), 2, 0, tmp_path_factory.mktemp("banks"))


@pytest.fixture(scope="module")
def genome():
    return next(iter(ScaledDraws(load_space("tiny_unet"), Budget(3_000), (3, 32, 32), 2)))


@pytest.mark.parametrize("parts", [1, 2])
def test_rung_by_rung_equals_all_at_once(bank, genome, tmp_path, parts):
    lessons = trainings([bank], [Recipe(epochs=9, parts=parts)], joint=False)
    whole, at_end = train_rung(genome, [lessons], "cpu")
    path, curve = tmp_path / "states", []
    for rung in range(3):
        states = read_states(path) if rung else None
        result, states = train_rung(genome, [lessons], "cpu", rung, 3, states)
        write_states(path, states)
        curve += result.curve
    assert result.evaluations == whole.evaluations
    assert states[0].to_bytes() == at_end[0].to_bytes()
    assert [point["loss"] for point in curve] == [point["loss"] for point in whole.curve]
    assert ["iou" in point for point in curve] == [epoch in (1, 3, 9) for epoch in range(1, 10)]


def test_early_rungs_are_judged_by_a_sample(bank, genome, monkeypatch):
    monkeypatch.setattr(training_room, "EARLY_IMAGES", 1)
    lessons, states, pixels = trainings([bank], [Recipe(epochs=4)], joint=False), None, []
    for rung in range(3):
        result, states = train_rung(genome, [lessons], "cpu", rung, 3, states)
        pixels.append(sum(map(sum, result.evaluations["squares"].confusion)))
    assert pixels == [32 * 32, 32 * 32, bank.val_masks.size]


def test_without_its_states_a_rung_starts_from_the_beginning_with_the_same_result(bank, genome):
    lessons = trainings([bank], [Recipe(epochs=4)], joint=False)
    _, first = train_rung(genome, [lessons], "cpu", 0, 2)
    with_states, _ = train_rung(genome, [lessons], "cpu", 1, 2, first)
    without, _ = train_rung(genome, [lessons], "cpu", 1, 2)
    assert with_states.evaluations == without.evaluations


def test_a_rung_can_have_a_bank_of_its_own(bank, genome, squares, tmp_path):
    """At growing resolution too, a lost state costs time and changes nothing."""
    small = build_bank(open_data(str(squares)), (16, 16), (16, 16), 2, 0, tmp_path)
    recipe = Recipe(epochs=4)
    stages = [trainings([small], [recipe], joint=False), trainings([bank], [recipe], joint=False)]
    _, first = train_rung(genome, stages, "cpu", 0, 2)
    with_states, _ = train_rung(genome, stages, "cpu", 1, 2, first)
    without, _ = train_rung(genome, stages, "cpu", 1, 2)
    assert with_states.evaluations == without.evaluations
    assert [point["epoch"] for point in without.curve] == [1, 2, 3, 4]


def test_files_that_are_no_states_are_refused(tmp_path):
    for content in (b"", b"abc", b"\x01" + bytes(7), b"\x02" + bytes(30)):
        path = tmp_path / "a.state"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no file of training states"):
            read_states(path)


def test_states_of_others_are_removed(tmp_path):
    for name in ("a-0.state", "b-1.state", ".b-1.state.x1y2", "other.txt"):
        (tmp_path / name).write_bytes(b"")
    remove_states(tmp_path, [state_file(tmp_path, "b", 1)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b-1.state", "other.txt"]


def test_early_rungs_judge_by_the_break_even_point(bank, genome):
    target = Target(load_space("tiny_unet"), Budget(3_000), (3, 32, 32), 2)
    live = LiveTrial(None, Proposal(target.priced({}, genome), optuna.create_study().ask()))
    lessons, states = trainings([bank], [Recipe(epochs=9)], joint=False), None
    for rung in range(3):
        result, states = train_rung(genome, [lessons], "cpu", rung, 3, states)
        live.enter(result)
        evaluation = result.evaluations["squares"]
        early = rung < 2
        assert (evaluation.hits is not None) == early
        assert (BREAK_EVEN in live.completed[-1]) == early
        for name in ACCURACIES:
            assert live.completed[-1][name] == evaluation.objective(name)
            standing = live.standing((name, "macs"))
            expected = evaluation.break_even(name) if early else evaluation.objective(name)
            assert standing.values == (-expected, live.proposal.candidate.cost.macs)
    attrs = json.loads(json.dumps({RUNGS: live.completed, **live.proposal.candidate.user_attrs()}))
    assert stored_standings(("iou", "macs"), attrs)[-1] == live.standing(("iou", "macs"))
    assert stored_standings(("iou", "macs"), attrs)[0].accuracy == live.completed[0][BREAK_EVEN]["iou"]


@pytest.mark.parametrize(("epochs", "trained"), [(1, [(32, 1)]), (2, [(24, 1), (32, 2)]), (3, [(24, 1), (32, 3)])])
def test_a_training_shorter_than_its_stages_skips_the_smaller_sizes(genome, squares, tmp_path, monkeypatch, epochs, trained):
    """Final trainings may be as short as an epoch, whatever the rungs of the search."""
    real, seen = training_room.fit, []

    def fit(model, banks, recipe, state, stop, *more, **named):
        seen.append((banks[0].image_size[0], stop))
        return real(model, banks, recipe, state, stop, *more, **named)

    monkeypatch.setattr(training_room, "fit", fit)
    banks = [build_bank(open_data(str(squares)), (size, size), (size, size), 1, 0, tmp_path) for size in (16, 24, 32)]
    stages = [trainings([bank], [Recipe(epochs=epochs)], joint=False) for bank in banks]
    result, _ = train_rung(genome, stages, "cpu", 2, 3)
    assert seen == trained
    assert [point["epoch"] for point in result.curve] == list(range(1, epochs + 1))
    assert list(result.evaluations) == ["squares"]


def test_half_written_states_are_removed_alone(tmp_path):
    for name in ("a-seed1.state", ".a-seed2.state.x1y2", ".lock", "other.txt"):
        (tmp_path / name).write_bytes(b"")
    remove_half_written(tmp_path)
    remove_half_written(tmp_path / "absent")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "a-seed1.state", "other.txt"]
