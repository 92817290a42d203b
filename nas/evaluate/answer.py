"""What a network answers images with: logits of each class at the images' size, or words about what came instead.

Networks are code of anybody's. Nothing is known of one until it has answered, so every door asks before its long work begins.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nas.errors import UserError
from nas.evaluate.run import accepts_domain
from nas.machine import memory_in_words


def told_domain(model: nn.Module, domain: int | None) -> dict[str, int]:
    """What a network is told beside the image; nothing where its `forward` takes no domain."""
    return {} if domain is None or not accepts_domain(model) else {"domain": domain}


def logits_of(model: nn.Module, images: Tensor, num_classes: int, domain: int | None = None) -> Tensor:
    """Asks a network for the logits of images.

    Args:
        model: Any; on the device of the images.
        images: `batch x C x H x W`, normalised.
        num_classes: Of the answer.
        domain: Position of the head that answers, for a network with several.

    Returns:
        `batch x num_classes x H x W`.

    Raises:
        UserError: It does not take the images, or answers with something else.
    """
    answer = asked(model, images, told_domain(model, domain))
    if not isinstance(answer, Tensor):
        raise UserError(
            f"the network answers with a {type(answer).__name__}: its forward must give one tensor, the logits of {num_classes} classes at "
            "the image's size. Build it within a module whose forward picks them out"
        )
    if tuple(answer.shape) != (len(images), num_classes, *images.shape[2:]):
        raise UserError(
            f"the network answers an image of {tuple(images.shape[2:])} with {tuple(answer.shape)}: logits of {num_classes} classes at the "
            "image's size are needed"
        )
    return answer


def asked(model: nn.Module, images: Tensor, told: Mapping[str, int]) -> Any:
    """Whatever a network answers.

    Args:
        model: Any.
        images: `batch x C x H x W`.
        told: What its forward wants beside.

    Raises:
        UserError: It raises something, memory that does not suffice included.
    """
    channels, height, width = images.shape[1:]
    size = f"{height}x{width} with {channels} channel{'s' if channels != 1 else ''}"
    try:
        with memory_in_words(f"an image of {size} is too large here: give a smaller --image-size"):
            return model(images, **told)
    except UserError:
        raise
    # Whatever a forward of somebody's comes upon: a shape that does not fit, an assertion of its own.
    except Exception as error:
        raise UserError(
            f"the network does not take images of {size} ({type(error).__name__}: {error}). Give the --channels that it "
            "takes, and an --image-size that it works at"
        ) from error


def check_network(model: nn.Module, in_shape: tuple[int, int, int], num_classes: int, domain: int | None = None, batch: int = 1) -> None:
    """Asks a network for the logits of blank images, in the mode that it is in.

    Args:
        model: On the CPU.
        in_shape: Channels, height and width.
        num_classes: Of the answer.
        domain: Position of the head that answers, for a network with several.
        batch: Images at once.

    Raises:
        UserError: As for `logits_of`.
    """
    with torch.no_grad():
        logits_of(model, torch.zeros(batch, *in_shape), num_classes, domain)
