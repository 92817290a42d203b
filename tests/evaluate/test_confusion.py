"""Counting pixels."""

import pytest
import torch

from nas.evaluate.confusion import count, empty_confusion, predict

CPU = torch.device("cpu")


def test_rows_are_truth_and_void_is_left_out():
    confusion = empty_confusion(2, CPU)
    count(confusion, torch.tensor([[[0, 1, 1, 1]]]), torch.tensor([[[0, 0, 1, 255]]], dtype=torch.uint8))
    assert confusion.tolist() == [[1, 1], [0, 1]]


def test_adds_to_what_was_counted():
    confusion = empty_confusion(2, CPU)
    for _ in range(3):
        count(confusion, torch.tensor([[[0, 1]]]), torch.tensor([[[1, 1]]]))
    assert confusion.tolist() == [[0, 0], [3, 3]]


def test_only_void_counts_nothing():
    confusion = empty_confusion(4, CPU)
    count(confusion, torch.zeros(1, 2, 2, dtype=torch.int64), torch.full((1, 2, 2), 255, dtype=torch.uint8))
    assert confusion.sum() == 0


def test_a_mask_value_that_is_no_class_is_an_error():
    with pytest.raises(IndexError):
        count(empty_confusion(2, CPU), torch.zeros(1, 1, 1, dtype=torch.int64), torch.full((1, 1, 1), 9))


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="one shape"):
        count(empty_confusion(2, CPU), torch.zeros(1, 2, 2, dtype=torch.int64), torch.zeros(1, 4, 4))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_predict_is_argmax(layout):
    logits = torch.randn(2, 5, 6, 7, generator=torch.Generator().manual_seed(0)).contiguous(memory_format=layout)
    assert torch.equal(predict(logits), logits.argmax(dim=1))


def test_predict_prefers_the_lowest_class_among_equals():
    assert predict(torch.zeros(1, 3, 2, 2)).unique().tolist() == [0]
