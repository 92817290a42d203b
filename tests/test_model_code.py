"""Networks that somebody brings: files and functions, good and bad."""

import json

import pytest
import torch
from torch import nn

from nas.errors import UserError
from nas.model_code import load_model_code

FILE = """
from torch import nn
PARAMS, NUM_CLASSES, INPUT_SIZE = 8, 2, (32, 48)
def build_model(in_channels: int = 3, num_classes: int = NUM_CLASSES) -> nn.Module:
    return nn.Conv2d(in_channels, num_classes, 1)
"""


def tiny(num_classes=3):
    return nn.Conv2d(3, num_classes, 1)


def no_module():
    return 7


def broken(in_channels, num_classes):
    raise ValueError("not today")


def test_a_file_with_its_arguments(tmp_path):
    path = tmp_path / "found" / "model.py"
    path.parent.mkdir()
    path.write_text(FILE)
    (path.parent / "training_args.json").write_text(json.dumps({"sets": [{"name": "a"}]}))
    code = load_model_code(str(path))
    assert code.name == "found"
    assert code.constants["INPUT_SIZE"] == (32, 48)
    assert code.arguments["sets"][0]["name"] == "a"
    assert code.build(4, 5)(torch.zeros(1, 4, 8, 8)).shape == (1, 5, 8, 8)
    assert not list(path.parent.glob("__pycache__"))


def test_a_function_takes_what_it_names():
    code = load_model_code(f"{__name__}:tiny")
    assert code.name == "tiny"
    assert code.build(1, 2).weight.shape == (2, 3, 1, 1)
    assert code.takes_classes
    assert code.digest


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere.py", "no model file"),
        (".", "name the model file in it"),
        (f"{__name__}:gone", "has no 'gone'"),
        ("no_such_module_at_all:f", "cannot be imported"),
        ("sys:gone", "has no 'gone'"),
        (f"{__name__}:FILE", "is a str: a function"),
    ],
)
def test_what_is_not_there_is_named(spec, message):
    with pytest.raises(UserError, match=message):
        load_model_code(spec)


@pytest.mark.parametrize(
    ("name", "message"), [("no_module", "gave a int: an nn.Module"), ("broken", "in_channels=3, num_classes=2.*not today")]
)
def test_what_cannot_be_built_is_named(name, message):
    with pytest.raises(UserError, match=message):
        load_model_code(f"{__name__}:{name}").build(3, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [("x = 1\n", "no function build_model"), ("import nothing_like_it\n", "fails.*nothing_like_it"), ("def (:\n", "SyntaxError")],
)
def test_a_bad_file_is_explained(tmp_path, text, message):
    path = tmp_path / "m.py"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_model_code(str(path))


@pytest.mark.parametrize(
    ("written", "read"), [("INPUT_SIZE = 96", (96, 96)), ("INPUT_SIZE = [64, 96]", (64, 96)), ("NUM_CLASSES = [2, 7]", (2, 7))]
)
def test_constants_edited_by_hand_are_read_as_they_are_meant(tmp_path, written, read):
    path = tmp_path / "m.py"
    path.write_text(f"{FILE}\n{written}\n")
    assert load_model_code(str(path)).constants[written.partition(" ")[0]] == read


@pytest.mark.parametrize(
    "written",
    ["INPUT_SIZE = '96'", "INPUT_SIZE = (96,)", "INPUT_SIZE = 0", "INPUT_SIZE = (9.5, 9.5)", "NUM_CLASSES = 'two'", "NUM_CLASSES = ()"],
)
def test_constants_that_mean_nothing_are_named(tmp_path, written):
    path = tmp_path / "m.py"
    path.write_text(f"{FILE}\n{written}\n")
    with pytest.raises(UserError, match=f"{written.partition(' ')[0]} of .*m.py is .*needed"):
        load_model_code(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1]",
        '{"sets": {}}',
        '{"sets": ["a"]}',
        '{"sets": [{"recipe": []}]}',
        '{"sets": [{"items": null}]}',
        '{"sets": [{"image_size": [32]}]}',
        '{"sets": [{"image_size": [32, null]}]}',
    ],
)
def test_bad_arguments_are_explained(tmp_path, text):
    (tmp_path / "m.py").write_text(FILE)
    (tmp_path / "training_args.json").write_text(text)
    with pytest.raises(UserError, match=r"training_args\.json"):
        load_model_code(str(tmp_path / "m.py"))
