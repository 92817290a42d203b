"""Where a training stands: all that is needed to go on as if it had never stopped, and its bytes.

A state lies on the CPU whatever trained it, so it can be handed to another process or machine. Its tensors are slices of one block for
each type of number: a network of 10,000 parameters has some 400 small tensors, and copying or writing them one by one would take longer,
and more bytes, than their content (about 160 KB: weights, average, two moments).
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

FORMAT = 1
_SECTIONS = ("weights", "ema", "optimiser", "random")


@dataclass(frozen=True, eq=False)
class TrainState:
    """The state of a training after an epoch.

    Attributes:
        epoch: epochs completed. The position in the schedule, in the order of images and in the bank's views follow from it.
        weights: the network's parameters and buffers, by the names of its `state_dict`.
        ema: the moving average of the same; counters, which cannot be averaged, are those of the network.
        optimiser: AdamW's moments and steps, under `<parameter>/<quantity>`.
        random: the state of torch's generators, by type of device.
    """

    epoch: int
    weights: Mapping[str, Tensor]
    ema: Mapping[str, Tensor]
    optimiser: Mapping[str, Tensor]
    random: Mapping[str, Tensor]

    def to_bytes(self) -> bytes:
        """Write the state; equal states give equal bytes."""
        tensors = [(section, name, tensor) for section in _SECTIONS for name, tensor in getattr(self, section).items()]
        layout = [(section, name, _dtype_name(tensor), list(tensor.shape)) for section, name, tensor in tensors]
        blocks = _blocks([tensor for _, _, tensor in tensors])
        buffer = io.BytesIO()
        torch.save({"format": FORMAT, "epoch": self.epoch, "layout": json.dumps(layout), "blocks": blocks}, buffer)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, written: bytes) -> "TrainState":
        """Read what `to_bytes` wrote; code that the bytes might hold is not run.

        Args:
            written: the bytes.

        Raises:
            ValueError: if they were written in another format.
        """
        stored: dict[str, Any] = torch.load(io.BytesIO(written), weights_only=True)
        if stored.get("format") != FORMAT:
            raise ValueError(f"a training state must have format {FORMAT}, got {stored.get('format')}: start the training again")
        layout = json.loads(stored["layout"])
        slices = _slices(stored["blocks"], [(dtype, shape) for _, _, dtype, shape in layout])
        sections: dict[str, dict[str, Tensor]] = {section: {} for section in _SECTIONS}
        for (section, name, _, _), tensor in zip(layout, slices, strict=True):
            sections[section][name] = tensor
        return cls(epoch=stored["epoch"], **sections)


def on_host(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors to the CPU, with one transfer for each type of number.

    Args:
        tensors: on one device, in any memory layout.

    Returns:
        The same names with contiguous copies.
    """
    found: dict[torch.dtype, Iterator[Tensor]] = {}
    for dtype, alike in _by_dtype(list(tensors.values())).items():
        # As DistributedDataParallel cuts its buckets: three times as fast as slices and views one by one.
        found[dtype] = iter(_unflatten_dense_tensors(_joined(alike).cpu(), alike))  # type: ignore[no-untyped-call]
    return {name: next(found[tensor.dtype]) for name, tensor in tensors.items()}


def load_weights(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put weights into a network, wherever and in whatever memory layout it has its own.

    Args:
        model: the network.
        tensors: by the names of its `state_dict`.

    Raises:
        ValueError: if they are the weights of another network.
    """
    own = {name: tensor for name, tensor in model.state_dict().items() if isinstance(tensor, Tensor)}
    strange = sorted(own.keys() ^ tensors.keys()) or [name for name in own if own[name].shape != tensors[name].shape]
    if strange:
        raise ValueError(
            f"a state must come from the same network: {', '.join(strange[:3])} ({len(strange)} in all) differ in name or shape"
        )
    for name, tensor in own.items():
        tensor.copy_(tensors[name])


def load_ema(model: nn.Module, state: TrainState) -> None:
    """Put the averaged weights of a state into a network: the network as it was evaluated.

    Args:
        model: of the architecture that was trained, on any device.
        state: of its training.

    Raises:
        ValueError: if the state is that of another network.
    """
    load_weights(model, state.ema)


def _dtype_name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _by_dtype(tensors: list[Tensor]) -> dict[torch.dtype, list[Tensor]]:
    found: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors:
        found.setdefault(tensor.dtype, []).append(tensor)
    return found


def _joined(tensors: list[Tensor]) -> Tensor:
    """A new tensor of all numbers; of a single tensor PyTorch would give a view."""
    flat: Tensor = _flatten_dense_tensors(tensors)  # type: ignore[no-untyped-call]
    return flat.detach().clone() if len(tensors) == 1 else flat.detach()


def _blocks(tensors: list[Tensor]) -> dict[str, Tensor]:
    blocks = {_dtype_name(alike[0]): _joined(alike) for alike in _by_dtype(tensors).values()}
    return dict(sorted(blocks.items()))


def _slices(blocks: Mapping[str, Tensor], wanted: list[tuple[str, list[int]]]) -> list[Tensor]:
    """Cut blocks into tensors of the wanted types and shapes, in order."""
    lengths = {name: [prod(shape) for dtype, shape in wanted if dtype == name] for name in blocks}
    parts = {name: iter(torch.split(block, lengths[name])) for name, block in blocks.items()}
    return [next(parts[dtype]).view(shape) for dtype, shape in wanted]
