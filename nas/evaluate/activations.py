"""The referee of activation memory: watches a forward pass, and counts which tensors must be alive at each operation.

Eager PyTorch holds more than it must (a module's caller keeps the input until the module returns), and how much more depends on how the
Python is written. So the operations are recorded as they run, and liveness is worked out from the record by the convention of `nas.cost`.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class Operation:
    """One operation of a forward pass.

    Attributes:
        reads: Buffers it reads.
        writes: Buffers it makes: names not read before.
        in_place: Whether it may overwrite what it reads: pointwise on a single tensor, of the output's size.
    """

    reads: tuple[int, ...]
    writes: tuple[int, ...]
    in_place: bool


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records the operations on what depends on the inputs; weights, and kernels computed from weights, are no activations.

    Args:
        inputs: What the forward pass begins with.
    """

    def __init__(self, inputs: Sequence[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes: dict[int, int] = {}
        self.operations: list[Operation] = []
        self._kept: list[torch.Tensor] = []  # Storages must live on, else their addresses would be given out again.
        for tensor in inputs:
            self._note(tensor)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        result = func(*args, **kwargs)
        reads = tuple(dict.fromkeys(_storage(tensor) for tensor in given if _storage(tensor) in self.sizes))
        # Integers are max-pooling's indices, which only its gradient needs.
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]
        if reads:
            known = set(self.sizes)
            writes = tuple(dict.fromkeys(name for name in map(self._note, made) if name not in known))
            # A clone is tagged pointwise too, but the copy of a transposed view cannot overwrite it.
            unary = torch.Tag.pointwise in func.tags and func is not torch.ops.aten.clone.default and len(reads) == len(writes) == 1
            self.operations.append(Operation(reads, writes, unary and self.sizes[reads[0]] == self.sizes[writes[0]]))
        return result

    def _note(self, tensor: torch.Tensor) -> int:
        name = _storage(tensor)
        if name not in self.sizes:
            self._kept.append(tensor)
            self.sizes[name] = tensor.untyped_storage().nbytes() // tensor.element_size()
        return name


def _storage(tensor: torch.Tensor) -> int:
    address: int = tensor.untyped_storage()._cdata
    return address


def measured_peak(
    module: nn.Module, inputs: Sequence[torch.Tensor], told: Mapping[str, int] | None = None, *, hold_inputs: bool = False
) -> int:
    """Largest number of elements alive at once in a forward pass in eval mode, norms folded.

    Args:
        module: What runs.
        inputs: Its arguments.
        told: What its forward wants beside, such as a domain.
        hold_inputs: Whether the inputs stay alive to the end, as where a skip waits for them.
    """
    folded = without_norms(module).eval()
    inputs = [tensor.clone() for tensor in inputs]
    with torch.no_grad(), Recorder(inputs) as record:
        output = folded(*inputs, **(told or {}))
    results = {_storage(leaf) for leaf in tree_leaves(output) if isinstance(leaf, torch.Tensor)}
    held = results | ({_storage(tensor) for tensor in inputs} if hold_inputs else set())
    return _peak(record, [_storage(tensor) for tensor in inputs], held)


def _peak(record: Recorder, inputs: Sequence[int], held: set[int]) -> int:
    last = {name: position for position, operation in enumerate(record.operations) for name in (*operation.writes, *operation.reads)}
    alive = set(inputs)
    total = peak = sum(record.sizes[name] for name in alive)
    for position, operation in enumerate(record.operations):
        dying = {name for name in operation.reads if last[name] == position and name not in held}
        made = sum(record.sizes[name] for name in operation.writes)
        freed = sum(record.sizes[name] for name in dying & alive)
        peak = max(peak, total if operation.in_place and dying else total + made)
        total += made - freed
        alive |= set(operation.writes)
        alive -= dying
    return peak


def without_norms(module: nn.Module) -> nn.Module:
    """A copy whose batch normalisations do nothing: in use they are folded into the convolutions."""
    copied = copy.deepcopy(module)
    for parent in list(copied.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                setattr(parent, name, nn.Identity())
    return nn.Identity() if isinstance(copied, nn.modules.batchnorm._BatchNorm) else copied
