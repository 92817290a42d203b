"""Weights in files: safetensors (https://github.com/huggingface/safetensors), or what `torch.save` wrote of a `state_dict`.

Nothing in such a file is run: safetensors holds none, and torch reads with `weights_only=True`.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from nas.errors import UserError
from nas.files import write_bytes

SUFFIX = ".safetensors"


def save_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes weights whole, as safetensors: a full disk or a kill leaves the previous file intact.

    Args:
        path: Of the file.
        tensors: By the names of a network's `state_dict`.

    Raises:
        OSError: As for any write.
    """
    write_bytes(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, {"format": "pt"}))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Reads a file of weights.

    Args:
        path: A `.safetensors`, or a file of `torch.save`: a `state_dict`, or a dictionary that holds one under "state_dict" or "model".

    Returns:
        Tensors by name, on the CPU.

    Raises:
        UserError: There is no such file, it is broken, or it holds something else.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise UserError(f"{path} {what}: give the file of weights, such as best{SUFFIX} in the folder of a training")
    try:
        content = load(path.read_bytes()) if path.suffix == SUFFIX else torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    # torch's reader of other files raises nearly anything: UnpicklingError, EOFError, IndexError, ...
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"{path} holds no weights that can be read safely ({type(error).__name__}: {reason}). Only tensors are read from a file, no "
            f"code: give a {SUFFIX}, or save a state_dict"
        ) from error
    for name in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{path} holds no state_dict: a dictionary of names and tensors is needed, save `model.state_dict()`")
    return {str(name): tensor for name, tensor in content.items()}


def fit_weights(model: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Puts weights into a network.

    Args:
        model: The network.
        tensors: By the names of its `state_dict`.
        source: Where they come from, for messages.

    Raises:
        UserError: They are another network's; the first layer that differs is named, with both shapes.
    """
    own = {name: tensor for name, tensor in model.state_dict().items() if isinstance(tensor, Tensor)}
    for name in own:
        if name not in tensors:
            raise UserError(f"{source} does not fit the model: it has no {name} ({_shape(own[name])}). {_ADVICE}")
        if own[name].shape != tensors[name].shape:
            raise UserError(
                f"{source} does not fit the model: {name} is {_shape(tensors[name])} in the file and {_shape(own[name])} in the model. "
                f"{_ADVICE}"
            )
    strange = [name for name in tensors if name not in own]
    if strange:
        raise UserError(f"{source} does not fit the model, which has no {strange[0]} ({_shape(tensors[strange[0]])}). {_ADVICE}")
    model.load_state_dict(dict(tensors))


_ADVICE = "Give the weights that were trained with this model file, and data with the same classes and channels"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a single number"
