"""Several data sets: one architecture, trained on each separately, judged by the mean."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from nas.errors import UserError
from nas.export import export_trials
from nas.model_code import load_model_code
from nas.proxy.rungs import rungs_of
from nas.search import opened_study, run_search
from nas.search.options import config_of, parse
from nas.search.plan import make_plan
from nas.search.sets import _recipe, largest_shape, least_sides, views_wanted
from nas.train import shown
from nas.weights import fit_weights, read_weights
from tests.search.conftest import write_set


@pytest.fixture
def other(tmp_path):
    """A set of three classes and larger images."""
    root = write_set(tmp_path / "stripes", size=(48, 32))
    for mask in root.rglob("masks/*.png"):
        values = np.asarray(Image.open(mask)).copy()
        values[40:, :] = 2
        Image.fromarray(values).save(mask)
    return root


def test_each_set_is_kept_and_the_mean_is_maximised(quick, squares, other, tmp_path):
    result = run_search(quick(data=(str(squares), str(other)), trials=2))
    with opened_study(result.study, result.storage) as stored:
        trials = stored.trials()
    for trial in trials:
        own = trial.user_attrs["iou_per_set"]
        assert set(own) == {"squares", "stripes"}
        assert trial.values[0] == pytest.approx(sum(own.values()) / 2)
        assert set(trial.user_attrs["iou_per_class"]["stripes"]) == {"background", "class 1", "class 2"}
        assert {point["set"] for entry in trial.user_attrs["rungs"] for point in entry["curve"]} == {"squares", "stripes"}
    assert {"iou squares", "iou stripes"} <= set(result.front.columns)
    (path,) = export_trials(result.study, result.storage, "best", tmp_path / "best")
    assert "NUM_CLASSES = 3" in path.read_text()
    assert "on stripes (mean over foreground classes, image size 48x32)" in path.read_text()
    arguments = json.loads((tmp_path / "best" / "training_args.json").read_text())
    assert [one["name"] for one in arguments["sets"]] == ["squares", "stripes"]
    assert all(one["recipe"]["epochs"] == 2 and one["validation_iou"] is not None for one in arguments["sets"])


@pytest.mark.parametrize(
    ("images", "epochs", "parts"), [(15, 100, 1), (240, 6, 1), (428, 4, 1), (429, 10, 3), (1000, 9, 6), (1464, 9, 9), (10_582, 9, 63)]
)
def test_large_sets_have_three_rungs_too(quick, images, epochs, parts):
    recipe = _recipe(quick(epochs=None), images)
    assert (recipe.epochs, recipe.parts) == (epochs, parts)
    assert rungs_of([recipe.epochs]) == 3
    assert abs(epochs * shown(images, parts) - 1500) <= 250
    assert _recipe(quick(epochs=2), images).parts == 1


def test_a_person_is_told_of_parts(quick, squares):
    (plan,) = make_plan(quick(data=(str(squares),))).sets
    images = plan.facts.counts["train"]
    assert "training: 2 epochs in batches" in plan.describe()
    many = replace(plan, recipe=replace(plan.recipe, parts=2))
    assert f"training: 2 epochs of {images // 2} images, other ones each" in many.describe()
    assert (views_wanted(plan.recipe), views_wanted(many.recipe)) == (2, 1)


def test_costs_are_those_of_the_largest_head_and_image(quick, squares, other):
    plan = make_plan(quick(data=(str(squares), str(other))))
    assert plan.in_shape == (3, 48, 32)
    assert plan.num_classes == 3


def test_a_set_alone_gives_the_same_as_beside_others(quick, squares, other):
    """Nothing of one set's training reaches another's: not the order of random numbers, not the weights."""
    both = run_search(quick(data=(str(other), str(squares)), trials=1, warm_start="none", study="both", image_size=(32, 32)))
    with opened_study(both.study, both.storage) as stored:
        (trial,) = stored.trials()
    from nas.data import open_bank
    from nas.genome import genome_from_json
    from nas.proxy.training import train_rung, trainings
    from nas.train import Recipe

    own = stored.document["settings"]["sets"]["squares"]
    (bank,) = [open_bank(folder) for folder in (both.folder.root.parent / ".banks").glob("squares-*")]
    recipe = Recipe.from_dict({name: own[name] for name in Recipe.__dataclass_fields__})
    alone, _ = train_rung(genome_from_json(trial.user_attrs["genome"]), [trainings([bank], [recipe], joint=False)], "cpu")
    assert alone.evaluations["squares"].mean_iou == trial.user_attrs["iou_per_set"]["squares"]


def test_small_images_have_no_deep_levels(quick):
    assert make_plan(quick()).space.max_stride == 4
    assert make_plan(quick(image_size=(64, 96))).space.max_stride == 8
    assert make_plan(quick(image_size=(512, 512))).space.max_stride == 32


def test_levels_are_as_deep_as_the_smallest_of_several_images_allows(quick, squares, other):
    shapes = make_plan(quick(data=(str(squares), str(other)))).sets
    assert least_sides(shapes) == (32, 32)
    wide = replace(shapes[0], size=replace(shapes[0].size, image_size=(16, 128)))
    assert least_sides([wide, shapes[1]]) == (16, 32)
    assert largest_shape([wide, shapes[1]]) == (3, 16, 128)


def test_a_change_of_one_set_is_named(quick, squares, other):
    run_search(quick(data=(str(squares), str(other)), trials=1))
    with pytest.raises(UserError, match="stripes: "):
        run_search(quick(data=(str(squares),), trials=1))


def test_sets_of_one_name_are_refused(quick, squares, tmp_path):
    write_set(tmp_path / "elsewhere" / "squares")
    with pytest.raises(UserError, match="two data sets are called 'squares'"):
        run_search(quick(data=(str(squares), str(tmp_path / "elsewhere" / "squares"))))


def test_data_may_be_given_many_times():
    assert config_of(parse(["--data", "a", "--data", "b"])).data == ("a", "b")
    assert config_of(parse([])).data == ("synthetic",)


def test_one_network_serves_all_sets_together(quick, squares, other, tmp_path):
    config = quick(data=(str(squares), str(other)), joint=True, trials=4)
    result = run_search(config)
    with opened_study(result.study, result.storage) as stored:
        trials = stored.trials()
    assert [trial.user_attrs["peer"] for trial in trials if "peer" in trial.user_attrs] == ["MicroUNet"]
    assert all(json.loads(trial.user_attrs["genome"])["router"] for trial in trials)
    assert all(set(trial.user_attrs["iou_per_set"]) == {"squares", "stripes"} for trial in trials)
    assert all(trial.user_attrs["params"] <= config.budget for trial in trials)
    assert set(result.front["num_classes"]) == {"2+3"}
    (path,) = export_trials(result.study, result.storage, "best", tmp_path / "best")
    space: dict = {"__name__": "model"}
    exec(path.read_text(), space)
    assert space["NUM_CLASSES"] == (2, 3)
    assert space["DOMAINS"] == ("squares", "stripes")
    model = space["build_model"]().eval()
    images = torch.zeros(2, 3, 33, 47)
    first, second = model(images)
    assert first.shape == (2, 2, 33, 47)
    assert second.shape == (2, 3, 33, 47)
    assert model(images, domain=1).shape == (2, 3, 33, 47)
    assert subprocess.run([sys.executable, str(path)]).returncode == 0


def test_a_small_cache_means_fewer_views_and_one_bank(quick, squares, other, tmp_path):
    image = 32 * 32 * 4
    first = make_plan(quick(cache_size=(12 * 5 + 6) * image, epochs=8))
    assert first.sets[0].views == 5
    assert "5 of each image instead of 8: --cache-size" in first.sets[0].describe()
    assert make_plan(quick(cache_size=1, epochs=8)).sets[0].views == 1
    run_search(quick(trials=1))
    run_search(quick(trials=1, data=(str(other),), study="second", cache_size=1))
    assert [path.name.partition("-")[0] for path in (tmp_path / "studies" / ".banks").iterdir()] == ["stripes"]


def test_joint_wants_several_sets(quick):
    with pytest.raises(UserError, match="--joint trains one network on several"):
        quick(joint=True)


def test_the_card_loads_the_weights_that_fit_the_file(quick, squares, other, tmp_path):
    """The file is written for the set with the most classes, here the second."""
    result = run_search(quick(data=(str(squares), str(other)), trials=1, finalists=1, final_seeds=1))
    (path,) = export_trials(result.study, result.storage, "best", tmp_path / "best")
    (named,) = set(re.findall(r"load_file\('(.*?)'\)", (path.parent / "MODEL_CARD.md").read_text()))
    code = load_model_code(str(path))
    fit_weights(code.build(3, 3), read_weights(path.parent / named), named)
    assert (path.parent / "weights-squares.safetensors").is_file()
