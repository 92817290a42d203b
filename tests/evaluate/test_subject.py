"""At which size a network is used: the training that made its weights says it, else what is recorded beside the model."""

import json

import pytest

from nas.evaluate.subject import size_of_use
from nas.model_code import ModelCode

CODE = ModelCode("model.py", lambda: None, constants={"INPUT_SIZE": (64, 96)})


def entry(name, *size):
    return {"name": name, "image_size": list(size)}


def test_the_training_beside_the_weights_comes_first(tmp_path):
    weights = tmp_path / "seed-1" / "fold-2" / "best.safetensors"
    assert size_of_use(CODE, weights) == (64, 96)
    (tmp_path / "summary.json").write_text(json.dumps({"sets": [entry("one", 32, 48), entry("two", 80, 80)]}))
    assert size_of_use(CODE, weights, "two") == (80, 80)
    assert size_of_use(CODE, weights, "three") == (32, 48)


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"sets": [{"name": "one"}]}', '{"sets": 3}', '{"sets": [{"image_size": 64}]}'])
def test_a_summary_of_another_program_says_nothing(tmp_path, text):
    (tmp_path / "summary.json").write_text(text)
    assert size_of_use(CODE, tmp_path / "best.safetensors") == (64, 96)
