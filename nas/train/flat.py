"""A network's numbers in few blocks of memory while it is trained on a CPU: what a step does to all of them, it does to three tensors.

A network of 10,000 parameters has 20 to 300 tensors. Forgetting and limiting the gradient, AdamW and the moving average take 1.1 to 5.2 ms
a step tensor by tensor, 5 to 14 % of the step, and 0.8 to 1.6 ms on blocks (ten networks, one thread). The network's own tensors become
views of the blocks, so it computes as before. The same idea is in DistributedDataParallel's buckets (Li et al. 2020,
https://arxiv.org/abs/2006.15704, section 3.2.2).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from nas.train.ema import float_tensors

ALIGNED = 16
"""Numbers at whose multiples parts begin, 64 bytes: where PyTorch begins tensors of their own, so that sums are the same to the bit."""


class Block:
    """Tensors one after the other in one.

    Args:
        tensors: With their names.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self.whole = torch.zeros(sum(map(_room, tensors.values())))
        self.parts = self.alike(self.whole)
        self.fill(self.parts, list(tensors.values()))

    def alike(self, whole: Tensor) -> dict[str, Tensor]:
        """Parts of another tensor as long as the block."""
        found, begin = {}, 0
        for name, shape in self._shapes.items():
            length = shape.numel()
            found[name] = whole[begin : begin + length].view(shape)
            begin += -(-length // ALIGNED) * ALIGNED
        return found

    @staticmethod
    def fill(parts: Mapping[str, Tensor], tensors: list[Tensor]) -> None:
        """Copies tensors into parts, in order."""
        torch._foreach_copy_(list(parts.values()), [tensor.detach() for tensor in tensors])


def _room(tensor: Tensor) -> int:
    return -(-tensor.numel() // ALIGNED) * ALIGNED


class Flat:
    """The blocks of a network: one for each group of its optimiser, and one for all other floats, such as the statistics of norms.

    Args:
        model: On the CPU; each of its parameters that is trained here has a gradient.
        optimiser: AdamW, of the same parameters; what it remembers is taken over, and must suit blocks (`suits_blocks`).
        average: The moving average, by the names of `float_tensors`.
    """

    def __init__(self, model: nn.Module, optimiser: torch.optim.Optimizer, average: dict[str, Tensor]) -> None:
        self._model, self._before = model, optimiser
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        groups = [{names[id(one)]: one for one in group["params"] if one.grad is not None} for group in optimiser.param_groups]
        self._settings = [{key: value for key, value in one.items() if key != "params"} for one in optimiser.param_groups]
        self._settings = [one for one, group in zip(self._settings, groups, strict=True) if group]
        self._groups = [group for group in groups if group]
        self._blocks = [Block(group) for group in self._groups]
        self.trained = [nn.Parameter(block.whole) for block in self._blocks]
        lengths = [whole.numel() for whole in self.trained]
        self.gradient = torch.zeros(sum(lengths))
        slopes = torch.split(self.gradient, lengths)
        for whole, slope in zip(self.trained, slopes, strict=True):
            whole.grad = slope
        self._slopes = [part for block, slope in zip(self._blocks, slopes, strict=True) for part in block.alike(slope).values()]
        self.optimiser = self._taken_over(optimiser)
        rest = {name: tensor for name, tensor in float_tensors(model).items() if not any(name in group for group in self._groups)}
        self._rest = Block(rest) if rest else None
        self._let_share()
        blocks = [*self._blocks, *([self._rest] if self._rest else [])]
        kept = [Block({name: average[name] for name in block.parts}) for block in blocks]
        self.live, self.kept = [block.whole for block in blocks], [block.whole for block in kept]
        parts = {name: part for block in kept for name, part in block.parts.items()}
        self.average = {name: parts[name] for name in average}

    def gather(self) -> None:
        """Gives the blocks the gradients of their parts."""
        torch._foreach_copy_(self._slopes, [one.grad for group in self._groups for one in group.values()])

    def limit(self, longest: float) -> None:
        """Shortens the gradient where it is longer than that, as `clip_grad_norm_` does."""
        self.gradient.mul_((longest / (self.gradient.norm() + 1e-6)).clamp_(max=1))

    def optimiser_tensors(self) -> dict[str, Tensor]:
        """What the optimiser remembers, as `optimiser.optimiser_tensors` names it."""
        found: dict[str, Tensor] = {}
        for whole, block in zip(self.trained, self._blocks, strict=True):
            for quantity, tensor in self.optimiser.state.get(whole, {}).items():
                parts = block.alike(tensor) if tensor.numel() > 1 else dict.fromkeys(block.parts, tensor)
                found |= {f"{name}/{quantity}": part for name, part in parts.items()}
        return found

    def dissolve(self) -> torch.optim.Optimizer:
        """Gives every tensor memory of its own again; returns the optimiser of before with what was learned since."""
        for group, whole, block in zip(self._groups, self.trained, self._blocks, strict=True):
            state = self.optimiser.state.get(whole, {})
            split = {key: block.alike(value) for key, value in state.items() if value.numel() > 1}
            for name, one in group.items():
                one.data = one.data.clone()
                self._before.state[one] = {key: split[key][name].clone() if key in split else value.clone() for key, value in state.items()}
        for group in self._before.param_groups:
            group["lr"] = self.optimiser.param_groups[0]["lr"]  # That of this step: only the blocks' has been told since.
        for module, name, _ in self._buffers():
            module._buffers[name] = module._buffers[name].clone()  # type: ignore[union-attr]  # `_buffers()` gives those that are not None.
        return self._before

    def _taken_over(self, optimiser: torch.optim.Optimizer) -> torch.optim.Optimizer:
        made = torch.optim.AdamW([{**one, "params": [whole]} for one, whole in zip(self._settings, self.trained, strict=True)])
        for whole, group in zip(self.trained, self._groups, strict=True):
            states = [optimiser.state.get(one, {}) for one in group.values()]
            for key in states[0]:
                values = dict(zip(group, (state[key] for state in states), strict=True))
                made.state[whole][key] = next(iter(values.values())).clone() if key == "step" else Block(values).whole
        return made

    def _let_share(self) -> None:
        for group, block in zip(self._groups, self._blocks, strict=True):
            for name, one in group.items():
                one.data = block.parts[name]
        if self._rest is None:
            return
        parameters = dict(self._model.named_parameters())
        for name, part in self._rest.parts.items():
            if name in parameters:
                parameters[name].data = part
        for module, name, full_name in self._buffers():
            # `data` counts its changes by itself: autograd would take a change of one norm's statistics for one of all of them.
            module._buffers[name] = self._rest.parts[full_name].data

    def _buffers(self) -> list[tuple[nn.Module, str, str]]:
        """Buffers of the rest: module, name in it, name in the model."""
        named = [
            (module, name, f"{path}.{name}" if path else name)
            for path, module in self._model.named_modules()
            for name, buffer in module._buffers.items()
            if buffer is not None
        ]
        return [one for one in named if self._rest is not None and one[2] in self._rest.parts]


def suits_blocks(model: nn.Module, optimiser: torch.optim.Optimizer, passes: int) -> bool:
    """Whether every tensor has one name, and every backward pass so far has reached the parameters of the last one, and no others.

    Args:
        model: after a backward pass.
        optimiser: that has not taken its step yet.
        passes: before this one.
    """
    places = [tensor.data_ptr() for tensor in float_tensors(model).values() if tensor.numel() > 0]
    if len(set(places)) < len(places):
        return False  # A layer used twice: its second name would stand for a copy that nothing trains.
    taken = [int(optimiser.state[one]["step"]) if one in optimiser.state else 0 for one in model.parameters()]
    reached = with_gradients(list(model.parameters()))
    return any(reached) and taken == [passes if yes else 0 for yes in reached]


def with_gradients(parameters: Sequence[Tensor]) -> tuple[bool, ...]:
    """Which parameters a backward pass has reached."""
    return tuple(parameter.grad is not None for parameter in parameters)
