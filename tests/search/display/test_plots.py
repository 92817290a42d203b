"""What the dashboard shows of a study beside its trials: figures and pictures."""

import io
import json
from math import log10

import numpy as np
import pytest
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects
from PIL import Image

from nas.search import opened_study
from nas.search.finals.prediction_sheet import ARTIFACTS, attach
from nas.search.plan import make_plan
from nas.search.volume import reference_costs, volumes
from tests.search.finals.test_values import trial


def test_front_and_hypervolume_are_kept_with_the_study(finished):
    _, result = finished
    with opened_study(result.study, result.storage) as stored:
        figures = get_plotly_graph_objects(stored.storage.get_study_system_attrs(stored.id))
        complete = [one for one in stored.trials() if "iou" in one.user_attrs]
    assert set(figures) == {"front", "hypervolume"}
    trained, front = json.loads(figures["front"])["data"]
    assert len(trained["text"]) == len(complete)
    assert set(front["text"]) <= set(trained["text"])
    assert len(json.loads(figures["hypervolume"])["data"][0]["x"]) == 5


def test_the_volume_grows_with_the_front_alone():
    trials = [trial(0, 0.5, 1e6), trial(1, 0.4, 2e6), trial(2, 0.6, 1e5)]
    for number, one in enumerate(trials):
        one.datetime_complete = one.datetime_complete.replace(microsecond=number)
    (_, first), (_, second), (_, third) = volumes(trials, ("iou", "macs"), {"macs": 1e7})
    assert first == second == pytest.approx(0.5 * log10(1e7 / 1e6))
    assert third == pytest.approx(0.6 * log10(1e7 / 1e5))


def test_the_corner_is_a_function_of_the_target(quick):
    target = make_plan(quick()).target
    corner = reference_costs(target, ("iou", "macs", "params"))
    assert corner == reference_costs(target, ("iou", "macs", "params"))
    assert corner["params"] == 10_000
    assert corner["macs"] > 100_000
    capped = make_plan(quick(max_macs=300_000)).target
    assert reference_costs(capped, ("iou", "macs")) == {"macs": 300_000}


def test_finalists_carry_a_sheet_of_predictions(finished):
    _, result = finished
    with opened_study(result.study, result.storage) as stored:
        attrs = stored.storage.get_study_system_attrs(stored.id)
        finalists = {one._trial_id for one in stored.trials() if one.user_attrs["key"] in stored.finals().values}
    kept = {key: json.loads(value) for key, value in attrs.items() if key.startswith(ARTIFACTS)}
    assert {int(key.split(":")[2]) for key in kept} == finalists
    for meta in kept.values():
        assert meta["filename"] == "predictions squares.png"
        sheet = np.asarray(Image.open(result.folder.artifacts / meta["artifact_id"]))
        assert sheet.shape[1] > 3 * 200
        assert sheet.std() > 20


def test_a_sheet_gives_way_to_one_of_the_same_name(finished, tmp_path):
    _, result = finished
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "PNG")
    with opened_study(result.study, result.storage) as stored:
        for _ in range(2):
            attach(stored, tmp_path, 10_000, "a.png", stream.getvalue())
        attrs = stored.storage.get_study_system_attrs(stored.id)
    mine = [json.loads(value) for key, value in attrs.items() if key.startswith(f"{ARTIFACTS}10000:")]
    assert [meta["filename"] for meta in mine if meta] == ["a.png"]
    assert len(list(tmp_path.iterdir())) == 1
