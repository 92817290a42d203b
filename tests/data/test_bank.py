import dataclasses
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from nas.data import VOID, bank_bytes, build_bank, crew, load_recipe, open_bank, open_data
from nas.errors import UserError
from tests.data.conftest import flat, save

SIZES = ((48, 64), (32, 32))


@pytest.fixture
def data(tmp_path):
    return open_data(flat(tmp_path / "mine", 10, size=(48, 56)))


def build(data, cache, **changes):
    return build_bank(data, **{"image_size": SIZES[0], "train_size": SIZES[1], "views": 2, "seed": 0, "cache": cache, **changes})


def content(bank):
    return {name: getattr(bank, name).tobytes() for name in ("train_images", "train_masks", "val_images", "val_masks")}


def test_a_bank_has_its_shapes_and_facts(data, tmp_path):
    bank = build(data, tmp_path / "cache")
    assert bank.train_images.shape == (2, 6, 32, 32, 3)
    assert bank.train_masks.shape == (2, 6, 32, 32)
    assert bank.val_images.shape == (2, 48, 64, 3)
    assert bank.val_masks.shape == (2, 48, 64)
    assert (bank.name, bank.classes, bank.num_classes) == ("mine", ("background", "class 1"), 2)
    assert (bank.image_size, bank.train_size) == SIZES
    assert bank.val_names == tuple(item.name for item in data.splits["val"])
    kept = bank.train_masks[bank.train_masks != VOID]
    assert bank.pixel_shares == pytest.approx(((kept == 0).mean(), (kept == 1).mean()))
    arrays = (bank.train_images, bank.train_masks, bank.val_images, bank.val_masks)
    assert all(isinstance(array, np.memmap) and array.dtype == np.uint8 and not array.flags.writeable for array in arrays)
    assert bank_bytes(data, *SIZES, 2) == sum(array.nbytes for array in arrays)


def test_validation_images_are_fitted_and_padded_with_void(data, tmp_path):
    bank = build(data, tmp_path / "cache")
    image, mask = data.read(data.splits["val"][0])
    assert np.array_equal(bank.val_images[0][:, 4:60], image)
    assert np.array_equal(bank.val_masks[0][:, 4:60], mask)
    assert (bank.val_masks[0][:, :4] == VOID).all()


def test_bytes_do_not_depend_on_threads(data, tmp_path):
    one, many = (build(data, tmp_path / f"cache{threads}", threads=threads) for threads in (1, 5))
    assert content(one) == content(many)
    assert len({view.tobytes() for view in one.train_images.reshape(12, -1)}) == 12


def test_a_bank_is_drawn_once_and_opened_by_others(data, tmp_path):
    shares = []
    bank = build(data, tmp_path / "cache", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    count = len(shares)
    again = build(data, tmp_path / "cache", progress=shares.append)
    assert len(shares) == count
    assert again.path == bank.path
    assert content(open_bank(bank.path)) == content(bank)


def test_whatever_matters_has_its_own_address(data, tmp_path):
    cache = tmp_path / "cache"
    banks = [
        build(data, cache),
        build(data, cache, seed=1),
        build(data, cache, views=1),
        build(data, cache, train_size=(32, 48)),
        build(data, cache, image_size=(48, 80)),
        build(open_data(tmp_path / "mine", split_seed=1), cache),
    ]
    assert len({bank.path for bank in banks}) == len(banks)


def test_a_changed_recipe_draws_a_new_bank(data, tmp_path):
    before = build(data, tmp_path / "cache")
    changed = dataclasses.replace(load_recipe(), sha256="another")
    assert build(data, tmp_path / "cache", recipe=changed).path != before.path


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_bank_leaves_nothing_behind(data, tmp_path, monkeypatch, error):
    cache = tmp_path / "cache"

    def fail(share):
        if share > 0.4:
            raise error

    with pytest.raises(type(error)):
        build(data, cache, progress=fail)
    assert list(cache.iterdir()) == []
    assert build(data, cache).train_images.any()


def test_a_full_disk_is_noticed_before_drawing(data, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(crew.os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="No space left"):
        build(data, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_drafts_of_killed_runs_are_removed_after_a_day(data, tmp_path):
    cache = tmp_path / "cache"
    for name, age in ((".mine-0123-old", 2 * 86_400), (".mine-0123-new", 60)):
        (cache / name).mkdir(parents=True)
        (cache / name / "train_images.npy").write_bytes(b"half")
        os.utime(cache / name, (time.time() - age,) * 2)
    bank = build(data, cache)
    assert sorted(entry.name for entry in cache.iterdir()) == [".mine-0123-new", bank.path.name]


def test_whoever_finishes_first_wins(data, tmp_path):
    cache = tmp_path / "cache"
    other = []

    def overtake(share):
        if share == 1 and not other:
            other.append(build(data, cache))
            (other[0].path / "mark").write_text("first")

    bank = build(data, cache, progress=overtake)
    assert (bank.path / "mark").read_text() == "first"
    assert [entry.name for entry in cache.iterdir()] == [bank.path.name]


def test_a_bank_without_its_meta_file_is_drawn_anew(data, tmp_path):
    bank = build(data, tmp_path / "cache")
    whole = content(bank)
    (bank.path / "meta.json").unlink()
    with pytest.raises(UserError, match="no bank of images"):
        open_bank(bank.path)
    assert content(build(data, tmp_path / "cache")) == whole


def test_nothing_is_written_into_the_data(data, tmp_path):
    before = sorted(path for path in (tmp_path / "mine").rglob("*"))
    build(data, tmp_path / "cache")
    assert sorted(path for path in (tmp_path / "mine").rglob("*")) == before


def test_bad_data_stops_the_bank_in_words(data, tmp_path):
    victim = data.splits["train"][0].image
    victim.write_bytes(b"")
    with pytest.raises(UserError, match="the file is empty"):
        build(data, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_views_is_no_bank(data, tmp_path):
    with pytest.raises(UserError, match="at least one view"):
        build(data, tmp_path / "cache", views=0)


def test_opening_needs_no_albumentations(data, tmp_path):
    bank = build(data, tmp_path / "cache")
    code = (
        "import sys; from pathlib import Path; from nas.data import open_bank; "
        f"open_bank(Path({str(bank.path)!r})); sys.exit('albumentations' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_meta_file_says_where_a_bank_comes_from(data, tmp_path):
    meta = json.loads((build(data, tmp_path / "cache").path / "meta.json").read_text())
    assert meta["fingerprint"] == data.fingerprint()
    assert meta["split_source"] == "stratified by foreground share, seed 0, 60/20/20"


def test_thin_cracks_survive_into_the_validation_images(tmp_path):
    flat(tmp_path / "thin", 5, size=(96, 96))
    line = np.zeros((96, 96), dtype=np.uint8)
    line[40:42] = 1
    for index in range(5):
        save(tmp_path / "thin" / "masks" / f"{index:03d}.png", line)
    bank = build_bank(open_data(tmp_path / "thin"), (48, 48), (32, 32), 1, 0, tmp_path / "cache")
    assert (bank.val_masks == 1).any(axis=1).all()
