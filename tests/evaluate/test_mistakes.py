"""Where a network is wrong."""

import numpy as np

from nas.data import VOID
from nas.evaluate.mistakes import FALSE, MISSED, RIGHT, Mistakes, along_outlines, overlay


def masks(size=100):
    mask = np.zeros((size, size), dtype=np.uint8)
    mask[20:70, 20:70] = 1
    return mask, mask.copy()


def test_a_fringe_is_along_outlines_and_a_hole_in_the_interior():
    mask, fringe = masks()
    fringe[20:70, 69] = 0
    _, hole = masks()
    hole[40:50, 40:50] = 0
    for found, place in ((fringe, "along outlines"), (hole, "in interiors")):
        mistakes = Mistakes(("background", "square"))
        mistakes.add(mask, found)
        assert mistakes.shares()[place] == 1
        assert mistakes.shares()["square missed"] == 1
        assert f"most of them {place}" in mistakes.table()


def test_objects_by_size():
    mask, found = masks()
    mask[90:92, 90:92] = 1  # 0.04 % of the image, not found
    mistakes = Mistakes(("background", "square"))
    mistakes.add(mask, found)
    assert mistakes.objects.tolist() == [[1, 1, 4, 4], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 2500, 0]]
    assert "| under 0.1 % of the image | 1 | 1 (100 %) | 100.0 % |" in mistakes.table()


def test_confused_classes_are_missed_and_false():
    mask, found = masks()
    found[mask == 1] = 2
    mistakes = Mistakes(("background", "a", "b"))
    mistakes.add(mask, found)
    assert mistakes.shares()["a missed"] == mistakes.shares()["b where it is not"] == 1


def test_void_is_nobodys_mistake():
    mask, found = masks()
    mask[:, :30], found[:, :30] = VOID, 1
    mistakes = Mistakes(("background", "square"))
    mistakes.add(mask, found)
    assert mistakes.wrong == 0
    assert mistakes.table() == "No pixel is wrong."


def test_the_band_follows_outlines():
    band = along_outlines(masks()[0])
    assert band[20, 40]
    assert not band[45, 45]
    assert not band[90, 90]


def test_an_overlay_has_three_colours():
    mask, found = masks()
    found[20:40, 20:70], found[80:90, 80:90] = 0, 1
    shown = overlay(np.full((100, 100, 3), 100, dtype=np.uint8), mask, found)
    tints = {tuple(shown[place]) for place in ((60, 60), (30, 30), (85, 85))}
    expected = {tuple(round(0.4 * 100 + 0.6 * part) for part in colour) for colour in (RIGHT, MISSED, FALSE)}
    assert tints == expected
    assert tuple(shown[5, 5]) == (100, 100, 100)
