"""What networks say of a whole image in its own size: scaled to the size of use, answered, and the answer scaled back."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas.data import fitted_size, pad_image, resize_image
from nas.data.images import Bytes
from nas.evaluate.answer import logits_of
from nas.evaluate.normalise import normalise
from nas.evaluate.precision import full_float32

STEP = 16
"""Sides that networks see are multiples of this: they halve up to four times."""

SCALES = (0.75, 1.25)
"""Of the size of use, beside 1, where test-time augmentation asks for scales."""

TTA = ("flips", "scales")
"""Test-time augmentations: mirrored left to right, upside down and both; and at other scales."""


@dataclass(frozen=True)
class Predictor:
    """Networks that answer together, the mean of their probabilities.

    Attributes:
        models: One, or an ensemble; on the device, in eval mode.
        image_size: Height and width of use.
        num_classes: Classes of the answer.
        device: Where.
        tta: Test-time augmentations, of `TTA`.
        domain: Position of the data set for networks with several heads.
    """

    models: Sequence[nn.Module]
    image_size: tuple[int, int]
    num_classes: int
    device: str = "cpu"
    tta: Sequence[str] = ()
    domain: int = 0

    def __call__(self, image: Bytes) -> Tensor:
        """Answers one image.

        Args:
            image: `H x W x C`, 0..255.

        Returns:
            Probabilities, `classes x H x W`, float32, on the CPU.

        Raises:
            UserError: A network does not take the image, or answers with other classes.
        """
        with torch.inference_mode(), full_float32(torch.device(self.device)):
            return torch.stack([self._at(image, size) for size in self._sizes()]).mean(0)

    def _sizes(self) -> list[tuple[int, int]]:
        scales = (1.0, *SCALES) if "scales" in self.tta else (1.0,)
        height, width = self.image_size
        return [(max(STEP, STEP * round(height * scale / STEP)), max(STEP, STEP * round(width * scale / STEP))) for scale in scales]

    def _at(self, image: Bytes, size: tuple[int, int]) -> Tensor:
        height, width = fitted_size((image.shape[0], image.shape[1]), size)
        pixels, top, left = pad_image(resize_image(image, (height, width)), size)
        inputs = normalise(torch.from_numpy(pixels)[None].to(self.device))
        answer = self._flipped(inputs)[:, :, top : top + height, left : left + width]
        if (height, width) != image.shape[:2]:
            answer = F.interpolate(answer, size=image.shape[:2], mode="bilinear", align_corners=False)
        return answer[0].cpu()

    def _flipped(self, inputs: Tensor) -> Tensor:
        axes: list[list[int]] = [[], [3], [2], [2, 3]] if "flips" in self.tta else [[]]
        answers = [self._probability(model, inputs.flip(axis) if axis else inputs).flip(axis) for model in self.models for axis in axes]
        return torch.stack(answers).mean(0)

    def _probability(self, model: nn.Module, inputs: Tensor) -> Tensor:
        logits = logits_of(model, inputs, self.num_classes, self.domain)
        probability: Tensor = logits.float().softmax(1)
        return probability
