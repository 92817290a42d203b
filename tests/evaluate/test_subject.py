"""How a network is used: as the training that made its weights says, else as is recorded beside the model."""

import pytest
from torch import nn

from nas.evaluate.subject import channels_of_use, load_subject, size_of_use
from nas.evaluate.trained import RECORD, TrainingRecord, write_record
from nas.model_code import ModelCode
from nas.weights import save_weights
from tests.evaluate.test_door import MODEL
from tests.evaluate.test_trained import trained_set

CODE = ModelCode("model.py", lambda: None, constants={"INPUT_SIZE": (64, 96)}, arguments={"sets": [{"name": "one", "in_channels": 5}]})


def record(*sets, weights=("best.safetensors",)):
    return TrainingRecord("model.py", "abc", weights, sets)


def test_the_training_beside_the_weights_comes_first(tmp_path):
    weights = tmp_path / "best.safetensors"
    assert size_of_use(CODE, weights) == (64, 96)
    assert channels_of_use(CODE, weights) == 5
    write_record(tmp_path, record(trained_set("one", (32, 48), channels=1), trained_set("two", (80, 80))))
    assert size_of_use(CODE, weights, "two") == (80, 80)
    assert size_of_use(CODE, weights, "three") == (32, 48)
    assert channels_of_use(CODE, weights, "one") == 1


def test_another_training_says_nothing_of_these_weights(tmp_path):
    write_record(tmp_path, record(trained_set("one", (32, 48))))
    assert size_of_use(CODE, tmp_path / "weights.safetensors") == (64, 96)
    assert size_of_use(CODE, tmp_path / "seed-1" / "best.safetensors") == (64, 96)


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"sets": [{"name": "one"}]}', '{"sets": 3}', '{"sets": [], "weights": []}'])
def test_a_record_of_another_program_says_nothing(tmp_path, text):
    (tmp_path / RECORD).write_text(text)
    assert size_of_use(CODE, tmp_path / "best.safetensors") == (64, 96)


def test_the_network_is_built_for_the_classes_of_its_training(tmp_path):
    (tmp_path / "model.py").write_text(MODEL)  # of two classes
    save_weights(tmp_path / "best.safetensors", nn.Sequential(nn.Conv2d(3, 4, 1)).state_dict())
    write_record(tmp_path, record(trained_set("one", (32, 48), classes=("background", "a", "b", "c"))))
    assert load_subject(str(tmp_path / "model.py"), [tmp_path / "best.safetensors"], None, 3).num_classes == 4


def two_sets(**constants):
    sets = [
        {"name": "small", "classes": ["background", "a"], "image_size": [32, 32], "in_channels": 3},
        {"name": "main", "classes": ["background", "a", "b"], "image_size": [64, 96], "in_channels": 3},
    ]
    return ModelCode("model.py", lambda: None, constants=constants, arguments={"sets": sets})


def test_without_a_name_the_set_is_meant_that_the_file_is_written_for(tmp_path):
    weights = tmp_path / "weights.safetensors"
    assert size_of_use(two_sets(NUM_CLASSES=3, CLASSES=("background", "a", "b")), weights) == (64, 96)
    assert size_of_use(two_sets(NUM_CLASSES=3, CLASSES=("background", "a", "b")), weights, "small") == (32, 32)
    assert size_of_use(two_sets(NUM_CLASSES=2, CLASSES=("background", "other")), weights) == (32, 32)
    assert size_of_use(two_sets(NUM_CLASSES=2), weights) == (32, 32)
    assert size_of_use(two_sets(NUM_CLASSES=(2, 3), CLASSES=("background", "a", "b")), weights) == (32, 32)
