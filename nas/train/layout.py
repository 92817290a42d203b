"""In which order a CPU holds the numbers of images and feature maps while it trains: channels last, or first."""

import torch
from torch import Tensor, nn

from nas.train.formulations.pointwise import MIN_PIXELS


def memory_format_for(model: nn.Module, image: Tensor, batch_size: int, **told: int) -> torch.memory_format:
    """The faster order for a network, a function of its shapes alone.

    Channels last is what the faster layers of `formulations/` work on, and what makes networks with large maps 1.4 times as fast. Where
    no convolution gives as many pixels a batch as these need, the plain layers do all the work, and a single thread's small 1 x 1
    convolutions put every map into the other order and back: channels first is then up to 1.15 times as fast (HWNet-style at 64 x 64,
    batches of 8).

    Args:
        model: On the CPU; its modes stay as they are.
        image: One, with the axis of a batch.
        batch_size: Of the training.
        told: What its forward wants beside.
    """
    largest = 0

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal largest
        largest = max(largest, batch_size * output.shape[0] * output.shape[2] * output.shape[3])

    hooks = [layer.register_forward_hook(note) for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        # A network may draw in eval mode too, and a training that goes on looks once more often than one that never stopped.
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            model(image, **told)
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes:
            module.training = mode
    return torch.channels_last if largest >= MIN_PIXELS else torch.contiguous_format
