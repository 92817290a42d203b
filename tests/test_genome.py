"""Genomes: identity, canonical JSON, refusal of what is not one."""

import json
import os
import random
import subprocess
import sys

import pytest

from nas.errors import UserError
from nas.genome import genome_from_json
from nas.space import load_space, random_params

SPACE = load_space("tiny_unet")


def genome(seed: int = 0):
    return SPACE.decode(random_params(SPACE, random.Random(seed)))


def test_key_is_the_same_in_another_process_with_another_hash_seed():
    code = (
        "import sys; from nas.genome import genome_from_json; from nas.space import load_space; "
        "print(genome_from_json(sys.stdin.read(), load_space('tiny_unet').vocabulary).key)"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=genome().to_json(),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == genome().key, done.stderr


def test_key_is_twelve_hex_digits_and_follows_the_widths():
    first = genome()
    assert len(first.key) == 12
    assert int(first.key, 16) >= 0
    assert first.with_widths([width + 1 for width in first.widths]).key != first.key


def test_genomes_are_hashable_values():
    assert genome(1) == genome(1)
    assert len({genome(1), genome(1), genome(2)}) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a genome"),
        ("{}", "not a genome"),
        ('{"version": 99}', "version 99"),
        ('{"version": 2}', "lacks a part"),
        ("[1]", "not a genome"),
    ],
)
def test_what_is_not_a_genome_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        genome_from_json(text)


def test_an_operator_in_the_wrong_place_is_refused():
    document = json.loads(genome().to_json())
    document["decoder"][0]["skip"] = {"kind": "bilinear"}
    with pytest.raises(UserError, match="where a skip must stand"):
        genome_from_json(json.dumps(document))
