"""A small data set on disk, and searches on it that take seconds."""

import numpy as np
import pytest
from PIL import Image

from nas.search import SearchConfig, opened_study, run_search


def write_set(root, train=12, val=6, size=(32, 32)):
    """Bright squares on noise: one class, in the generic layout."""
    draw = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val), ("test", 2)):
        for part in ("images", "masks"):
            (root / split / part).mkdir(parents=True)
        for i in range(count):
            image = draw.integers(0, 120, (*size, 3), dtype=np.uint8)
            mask = np.zeros(size, dtype=np.uint8)
            top, left = draw.integers(2, 14, 2)
            mask[top : top + 12, left : left + 12] = 1
            image[mask == 1] += 100
            Image.fromarray(image).save(root / split / "images" / f"{i:03}.png")
            Image.fromarray(mask).save(root / split / "masks" / f"{i:03}.png")
    return root


@pytest.fixture(scope="session")
def squares(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data") / "squares")


@pytest.fixture
def quick(squares, tmp_path):
    """Settings of a search of seconds, trained in this process."""

    def make(**changes):
        settings = {"data": (str(squares),), "trials": 3, "epochs": 2, "workers": 0, "device": "cpu", "home": tmp_path, "study": "quick"}
        return SearchConfig(**settings | {"finalists": 0} | changes)

    return make


@pytest.fixture(scope="session")
def finished(squares, tmp_path_factory):
    """A search that has ended, for tests that only look at it."""
    home = tmp_path_factory.mktemp("home")
    given = {"data": (str(squares),), "trials": 5, "epochs": 2, "workers": 0, "device": "cpu", "home": home, "study": "finished"}
    config = SearchConfig(**given, finalists=2, final_seeds=2)
    return config, run_search(config)


@pytest.fixture
def finished_study(finished):
    _, result = finished
    with opened_study(result.study, result.storage) as stored:
        yield stored
