"""A search begins with the known networks that fit, and says what it leaves out."""

import pytest
from optuna_dashboard._note import get_note_from_system_attrs

from nas.cost import Budget
from nas.errors import UserError
from nas.search import opened_study, run_search
from nas.search.candidate import Target
from nas.search.display.progress import Silence
from nas.search.storage.record import Recorder
from nas.search.warm_start import warm_start
from nas.space import load_peers, load_space

SHAPE = (3, 64, 64)


def found(trials, budget=None, space="tiny_unet", shared=False):
    target = Target(load_space(space), budget or Budget(10_000), SHAPE, 2)
    return warm_start(target, load_peers(), trials, shared=shared)


def test_a_quarter_of_the_trials_at_most():
    assert [c.peer for c in found(8).candidates] == [peer.name for peer in load_peers()[:2]]
    assert found(3).candidates == ()
    every = found(200)
    assert len(every.candidates) == len(load_peers())
    assert every.left_out == ()


def test_what_does_not_fit_is_left_out_with_the_reason():
    small = found(200, Budget(1_000))
    assert small.left_out
    assert {reason for _, reason in small.left_out} == {"its narrowest form is over the caps"}
    mobile = found(200, space="mobile")
    assert mobile.candidates
    assert any("stem_stride" in reason for _, reason in mobile.left_out)


def test_peers_fill_the_cap_where_its_share_is_a_gene():
    assert all(candidate.params["budget_share"] == 1.0 for candidate in found(200, shared=True).candidates)


class Told(Silence):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_a_search_trains_them_first_and_once(quick):
    told = Told()
    config = quick(trials=8)
    result = run_search(config, told)
    assert any(line.startswith("warm start: MicroUNet, MiniNetV3-style") for line in told.lines)
    run_search(quick(trials=9))
    with opened_study(result.study, result.storage) as stored:
        named = [trial.user_attrs.get("peer") for trial in stored.trials()]
    assert named[:2] == ["MicroUNet", "MiniNetV3-style"]
    assert named[2:] == [None] * 7


def test_a_warm_start_that_goes_on_after_a_kill_keeps_its_name(quick, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Recorder, "reached", killed)
    with pytest.raises(KeyboardInterrupt):
        run_search(quick(trials=8))
    monkeypatch.undo()
    result = run_search(quick(trials=8))
    with opened_study(result.study, result.storage) as stored:
        attrs = stored.study._storage.get_study_system_attrs(stored.study._study_id)
        named = {trial.user_attrs["peer"]: trial._trial_id for trial in stored.trials() if "peer" in trial.user_attrs}
    notes = {peer: get_note_from_system_attrs(attrs, trial_id)["body"] for peer, trial_id in named.items()}
    assert set(notes) == {"MicroUNet", "MiniNetV3-style"}
    assert all(f"({peer})" in note for peer, note in notes.items())


def test_none_starts_with_the_sampler(quick):
    result = run_search(quick(trials=4, warm_start="none"))
    with opened_study(result.study, result.storage) as stored:
        assert not [trial for trial in stored.trials() if "peer" in trial.user_attrs]


def test_unknown_warm_starts_are_refused(quick):
    with pytest.raises(UserError, match="peers, none"):
        quick(warm_start="friends")
