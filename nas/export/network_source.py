"""The text of the class `Network`: a genome's stages spelled out, as one would write them by hand."""

import json
import math
from collections.abc import Sequence

from nas.blocks import Shape
from nas.errors import UserError
from nas.genome import Genome
from nas.network import routed_stages
from nas.topology import IMAGE, NumClasses, Step, by_stage, head_names, walk

LINE = 120
"""Characters after which a constructor is broken over lines."""


def network_class(genome: Genome, in_shape: Shape, num_classes: NumClasses) -> str:
    """The class, with `in_channels` and `num_classes` as arguments of its constructor.

    With several heads `num_classes` is a tuple, and `forward` takes the domain.

    Raises:
        UserError: An argument of a block follows the channels or classes in a way that a file cannot say.
    """
    steps = walk(genome, in_shape, num_classes)
    heads = [name for name, _ in head_names(num_classes)]
    several = not isinstance(num_classes, int)
    constructors = _constructors(genome, in_shape, num_classes)
    kind = "tuple[int, ...]" if several else "int"
    lines = [
        "class Network(nn.Module):",
        '    """The genome, stage by stage. Levels are numbered from fine (1) to coarse."""',
        "",
        f"    def __init__(self, in_channels: int = {in_shape[0]}, num_classes: {kind} = NUM_CLASSES) -> None:",
        "        super().__init__()",
    ]
    for name, calls in constructors.items():
        lines += _assignment(name, calls)
    body = [stage for stage in by_stage(steps) if stage[0] not in heads]
    routed = routed_stages(steps) if several else frozenset()
    if several:
        lines += ["", "    def forward(self, x: torch.Tensor, domain: int | None = None) -> torch.Tensor | tuple[torch.Tensor, ...]:"]
        lines += ['        """(N, in_channels, H, W) -> logits (N, num_classes[domain], H, W); of all heads where no domain is given."""']
    else:
        lines += ["", "    def forward(self, x: torch.Tensor) -> torch.Tensor:"]
        lines += ['        """(N, in_channels, H, W) -> logits (N, num_classes, H, W)."""']
    lines += ["        height, width = x.shape[-2:]", *(f"        {line}" for line in _forward(body, routed))]
    if several:
        lines += [f"        heads = ({', '.join(f'self.{name}' for name in heads)})"]
        lines += ["        if domain is not None:", "            return heads[domain](x)[..., :height, :width]"]
        lines += ["        return tuple(head(x)[..., :height, :width] for head in heads)"]
    else:
        lines += [f"        return self.{heads[0]}(x)[..., :height, :width]"]
    return "\n".join(lines)


def _constructors(genome: Genome, in_shape: Shape, num_classes: NumClasses) -> dict[str, list[str]]:
    """Stage -> the calls that make its modules; what changes with one more channel or class is an argument."""
    more = num_classes + 1 if isinstance(num_classes, int) else tuple(classes + 1 for classes in num_classes)
    channels, height, width = in_shape
    variants = (walk(genome, in_shape, num_classes), walk(genome, (channels + 1, height, width), num_classes), walk(genome, in_shape, more))
    places = {name: i for i, (name, _) in enumerate(head_names(num_classes))}
    found: dict[str, list[str]] = {}
    for step, wider, classed in zip(*variants, strict=True):
        variable = "num_classes" if isinstance(num_classes, int) else f"num_classes[{places.get(step.stage, 0)}]"
        found.setdefault(step.stage, []).append(_constructor(step, wider, classed, variable))
    return found


def _constructor(step: Step, wider: Step, more: Step, classes: str) -> str:
    """The call that makes a step's module; arguments that follow the image's channels or the classes become variables."""
    module = step.operator.module
    name = module.__name__ if not module.__module__.startswith("torch.") else f"nn.{module.__name__}"
    arguments = []
    here, widened, classed = (s.operator.arguments(s.in_shape) for s in (step, wider, more))  # type: ignore[arg-type]
    for key, value in here.items():
        text = literal(value)
        if widened[key] != value:
            text = _variable(key, value, widened[key], "in_channels", step)
        elif classed[key] != value:
            text = _variable(key, value, classed[key], classes, step)
        arguments.append(f"{key}={text}")
    return f"{name}({', '.join(arguments)})"


def _variable(key: str, value: object, changed: object, name: str, step: Step) -> str:
    expected = step.in_shape[0] if name == "in_channels" else step.out_shape[0]
    if isinstance(value, int) and changed == value + 1 and value == expected:
        return name
    raise UserError(
        f"argument {key} of {step.operator.kind} follows {name} as {value!r} -> {changed!r}: only the number itself can be exported"
    )


def _assignment(name: str, calls: Sequence[str]) -> list[str]:
    joined = calls[0] if len(calls) == 1 else f"nn.Sequential({', '.join(calls)})"
    line = f"        self.{name} = {joined}"
    if len(line) <= LINE or len(calls) == 1:
        return [line]
    return [f"        self.{name} = nn.Sequential(", *(f"            {call}," for call in calls), "        )"]


def literal(value: object) -> str:
    """A value as Python source, strings in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)


def _forward(stages: Sequence[tuple[str, Sequence[Step]]], routed: frozenset[str]) -> list[str]:
    """One line a stage; a value keeps its name where a skip reads it later, and is `x` otherwise."""
    named = [(name, members[0].sources) for name, members in stages]
    kept = {source for i, (_, sources) in enumerate(named) for source in sources if i > 0 and source != named[i - 1][0]}
    lines, called = [], {IMAGE: "x"}
    for name, sources in named:
        called[name] = name if name in kept else "x"
        given = [*(called[source] for source in sources), *(["domain"] if name in routed else [])]
        lines.append(f"{called[name]} = self.{name}({', '.join(given)})")
    if called[named[-1][0]] != "x":
        lines.append(f"x = {called[named[-1][0]]}")
    return lines
