import hashlib
import os
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from nas.data import check_data, open_data, open_synthetic
from nas.data.synthetic import COUNTS, KINDS

NAMES = [kind.name for kind in KINDS]
SPECS = ["synthetic", *(f"synthetic:{name}" for name in NAMES)]


@pytest.mark.parametrize("spec", SPECS)
def test_sets_have_their_sizes_and_classes(spec):
    data = open_data(spec)
    assert {split: len(items) for split, items in data.splits.items()} == COUNTS
    assert data.location == spec
    assert len({item.name for items in data.splits.values() for item in items}) == sum(COUNTS.values())
    items = [item for split in data.splits.values() for item in split[:10]]
    masks = []
    for item in items:
        image, mask = data.read(item)
        assert image.shape == (64, 64, 3)
        assert mask.shape == (64, 64)
        assert image.dtype == mask.dtype == np.uint8
        masks.append(mask)
    assert set(np.unique(masks)) == set(range(data.num_classes))
    assert len({data.read_image(item).tobytes() for item in items}) == len(items)


def test_the_mixed_set_is_balanced_and_has_a_class_for_each_kind():
    data = open_synthetic()
    assert data.classes == ("background", *NAMES)
    for items in data.splits.values():
        kinds = [item.name.partition("/")[2].split("-")[0] for item in items]
        assert [kinds.count(name) for name in NAMES] == [len(items) // 5] * 5
    for number, item in enumerate(data.splits["train"][:5], start=1):
        assert set(np.unique(data.read_mask(item))) == {0, number}


def test_a_picture_is_the_same_in_every_process():
    code = "from nas.data import open_data; d = open_data('synthetic'); print(d.fingerprint(), d.read_image(d.splits['val'][7]).sum())"
    answers = {
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("0", "1")
    }
    assert len(answers) == 1


def test_fingerprints_differ_between_sets():
    assert len({open_data(spec).fingerprint() for spec in SPECS}) == len(SPECS)


def test_a_picture_does_not_depend_on_what_was_drawn_before():
    data = open_data("synthetic:leaves")
    first, second = data.splits["train"][:2]
    alone = hashlib.blake2b(data.read_image(second).tobytes()).hexdigest()
    data.read(first)
    assert hashlib.blake2b(data.read_image(second).tobytes()).hexdigest() == alone


def test_cracks_stay_connected():
    data = open_data("synthetic:cracks")
    sizes = []
    for item in data.splits["train"][:60]:
        _, _, stats, _ = cv2.connectedComponentsWithStats(data.read_mask(item), connectivity=8)
        sizes += stats[1:, cv2.CC_STAT_AREA].tolist()
    # A few specks come from a branch that just touches the border; torn lines would give dozens of them.
    assert np.median(sizes) > 60
    assert np.mean(np.array(sizes) < 6) < 0.15


@pytest.mark.parametrize("name", NAMES)
def test_drawing_is_quick(name):
    data = open_data(f"synthetic:{name}")
    start = time.process_time()
    for item in data.splits["train"][:40]:
        data.read(item)
    # 1 to 4 ms on the machine this was written on; the bound allows for one several times slower.
    assert (time.process_time() - start) / 40 < 0.025


def test_the_default_set_passes_the_check():
    facts = check_data(open_synthetic())
    assert facts.counts == COUNTS
    assert facts.void_share == 0
    assert len(facts.pixel_shares) == 6
    assert min(facts.pixel_shares) > 0.005
