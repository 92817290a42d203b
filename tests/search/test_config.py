"""Settings and flags."""

import argparse
from dataclasses import fields
from pathlib import Path

import pytest

from nas.errors import UserError
from nas.flags import count, image_size, size_in_bytes, workers
from nas.search import SearchConfig
from nas.search.options import config_of, parse


def test_the_flags_are_the_settings():
    flags = set(vars(parse([]))) - {"dry_run", "given", "quiet", "verbose"}
    assert flags == {field.name for field in fields(SearchConfig)}
    assert config_of(parse([])) == SearchConfig()


def test_flags_reach_their_settings():
    text = "--budget 5K --max-macs 50M --max-memory 512K --image-size 64x96 --objectives dice,params --workers auto --data x --layout voc"
    config = config_of(parse(text.split()))
    assert config.budget == 5_000
    assert config.max_macs == 50_000_000
    assert config.max_memory == 512 * 1024
    assert config.image_size == (64, 96)
    assert config.objectives == ("dice", "params")
    assert config.workers is None
    assert config.data == ("x",)
    assert config.layout == "voc"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objectives": ("iou", "speed")}, r"unknown objective 'speed'.*dice"),
        ({"objectives": ("macs",)}, "must be an accuracy"),
        ({"objectives": ("iou", "iou")}, "named once"),
        ({"objectives": ()}, "at least one objective"),
        ({"sampler": "magic"}, r"unknown sampler 'magic'.*tpe"),
        ({"sampler": "tpe:"}, r"unknown sampler 'tpe:'.*module:Class"),
        ({"device": "tpu"}, r"unknown device 'tpu'.*cuda"),
        ({"budget": 0}, "--budget must be at least 1"),
        ({"trials": 0}, "--trials must be at least 1"),
        ({"batch_size": 1}, "--batch-size must be at least 2"),
        ({"timeout": -1.0}, "--timeout"),
        ({"timeout": float("nan")}, "--timeout"),
        ({"seed": 2**63}, "--seed"),
        ({"study": "a/b"}, "name of its folder"),
        ({"study": ""}, "name of its folder"),
    ],
)
def test_mistakes_are_named(change, message):
    with pytest.raises(UserError, match=message):
        SearchConfig(**change)


@pytest.mark.parametrize(("text", "value"), [("10000", 10_000), ("50M", 50_000_000), ("1.5k", 1_500), ("1_000", 1_000), ("2G", 2 * 10**9)])
def test_counts(text, value):
    assert count(text) == value


@pytest.mark.parametrize(("text", "value"), [("512K", 524_288), ("1M", 1_048_576), ("7", 7)])
def test_sizes_in_bytes(text, value):
    assert size_in_bytes(text) == value


@pytest.mark.parametrize(
    ("read", "text"), [(count, "many"), (count, ""), (count, "infM"), (image_size, "3x4x5"), (image_size, "0"), (workers, "-1")]
)
def test_what_cannot_be_read_is_refused(read, text):
    with pytest.raises(argparse.ArgumentTypeError, match="was given"):
        read(text)


def test_one_number_is_a_square():
    assert image_size("128") == (128, 128)


def test_single_values_are_accepted_from_python():
    config = SearchConfig(data="synthetic:blobs", objectives="iou, macs", home="~/x", image_size=64)
    assert config.data == ("synthetic:blobs",)
    assert config.objectives == ("iou", "macs")
    assert config.home == Path.home() / "x"
    assert config.image_size == (64, 64)
