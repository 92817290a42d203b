"""The recipe's ranges and its way to JSON."""

import json
from dataclasses import fields

import pytest

from nas.errors import UserError
from nas.train import Recipe

OTHER = {
    "epochs": 7,
    "parts": 5,
    "batch_size": 4,
    "learning_rate": 0.5,
    "weight_decay": 0.3,
    "warmup": 0.25,
    "ema_decay": 0.5,
    "loss": "focal",
    "dice_weight": 0.7,
    "class_weights": "inverse",
    "validations": 3,
    "seed": 11,
    "max_grad_norm": 2.0,
}


def test_every_field_survives_json():
    recipe = Recipe(**OTHER)
    assert set(OTHER) == {field.name for field in fields(Recipe)}
    assert all(getattr(Recipe(), name) != value for name, value in OTHER.items())
    assert Recipe.from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_a_part_is_completed_with_defaults():
    assert Recipe.from_dict({"epochs": 3}) == Recipe(epochs=3)


def test_an_unknown_field_is_named():
    with pytest.raises(UserError, match=r"momentum.*learning_rate"):
        Recipe.from_dict({"momentum": 0.9})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("batch_size", 1),
        ("parts", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("weight_decay", -0.1),
        ("warmup", 1.0),
        ("ema_decay", 1.0),
        ("ema_decay", "much"),
        ("dice_weight", -1.0),
        ("class_weights", "cube"),
        ("validations", 0),
        ("validations", 99),
        ("seed", -1),
        ("seed", True),
        ("max_grad_norm", 0.0),
    ],
)
def test_nonsense_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=field):
        Recipe(**{"epochs": 10, field: value})


@pytest.mark.parametrize("epochs", [1, 2, 7, 10])
def test_validations_are_as_many_as_asked_for_and_end_with_the_last_epoch(epochs):
    for validations in range(1, epochs + 1):
        recipe = Recipe(epochs=epochs, validations=validations)
        when = [epoch for epoch in range(1, epochs + 1) if recipe.validates(epoch)]
        assert len(when) == validations
        assert when[-1] == epochs


def test_validations_are_evenly_spread():
    recipe = Recipe(epochs=12, validations=4)
    assert [epoch for epoch in range(1, 13) if recipe.validates(epoch)] == [3, 6, 9, 12]
