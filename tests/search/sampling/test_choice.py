"""Samplers by import path: which are taken, what is said of the others, and that a resumed search repeats itself."""

import shutil
import signal
import subprocess
import sys

import optuna
import pytest
from optuna.samplers import NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from nas.errors import UserError
from nas.search import SearchConfig, run_search
from nas.search.sampling import make_sampler
from tests.search.workers.test_processes import command, has, settings, trials_of, until

MODULE = '''
from optuna.samplers import BaseSampler, RandomSampler

class Seeded(RandomSampler):
    """Keeps what it was made with."""
    def __init__(self, seed=None):
        super().__init__(seed)
        self.made_with = seed

class Seedless(RandomSampler):
    def __init__(self):
        super().__init__(7)

class Needy(RandomSampler):
    def __init__(self, temperature):
        super().__init__()

class Tired(RandomSampler):
    """Fails at its third draw."""
    asked = 0
    def before_trial(self, study, trial):
        Tired.asked += 1
        if Tired.asked > 3:
            raise RuntimeError("enough for today")

def made(seed):
    return Seeded(seed)

def nothing():
    return None

number = 3
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Name of a module of a person's own."""
    name = "samplers_of_mine"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "kind"), [("tpe", TPESampler), ("random", RandomSampler), ("optuna.samplers:NSGAIISampler", NSGAIISampler)]
)
def test_names_and_paths(name, kind):
    assert isinstance(make_sampler(name, 0, 0), kind)


def test_the_seed_is_of_the_search_and_the_trials_there_are(own):
    seeds = {
        make_sampler(f"{own}:{name}", seed, existing).made_with for name in ("Seeded", "made") for seed in (0, 1) for existing in (0, 1)
    }
    assert len(seeds) == 4
    assert make_sampler(f"{own}:Seedless", 0, 0).infer_relative_search_space(None, None) == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module_at_all:Thing", r"module no_such_module_at_all cannot be imported \(ModuleNotFoundError"),
        ("{own}:Missing", r"has no 'Missing'"),
        ("{own}:number", r"subclass of Optuna's BaseSampler.*3 came"),
        ("pathlib:Path", r"subclass of Optuna's BaseSampler"),
    ],
)
def test_what_is_no_sampler_is_refused_with_the_settings(own, name, message):
    with pytest.raises(UserError, match=message):
        SearchConfig(sampler=name.format(own=own))


def test_a_module_that_fails_is_named(tmp_path, monkeypatch):
    (tmp_path / "broken_samplers.py").write_text("raise SystemExit('no licence')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"broken_samplers cannot be imported \(SystemExit: no licence\)"):
        SearchConfig(sampler="broken_samplers:Any")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{own}:Needy", r"cannot be made \(TypeError.*temperature.*def make\(seed\)"),
        ("{own}:nothing", r"gave None"),
        ("optuna.samplers:GridSampler", r"cannot be made \(TypeError.*search_space"),
        ("optuna.samplers:BruteForceSampler", r"BruteForceSampler does not work here \(ValueError"),
    ],
)
def test_what_cannot_sample_here_is_refused_before_a_study_is_begun(own, quick, tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        run_search(quick(sampler=name.format(own=own)))
    assert not (tmp_path / "studies").exists()


def test_a_sampler_for_one_objective_is_refused_in_words(quick):
    pytest.importorskip("cmaes")
    with pytest.raises(UserError, match=r"CmaEsSampler does not work here.*as many objectives as --objectives names"):
        run_search(quick(sampler="optuna.samplers:CmaEsSampler"))


def test_a_sampler_that_fails_on_the_way_keeps_what_is_trained(own, quick):
    with pytest.raises(UserError, match=r"Tired does not work here \(RuntimeError: enough for today\)"):
        run_search(quick(sampler=f"{own}:Tired", warm_start="none", epochs=1))
    study = optuna.load_study(study_name="quick", storage=f"sqlite:///{quick().home}/studies/quick/study.db")
    assert {trial.state for trial in study.trials} <= {TrialState.COMPLETE, TrialState.WAITING}
    assert study.trials


def test_a_sampler_of_ones_own_searches_and_goes_on(own, quick):
    sampler = f"{own}:Seeded"
    run_search(quick(sampler=sampler, trials=2, epochs=1))
    assert run_search(quick(sampler=sampler, trials=3, epochs=1)).trials == 3
    with pytest.raises(UserError, match="sampler is 'samplers_of_mine:Seeded', now 'surrogate'"):
        run_search(quick(trials=4, epochs=1))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("workers", [0, 1])
def test_an_interrupted_search_goes_on_in_one_way(squares, tmp_path, workers):
    first, second = tmp_path / "a", tmp_path / "b"
    flags = ("--trials", "500", "--workers", str(workers), "--warm-start", "none")
    process = subprocess.Popen(command(squares, first, *flags), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # More trials than TPE draws at random: what follows depends on all that came before.
    until(lambda: has(first, TrialState.COMPLETE, 12))
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    shutil.copytree(first, second)
    before = len(trials_of(first))
    for home in (first, second):
        run_search(settings(squares, home, trials=before + 5, workers=workers, warm_start="none"))
    ours, theirs = ([(t.state, t.values, t.params) for t in trials_of(home)] for home in (first, second))
    assert len(ours) >= before + 5
    assert ours == theirs
