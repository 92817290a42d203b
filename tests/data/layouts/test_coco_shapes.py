import numpy as np
import pytest

from nas.data.layouts.coco_shapes import Shape, decode_counts, decode_runs, draw_shapes, read_shape

SIZE = (12, 16)


def drawn(*polygons, size=SIZE):
    return draw_shapes([Shape(1, 1, 1.0, polygons=polygons)], size)


def encoded(counts):
    """Run lengths as COCO's compressed text, written from the format's description."""
    text = ""
    for index, count in enumerate(counts):
        value = count - (counts[index - 2] if index > 2 else 0)
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + (bits | 32 if more else bits))
    return text


def test_a_known_text():
    # What pycocotools 2.0.11 writes for a 3 x 3 square in the middle of 5 x 5 pixels.
    counts = decode_counts("6320004")
    assert counts == [6, 3, 2, 3, 2, 3, 6]
    expected = np.zeros((5, 5), dtype=bool)
    expected[1:4, 1:4] = True
    assert np.array_equal(decode_runs(counts, (5, 5)), expected)


def test_texts_and_lists_give_the_mask_back():
    draw = np.random.default_rng(0)
    for _ in range(50):
        size = tuple(draw.integers(1, 60, 2).tolist())
        mask = draw.random(size) < draw.random()
        flat = np.concatenate([[False], mask.T.ravel(), [not mask.T.ravel()[-1]]])
        runs = np.diff(np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1])])).tolist()
        assert decode_counts(encoded(runs)) == runs
        for counts in (runs, encoded(runs)):
            shape = read_shape({"segmentation": {"size": list(size), "counts": counts}}, 1, size)
            assert np.array_equal(draw_shapes([shape], size), mask)
            assert shape.area == mask.sum()


@pytest.mark.parametrize("text", ["P", "6 3", "é", "63200o"])
def test_texts_that_are_none(text):
    with pytest.raises(ValueError, match="its run lengths"):
        read_shape({"segmentation": {"size": [5, 5], "counts": text}}, 1, (5, 5))


def test_negative_runs_are_refused():
    with pytest.raises(ValueError, match="whole numbers from 0"):
        read_shape({"segmentation": {"size": [1, 5], "counts": [-1, 6]}}, 1, (1, 5))


def test_a_rectangle_covers_its_pixels():
    expected = np.zeros(SIZE, dtype=np.uint8)
    expected[3:7, 2:9] = 1
    for outline in ((2, 3, 9, 3, 9, 7, 2, 7), (2, 7, 9, 7, 9, 3, 2, 3), (2.4, 3.4, 8.6, 3.4, 8.6, 6.6, 2.4, 6.6)):
        assert np.array_equal(drawn(tuple(map(float, outline))), expected)


def test_what_lies_outside_is_cut_off():
    assert drawn((-5.0, -5.0, 40.0, -5.0, 40.0, 40.0, -5.0, 40.0)).all()
    assert not drawn((20.0, 2.0, 30.0, 2.0, 30.0, 9.0)).any()
    assert not drawn((-9.0, 2.0, -3.0, 2.0, -3.0, 9.0)).any()


def test_overlapping_polygons_of_one_annotation_are_united():
    both = drawn((1.0, 1.0, 8.0, 1.0, 8.0, 8.0, 1.0, 8.0), (5.0, 5.0, 12.0, 5.0, 12.0, 11.0, 5.0, 11.0))
    assert both.sum() == 49 + 42 - 9


def test_a_pixel_belongs_where_its_centre_lies():
    draw = np.random.default_rng(1)
    for _ in range(30):
        points = draw.uniform(-3, 18, (5, 2))
        rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
        inside = np.zeros(SIZE, dtype=bool)
        for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            crosses = (x0 > columns) != (x1 > columns)
            inside ^= crosses & (rows > y0 + (columns - x0) * (y1 - y0) / (x1 - x0))
        assert np.array_equal(drawn(tuple(points.ravel().tolist())), inside)


def test_the_area_is_computed_where_it_is_missing():
    assert read_shape({"segmentation": [[0, 0, 4, 0, 4, 3]]}, 1, SIZE).area == 6
    assert read_shape({"segmentation": [[0, 0, 4, 0, 4, 3]], "area": 5}, 1, SIZE).area == 5
