"""Rounds of final training, by a worker that answers at once: what is trained, when its values count, and which weights are kept."""

from collections import deque

import optuna
import pytest

from nas.evaluate import Evaluation
from nas.files import write_text
from nas.proxy.job import Answer
from nas.proxy.training import ProxyResult
from nas.search.display.log import EventLog
from nas.search.finals.training import FinalRound
from nas.search.folder import StudyFolder
from nas.search.signals import Wish
from nas.search.study import StoredStudy
from nas.search.workers.crew import Crew
from nas.search.workers.pool import Event
from tests.search.finals.test_values import trial


class Oracle:
    """A pool of one worker that knows what each training would reach: (key, seed, epochs) -> IoU; None where it fails."""

    def __init__(self, known, wish, stop_after=None):
        self.known, self.wish, self.stop_after = known, wish, stop_after
        self.events, self.trained = deque([Event(0)]), []

    def submit(self, worker, task):
        name = task.genome, task.seed, task.epochs
        self.trained.append(name)
        self.wish.to_end = len(self.trained) == self.stop_after
        reached = self.known[name]
        if reached is None:
            self.events.append(Event(worker, Answer(None, "diverged")))
            return
        task.save.parent.mkdir(exist_ok=True)
        task.save.write_text(repr(name))
        found = round(1000 * reached)
        evaluation = Evaluation(((1, 0), (1000 - found, found)), ("background", "thing"))
        self.events.append(Event(worker, Answer(ProxyResult({"set": evaluation}, [], 0.1, 0.1), "")))

    def wait(self, seconds):
        return self.events.popleft() if self.events else None


@pytest.fixture
def stored(tmp_path):
    """A study of three networks, each a front of its own: k0 is the best and the dearest."""
    folder = StudyFolder(tmp_path / "s")
    write_text(folder.config, "{}")
    study = optuna.create_study(directions=["maximize", "minimize"])
    study.add_trials([of_key(0, 0.7, 30.0), of_key(1, 0.6, 20.0), of_key(2, 0.5, 10.0)])
    return StoredStudy("s", "", study._storage, study, place=folder)


def of_key(number, iou, macs):
    made = trial(number, iou, macs)
    made.set_user_attr("genome", made.user_attrs["key"])
    return made


@pytest.fixture
def final_round(stored, tmp_path):
    """Runs a round; gives what was trained."""

    def run(known, seeds=(1, 2), finalists=2, epochs=None, stop_after=None):
        log, wish = EventLog(tmp_path / "search.log", tmp_path / "workers.log"), Wish()
        own = FinalRound(stored, ("iou", "macs"), finalists, seeds, epochs, 1, stored.folder.weights, log, wish, None)
        pool = Oracle(known, wish, stop_after)
        outcome = own.run(Crew(pool, own.say_death))
        assert (outcome == "interrupted") == (stop_after is not None)
        return pool.trained

    return run


KNOWN = {
    **{("k0", seed, None): iou for seed, iou in ((1, 0.5), (2, 0.4), (3, 0.6), (4, 0.5))},
    **{("k1", seed, None): iou for seed, iou in ((1, 0.55), (2, 0.6), (3, 0.5), (4, 0.7))},
    **{("k0", seed, 9): 0.7 for seed in (1, 2)},
    **{("k1", seed, 9): 0.8 for seed in (1, 2)},
}


def files(stored):
    return sorted(path.name for path in stored.folder.weights.iterdir())


def means(stored):
    return {key: pytest.approx(final.mean("iou")) for key, final in stored.finals().values.items()}


def test_fewer_seeds_than_before_train_nothing_and_take_nothing_away(stored, final_round):
    assert len(final_round(KNOWN, (1, 2, 3))) == 6
    assert files(stored) == ["k0-seed3.state", "k1-seed2.state"]
    assert final_round(KNOWN, (1,)) == []
    assert files(stored) == ["k0-seed3.state", "k1-seed2.state"]
    assert means(stored) == {"k0": 0.5, "k1": 0.55}
    assert len(stored.finals().values["k0"].entries) == 3
    assert final_round(KNOWN, (1, 2, 3, 4)) == [("k0", 4, None), ("k1", 4, None)]
    assert files(stored) == ["k0-seed3.state", "k1-seed4.state"]


def test_weights_that_are_gone_are_trained_again(stored, final_round):
    final_round(KNOWN)
    (stored.folder.weights / "k0-seed1.state").unlink()
    assert final_round(KNOWN) == [("k0", 1, None)]
    assert files(stored) == ["k0-seed1.state", "k1-seed2.state"]
    assert means(stored) == {"k0": 0.45, "k1": 0.575}


def test_half_a_round_settles_nothing(stored, final_round):
    assert final_round(KNOWN, stop_after=3) == [("k0", 1, None), ("k0", 2, None), ("k1", 1, None)]
    assert stored.final_entries()
    assert not stored.finals().values
    assert final_round(KNOWN) == [("k1", 2, None)]
    assert means(stored) == {"k0": 0.45, "k1": 0.575}


def test_another_length_counts_once_all_are_of_it(stored, final_round):
    final_round(KNOWN)
    assert len(final_round(KNOWN, epochs=9, stop_after=2)) == 2
    assert means(stored) == {"k0": 0.45, "k1": 0.575}
    assert stored.final_weights("k0").name == "k0-seed1.state"
    assert final_round(KNOWN, epochs=9) == [("k1", 1, 9), ("k1", 2, 9)]
    assert means(stored) == {"k0": 0.7, "k1": 0.8}
    assert files(stored) == ["k0-seed1-epochs9.state", "k1-seed1-epochs9.state"]
    assert stored.final_weights("k0").name == "k0-seed1-epochs9.state"


def test_a_finalist_with_fewer_seeds_than_others_is_compared_by_those_of_all(stored, final_round):
    final_round(KNOWN, (1, 2, 3), finalists=1)
    final_round(KNOWN, (1,), finalists=2)
    assert means(stored) == {"k0": 0.5, "k1": 0.55}
    assert {len(final.entries) for final in stored.finals().values.values()} == {1}


def test_a_final_training_that_fails_leaves_the_others_their_values(stored, final_round):
    final_round(KNOWN | {("k1", 2, None): None})
    assert means(stored) == {"k0": 0.45}
    assert stored.finals().finalists == {"k0", "k1"}
    assert final_round(KNOWN) == [("k1", 2, None)]
    assert means(stored) == {"k0": 0.45, "k1": 0.575}
