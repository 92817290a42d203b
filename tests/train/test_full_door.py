"""`python -m nas.train` as a person uses it, in this process, on a set of squares."""

import importlib
import json
import shlex
import shutil
import sys
from pathlib import Path
from statistics import mean, stdev

import pytest
from tqdm import tqdm

from nas.data import load_recipe, open_data, transforms
from nas.data.cache import in_use
from nas.door import INTERRUPTED
from nas.errors import UserError
from nas.evaluate.__main__ import main as evaluate
from nas.evaluate.leaks import trained_names
from nas.evaluate.trained import read_record
from nas.train.__main__ import main
from nas.train.checkpoint import BEST
from nas.train.options import parser
from nas.train.several import run_jobs
from nas.weights import read_weights
from tests.data.layouts.writers import write_coco
from tests.search.conftest import write_set
from tests.train.test_job import MODEL

CLASS = """
from torch import nn
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
def build_model():
    return Net()
"""


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data") / "squares")


@pytest.fixture
def call(squares, tmp_path, monkeypatch):
    model = tmp_path / "net" / "model.py"
    model.parent.mkdir()
    model.write_text(MODEL)
    monkeypatch.chdir(tmp_path)

    def run(*flags, data=True, arguments=None, model_spec=str(model)):
        if arguments is not None:
            (model.parent / "training_args.json").write_text(json.dumps(arguments))
        own = ["--data", str(squares)] if data else []
        monkeypatch.setattr(sys, "argv", ["nas.train", model_spec, *own, "--epochs", "2", "--device", "cpu", *flags])
        return main()

    return run


def test_one_training(call, tmp_path, capsys):
    assert call() == 0
    said = capsys.readouterr().out
    assert "image size: 32x32, the data's own" in said
    assert "transforms: built in" in said
    assert "12 training, 6 validation images; 2 of the test split are not read" in said
    assert "python -m nas.evaluate" in said
    folder = tmp_path / "runs" / "net"
    assert {"best.safetensors", "last.safetensors", "log.csv", "state.bin", "summary.json", "training.json"} <= {
        path.name for path in folder.iterdir()
    }
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["trainings"][0]["epochs"] == 2
    assert summary["sets"][0]["image_size"] == [32, 32]


def test_seeds_and_folds_have_folders_and_a_spread(call, tmp_path, capsys):
    call("--seeds", "2", "--folds", "2", "--workers", "1", "--out", "many", "--quiet")
    assert len(list((tmp_path / "many").rglob("best.safetensors"))) == 4
    assert (tmp_path / "many" / "seed-1" / "fold-2").is_dir()
    assert "standard deviation" in capsys.readouterr().out
    summary = json.loads((tmp_path / "many" / "summary.json").read_text())
    ious = [one["best_iou"] for one in summary["trainings"]]
    assert summary["means"] == [{"name": "squares", "mean_iou": mean(ious), "std_iou": stdev(ious), "trainings": 4}]


def test_each_training_records_its_own_set_size_and_images(call, squares, tmp_path):
    other = write_set(tmp_path / "wide", size=(32, 64))
    call("--data", str(other), "--out", "two", "--workers", "1", "--channels", "1", "--folds", "2", "--quiet")
    records = {path.parent.relative_to(tmp_path / "two").as_posix(): read_record(path) for path in (tmp_path / "two").rglob(BEST)}
    assert {name: one.set_of().image_size for name, one in records.items()} == {
        **dict.fromkeys(("squares/fold-1", "squares/fold-2"), (32, 32)),
        **dict.fromkeys(("wide/fold-1", "wide/fold-2"), (32, 64)),
    }
    one, two = (records[f"wide/fold-{fold}"].set_of() for fold in (1, 2))
    assert (one.name, one.location, one.channels, one.classes) == ("wide", str(other), 1, ("background", "class 1"))
    assert len(one.train) == len(one.val) == 9
    assert set(one.train) == set(two.val)


def test_a_training_that_starts_from_weights_records_what_these_have_seen(call, tmp_path):
    call("--folds", "2", "--workers", "1", "--out", "folds", "--quiet")
    call("--weights", "folds/fold-1/best.safetensors", "--out", "again", "--quiet")
    found = read_record(tmp_path / "again" / BEST)
    assert found.before == read_record(tmp_path / "folds" / "fold-1" / BEST).sets
    data = open_data(tmp_path / found.set_of().location)
    assert trained_names(tmp_path / "again" / BEST, data) == {*found.set_of().train, *found.before[0].train}


def test_weights_of_a_training_that_was_stopped_are_measured_at_its_size(call, squares, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nas.train.job.write_csv", stop)
    assert call("--image-size", "48", "--channels", "1", "--out", "run", "--quiet") == INTERRUPTED
    words = ["nas.evaluate", str(tmp_path / "net" / "model.py"), "--weights", "run/best.safetensors", "--data", str(squares), "--quiet"]
    monkeypatch.setattr(sys, "argv", [*words, "--device", "cpu"])
    assert evaluate() == 0
    assert "the network sees 48x48" in capsys.readouterr().out


def test_recorded_recipe_and_split_are_used_and_flags_win(call, squares, tmp_path, capsys):
    from nas.data import item_names

    names = item_names(open_data(squares))
    names["val"].append(names["train"].pop())
    recorded = {
        "name": "squares",
        "location": str(squares),
        "in_channels": 3,
        "items": names,
        "recipe": {"learning_rate": 0.003, "loss": "focal"},
    }
    call("--learning-rate", "0.002", arguments={"sets": [recorded]}, data=False)
    said = capsys.readouterr().out
    assert "11 training, 7 validation" in said
    assert "as recorded beside the model" in said
    assert "focal, peak learning rate 0.002" in said


def test_data_without_a_record_are_trained_by_the_first_recipe(call, capsys):
    recorded = [{"name": name, "recipe": {"learning_rate": rate, "loss": "focal"}} for name, rate in (("others", 0.003), ("more", 0.004))]
    call(arguments={"sets": recorded})
    assert "focal, peak learning rate 0.003" in capsys.readouterr().out


def test_the_recorded_transforms_are_used_and_a_flag_wins(call, tmp_path, capsys):
    mine, other = (tmp_path / name for name in ("mine.py", "other.py"))
    mine.write_text(Path(transforms.__file__).read_text().replace("FLIP = 0.5", "FLIP = 0.0"))
    other.write_text(mine.read_text() + "\n")
    recorded = {"sets": [], "transforms": load_recipe(mine).document()}
    call(arguments=recorded)
    assert f"transforms: {mine}" in capsys.readouterr().out
    call("--transforms", "other.py", "--out", "other")
    assert f"transforms: {other}" in capsys.readouterr().out
    assert len(list((tmp_path / "studies" / ".banks").rglob("meta.json"))) == 2
    mine.unlink()
    with pytest.raises(UserError, match="--transforms FILE"):
        call()


def test_the_recorded_layout_and_channels_are_used(call, tmp_path, capsys):
    cars = write_coco(tmp_path / "cars")
    recorded = {"name": "cars", "location": str(cars), "layout": "coco-binary", "in_channels": 1, "items": {}, "recipe": {}}
    call(arguments={"sets": [recorded]}, data=False)
    said = capsys.readouterr().out
    assert "data: cars (coco-binary), 4 training" in said
    assert "network: 86 parameters" in said


def test_a_file_for_other_classes_is_built_for_the_data(call, tmp_path, capsys):
    path = tmp_path / "three.py"
    path.write_text(MODEL + "NUM_CLASSES, PARAMS, INPUT_SIZE = 3, 201, (64, 64)\n")
    call(model_spec=str(path))
    said = capsys.readouterr().out
    assert "the file is written for 3 classes, the data have 2: built for 2, 194 parameters, not 201" in said
    assert "MACs at 32x32; " in said
    assert "MACs at 64x64 (the file's size)" in said


def test_any_function_can_be_trained(call, tmp_path):
    (tmp_path / "mine.py").write_text(MODEL)
    sys.path.insert(0, str(tmp_path))
    try:
        assert call("--out", "own", model_spec="mine:build_model") == 0
    finally:
        sys.path.remove(str(tmp_path))
    assert read_weights(tmp_path / "own" / "best.safetensors")


def test_an_edited_class_is_another_training(call, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "edited.py").write_text(CLASS)
    call("--out", "own", model_spec="edited:build_model")
    (tmp_path / "edited.py").write_text(CLASS.replace("nn.ReLU()", "nn.Hardswish()"))
    importlib.invalidate_caches()
    del sys.modules["edited"]
    with pytest.raises(UserError, match=r"another training: model was .*--restart"):
        call("--out", "own", model_spec="edited:build_model")


def test_the_same_command_goes_on_and_restart_begins_anew(call, tmp_path):
    call()
    state = tmp_path / "runs" / "net" / "state.bin"
    before = state.read_bytes()
    call()
    assert state.read_bytes() == before
    with pytest.raises(UserError, match="another training: seed was 0 there"):
        call("--seed", "3")
    call("--seed", "3", "--restart")
    assert state.read_bytes() != before


def test_the_banks_of_a_training_are_in_use_and_others_make_room(call, tmp_path, monkeypatch, capsys):
    call("--seed", "1")
    old = next((tmp_path / "studies" / ".banks").iterdir())
    held = []
    monkeypatch.setattr("nas.train.__main__.run_jobs", lambda jobs, *rest: held.extend(map(in_use, jobs[0].banks)) or run_jobs(jobs, *rest))
    call("--views", "1", "--out", "second", "--cache-size", "1K")
    assert held == [True]
    assert not old.exists()
    assert f"not used for long: {Path('studies', '.banks', old.name)}" in capsys.readouterr().out
    assert not any(map(in_use, (tmp_path / "studies" / ".banks").iterdir()))


def test_restart_removes_its_own_files_alone(call, tmp_path):
    call("--out", "run")
    call("--out", "run", "--seeds", "2", "--workers", "1")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    kept = (tmp_path / "run" / "seed-1" / "best.safetensors").read_bytes()
    call("--out", "run", "--seed", "5", "--restart")
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "run" / "seed-1" / "best.safetensors").read_bytes() == kept


def test_restart_keeps_the_weights_that_it_starts_from(call, tmp_path):
    call("--out", "run")
    best = tmp_path / "run" / "best.safetensors"
    with pytest.raises(UserError, match=r"would remove .*best\.safetensors"):
        call("--out", "run", "--weights", str(best), "--restart")
    assert best.is_file()


@pytest.fixture
def evaluate_as_told(capsys, monkeypatch):
    """Runs the command that a training ended with; gives its page."""

    def run():
        line = capsys.readouterr().out.split("Evaluate: ")[1].strip()
        monkeypatch.setattr(sys, "argv", shlex.split(line)[2:])
        assert evaluate() == 0
        return capsys.readouterr().out

    return run


def test_the_next_command_it_prints_is_one(call, evaluate_as_told):
    call("--out", "with a blank")
    assert "on the test split of squares" in evaluate_as_told()


def test_the_next_command_names_the_first_of_several_sets(call, tmp_path, evaluate_as_told):
    other = write_set(tmp_path / "it's another")
    call("--data", str(other), "--out", "two", "--workers", "1")
    assert "on the test split of squares" in evaluate_as_told()
    call("--data", str(other), "--out", "one", data=False)
    assert "on the test split of it's another" in evaluate_as_told()


def test_the_next_command_measures_what_there_is_in_the_split_that_was_trained_on(call, tmp_path, squares, evaluate_as_told):
    shutil.copytree(squares, tmp_path / "squares")
    shutil.rmtree(tmp_path / "squares" / "test")
    recorded = {"name": "squares", "location": str(squares), "items": {"train": ["train/000"], "val": ["train/001"], "test": ["val/000"]}}
    call("--new-split", "--data", "squares", data=False, arguments={"sets": [recorded]})
    page = evaluate_as_told()
    assert "on the val split of squares" in page
    assert "6 images (split: folders" in page


def test_folds_without_a_test_split_are_measured_by_their_mean_alone(call, tmp_path, squares, capsys):
    shutil.copytree(squares, tmp_path / "squares")
    shutil.rmtree(tmp_path / "squares" / "test")
    call("--folds", "2", "--workers", "1", "--data", "squares", "--quiet", data=False)
    said = capsys.readouterr().out
    assert "the mean is the figure" in said
    assert "nas.evaluate" not in said
    call("--folds", "2", "--workers", "1", "--out", "other", "--quiet")
    assert "--split test" in capsys.readouterr().out


def test_mistakes_are_explained(call, squares, tmp_path):
    with pytest.raises(UserError, match="give --data"):
        call(data=False)
    with pytest.raises(UserError, match="nothing is ever written"):
        call("--out", str(squares / "out"))


NETWORK = """
from torch import nn
class Net(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.layer = nn.Conv2d(3, classes, 1)
    def forward(self, x):
        return {answer}
def build_model({taken}):
    return Net({given})
"""


@pytest.mark.parametrize(
    ("changes", "flags", "message"),
    [
        ({}, ["--channels", "1"], r"net\.py and squares do not go together: .*does not take images of 32x32 with 1 channel .*--channels"),
        ({"answer": "{'out': self.layer(x)}"}, [], "answers with a dict"),
        ({"answer": "(self.layer(x), x) if self.training else self.layer(x)"}, [], "answers with a tuple"),
        ({"answer": "nn.functional.avg_pool2d(self.layer(x), 4)"}, [], r"with \(1, 2, 8, 8\): logits of 2 classes"),
        ({"given": "3"}, [], r"with \(1, 3, 32, 32\): logits of 2 classes"),
        ({"answer": "1 / 0"}, [], "ZeroDivisionError"),
        ({"given": "3", "more": "NUM_CLASSES = 3"}, [], "the file answers with 3 classes and its builder takes no num_classes"),
        ({"more": "Net = lambda: nn.LazyConv2d(2, 1)"}, [], "the size of weight is known only after a first image"),
        ({}, ["--weights", "gone.safetensors"], r"gone\.safetensors is not there"),
    ],
)
@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_network_that_does_not_go_with_its_data_is_refused_before_views_are_drawn(call, tmp_path, changes, flags, message, quiet):
    own = {"answer": "self.layer(x)", "taken": "", "given": "", "more": "", **changes}
    path = tmp_path / "net.py"
    path.write_text(NETWORK.format(**own) + own["more"])
    with pytest.raises(UserError, match=message):
        call(*flags, *quiet, model_spec=str(path))
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "studies").exists()


def test_a_file_for_other_classes_need_not_know_its_parameters(call, tmp_path, capsys):
    path = tmp_path / "own.py"
    path.write_text(MODEL + "NUM_CLASSES = 3\n")
    call(model_spec=str(path))
    assert "built for 2, 194 parameters\n" in capsys.readouterr().out


@pytest.mark.parametrize("loss", ["focal", "lovasz", "boundary", "cldice"])
def test_every_loss_trains(call, loss):
    assert call("--loss", loss, "--out", loss, "--quiet") == 0


def test_the_bar_of_a_run_that_goes_on_begins_where_it_stopped(call, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("nas.train.job.write_csv", stop)
        assert call("--out", "run") == INTERRUPTED
    bars = []

    class Bar(tqdm):
        def __init__(self, **given):
            super().__init__(**given)
            bars.append((self, given["initial"], []))

        def set_postfix_str(self, text, refresh=True):
            bars[-1][2].append(text)

    monkeypatch.setattr("nas.train.__main__.tqdm", Bar)
    monkeypatch.setattr("nas.train.checkpoint.Progress.best", {"epoch": 1, "iou": 0.999})
    call("--out", "run")
    ((bar, initial, texts),) = bars
    assert (initial, bar.n, bar.total) == (1, 2, 2)
    assert [text.endswith("best IoU 0.999") for text in texts] == [True]


def test_the_length_that_is_chosen_is_told(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    assert "about 30,000 images shown, in 30 to 400 epochs" in " ".join(capsys.readouterr().out.split())
