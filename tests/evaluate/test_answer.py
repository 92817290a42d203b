"""Networks of anybody's: an answer that is none is told in words, whatever it is."""

import pytest
import torch
from torch import nn

from nas.errors import UserError
from nas.evaluate.answer import check_network, logits_of


class Says(nn.Module):
    """Gives what a function makes of the image."""

    def __init__(self, say):
        super().__init__()
        self.say = say

    def forward(self, x):
        return self.say(x)


def fails(error):
    def say(x):
        raise error

    return say


@pytest.mark.parametrize(
    ("say", "message"),
    [
        (lambda x: {"out": x}, "answers with a dict: .*one tensor, the logits of 3 classes"),
        (lambda x: (x, x), "answers with a tuple"),
        (lambda x: x[..., ::4, ::4], r"an image of \(8, 16\) with \(1, 3, 2, 4\): logits of 3 classes"),
        (lambda x: x[:, :2], r"with \(1, 2, 8, 16\)"),
        (lambda x: x.mean((2, 3)), r"with \(1, 3\)"),
        (fails(TypeError("two arguments")), r"does not take images of 8x16 with 3 channels \(TypeError: two arguments\).*--channels"),
        (fails(AssertionError("a multiple of 32")), r"\(AssertionError: a multiple of 32\).*--image-size"),
        (fails(RuntimeError("CUDA out of memory. Tried to")), r"does not suffice \(CUDA out of memory.*smaller --image-size"),
        (fails(MemoryError()), r"does not suffice \(MemoryError\)"),
    ],
)
def test_what_is_no_answer_is_said(say, message):
    with pytest.raises(UserError, match=message):
        check_network(Says(say), (3, 8, 16), 3)


def test_an_answer_is_given():
    images = torch.rand(2, 3, 8, 16)
    assert torch.equal(logits_of(Says(torch.neg), images, 3, domain=1), -images)
