"""Recipe files of one's own: what works, and what is refused in words."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from nas.data import build_bank, load_recipe, open_data, transforms
from nas.errors import UserError
from tests.data.conftest import flat, picture, save, spot

PLAIN = """
import albumentations as A

def training_transform(train_size):
    return A.Compose([{steps}])
"""
SIZES = {"image_size": (48, 64), "train_size": (32, 32)}


@pytest.fixture
def data(tmp_path):
    return open_data(flat(tmp_path / "mine", 10, size=(48, 56)))


@pytest.fixture
def write(tmp_path):
    def made(steps, text=PLAIN):
        file = tmp_path / "my.py"
        file.write_text(text.replace("{steps}", steps))
        return load_recipe(file)

    return made


def build(data, cache, recipe, **changes):
    return build_bank(data, **{**SIZES, "views": 3, "seed": 0, "cache": cache, "recipe": recipe, **changes})


def test_a_copy_of_the_built_in_recipe_draws_the_same_views(data, tmp_path):
    copy = Path(shutil.copy(transforms.__file__, tmp_path / "copy.py"))
    ours, theirs = (build(data, tmp_path / "cache", recipe) for recipe in (load_recipe(), load_recipe(copy)))
    assert ours.path != theirs.path
    assert np.array_equal(ours.train_images, theirs.train_images)
    assert np.array_equal(ours.train_masks, theirs.train_masks)


def test_an_edited_copy_draws_other_views_and_another_bank(data, tmp_path):
    copy = Path(shutil.copy(transforms.__file__, tmp_path / "copy.py"))
    before = build(data, tmp_path / "cache", load_recipe(copy))
    # The same length, and within the same second: Python's own import would take the old one for good.
    copy.write_text(copy.read_text().replace("FLIP = 0.5", "FLIP = 0.0"))
    after = build(data, tmp_path / "cache", load_recipe(copy))
    assert after.path != before.path
    assert not np.array_equal(after.train_images, before.train_images)


def test_views_of_a_file_do_not_depend_on_threads(data, tmp_path, write):
    recipe = write("A.RandomRotate90(), A.GaussNoise(p=0.7), A.RandomCrop(*train_size)")
    one, many = (build(data, tmp_path / f"cache{threads}", recipe, threads=threads) for threads in (1, 5))
    assert np.array_equal(one.train_images, many.train_images)
    assert len({view.tobytes() for view in one.train_images.reshape(18, -1)}) == 18


def test_nothing_is_left_beside_the_file(tmp_path, write):
    write("A.RandomCrop(*train_size)")
    assert [path.name for path in tmp_path.iterdir()] == ["my.py"]


def test_the_meta_file_names_the_recipe(data, tmp_path, write):
    import json

    recipe = write("A.RandomCrop(*train_size)")
    meta = json.loads((build(data, tmp_path / "cache", recipe).path / "meta.json").read_text())
    assert meta["transforms"] == {"file": str(tmp_path / "my.py"), "sha256": recipe.sha256, "description": ""}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def training_transform(train_size:\n", r"fails with SyntaxError: .*line 1"),
        ("x = 1\nimport no_such_module\n", r"fails in line 2 with ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)\n", "fails in line 1 with SystemExit: 3"),
        ("x = 1\n", r"has no function training_transform\(train_size\)"),
        ("training_transform = 3\n", "has an int for a function training_transform"),
        ("def training_transform():\n    pass\n", "cannot be called with the size of a view"),
        ("def training_transform(train_size, strength):\n    pass\n", "missing a required argument: 'strength'"),
    ],
)
def test_files_that_cannot_be_loaded(tmp_path, text, words):
    file = tmp_path / "my.py"
    file.write_text(text)
    with pytest.raises(UserError, match=words) as error:
        load_recipe(file)
    assert str(file) in str(error.value)


def test_missing_files(tmp_path):
    with pytest.raises(UserError, match=r"none\.py does not exist: give a Python file with a function training_transform"):
        load_recipe(tmp_path / "none.py")
    with pytest.raises(UserError, match="is a folder"):
        load_recipe(tmp_path)


CROP = "A.RandomCrop(*train_size)"
OWN = """
import albumentations as A
import numpy as np

class Noise(A.ImageOnlyTransform):
    def apply(self, image, **params):
        return np.clip(image + {draw}.integers(-20, 21), 0, 255).astype(np.uint8)

shared = np.random.default_rng()

def training_transform(train_size):
    return A.Compose([A.RandomCrop(*train_size), Noise(p=1)])
"""


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("A.HorizontalFlip()", r"gives the image as 48x56x3 for the image .*\.png; expected 32x32x3: end with a crop"),
        (f"{CROP}, A.Normalize()", "gives the image as float32 .*expected uint8.*leave Normalize"),
        (f"{CROP}, A.ToGray(num_output_channels=1, p=1)", "gives the image as 32x32 .*expected 32x32x3: as many channels"),
        (f"A.RandomCrop(64, 64), {CROP}", r"my\.py fails on the image .*\.png \(48x56 at the size of use, views are 32x32\) with"),
        ("A.PadIfNeeded(64, 64, border_mode=0, fill_mask=9), A.Resize(*train_size)", "a mask that holds 9 .*the classes 0 to 1 and 255"),
        ("A.Rotate((30, 30), mask_interpolation=1, border_mode=0, fill_mask=255, p=1), A.Resize(*train_size)", "mask_interpolation=cv2"),
    ],
)
def test_pipelines_that_give_what_cannot_be_trained_on(data, tmp_path, write, steps, words):
    recipe = write(steps)
    with pytest.raises(UserError, match=words) as error:
        build(data, tmp_path / "cache", recipe)
    assert str(tmp_path / "my.py") in str(error.value)
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def training_transform(train_size):\n    return [train_size]\n", "returned a list; expected an albumentations.Compose"),
        ("def training_transform(train_size):\n    pass\n", "returned nothing; expected an albumentations.Compose"),
        (
            "def training_transform(train_size):\n    return 1 / 0\n",
            r"\(\(32, 32\)\) fails in line 2 with ZeroDivisionError",
        ),
    ],
)
def test_functions_that_make_no_pipeline(data, tmp_path, write, text, words):
    with pytest.raises(UserError, match=words):
        build(data, tmp_path / "cache", write("", text))


def test_a_failure_late_in_a_set_names_its_image(data, tmp_path, write):
    """The first image passes; a small one later cannot be cropped."""
    victim = data.splits["train"][-1]
    save(victim.image, picture(3, (24, 90)))
    save(victim.mask, spot((24, 90)))
    with pytest.raises(UserError, match=rf"fails on the image .*{victim.image.name} \(17x64 at the size of use"):
        build(data, tmp_path / "cache", write(CROP))
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("draw", ["np.random.default_rng()", "shared"])
def test_views_that_are_no_function_of_their_seed_are_refused(data, tmp_path, write, draw):
    with pytest.raises(UserError, match=r"two different views from one seed.*self\.random_generator"):
        build(data, tmp_path / "cache", write("", OWN.replace("{draw}", draw)))


def test_a_transform_of_ones_own_draws_from_the_generator_that_it_is_given(data, tmp_path, write):
    recipe = write("", OWN.replace("{draw}", "self.random_generator"))
    one, many = (build(data, tmp_path / f"cache{threads}", recipe, threads=threads) for threads in (1, 5))
    assert np.array_equal(one.train_images, many.train_images)
