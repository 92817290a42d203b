"""Writes a genome as one readable Python file that imports torch and the standard library only."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from nas.blocks import Shape
from nas.cost import estimate
from nas.errors import UserError
from nas.export.definitions import Definitions, definitions_of
from nas.genome import Genome
from nas.outline import outline
from nas.receptive_field import receptive_field
from nas.topology import IMAGE, Step, by_stage, walk

LINE = 120
"""Characters after which a constructor is broken over lines."""


@dataclass(frozen=True)
class ModelFacts:
    """What the file says of the network beside its code.

    Attributes:
        in_channels: Channels of the image.
        image_size: Height and width in pixels that MACs and memory refer to.
        classes: Names, background first.
        provenance: Lines about where it comes from: study, data, validation IoU, date.
    """

    in_channels: int
    image_size: tuple[int, int]
    classes: tuple[str, ...]
    provenance: tuple[str, ...]

    @property
    def in_shape(self) -> Shape:
        """Channels, height and width of one image."""
        return (self.in_channels, *self.image_size)


def model_source(genome: Genome, facts: ModelFacts) -> str:
    """The text of a model file.

    Raises:
        UserError: A block of the genome leans on more than torch and the standard library.
    """
    steps = walk(genome, facts.in_shape, len(facts.classes))
    definitions = definitions_of(step.operator.module for step in steps)
    parts = [
        _docstring(genome, facts),
        _imports(definitions),
        _constants(genome, facts, definitions),
        *(source for source in definitions.sources.values()),
        _network(genome, facts, steps),
        _FUNCTIONS.replace("IN_CHANNELS", str(facts.in_channels)),
    ]
    head, body = parts[:3], parts[3:]
    return "\n\n".join(part.strip("\n") for part in head) + "\n\n\n" + "\n\n\n".join(part.strip("\n") for part in body) + "\n"


def _docstring(genome: Genome, facts: ModelFacts) -> str:
    cost = estimate(genome, facts.in_shape, len(facts.classes))
    size = " x ".join(map(str, facts.in_shape))
    lines = [
        f"A segmentation network of {cost.params:,} parameters for {len(facts.classes)} classes: {', '.join(facts.classes)}.",
        "",
        *facts.provenance,
        f"Cost at {size}: {cost.params:,} parameters, {cost.macs:,} MACs, {cost.memory / 1024:,.1f}K peak activations.",
        f"Receptive field: {receptive_field(walk(genome, facts.in_shape, len(facts.classes)))}.",
        f"Genome {genome.key}:",
        "",
        *(f"    {line}" for line in outline(genome, facts.in_shape, len(facts.classes)).splitlines()),
        "",
        "`python` on this file checks that it is what it says. `training_args.json` beside it holds the recipe and the data's facts.",
    ]
    return "\n".join(['"""' + _plain(lines[0]), *map(_plain, lines[1:]), '"""'])


def _plain(line: str) -> str:
    """One line of a docstring that nothing in a user's names can end early."""
    return " ".join(line.split("\n")).rstrip().replace("\\", "\\\\").replace('"', '\\"')


def _imports(definitions: Definitions) -> str:
    lines = definitions.imports | {"import sys", "import torch", "from torch import nn"}
    third_party = {line for line in lines if line.split()[1].partition(".")[0] == "torch"}

    def ordered(group: set[str]) -> str:
        return "\n".join(sorted(group, key=lambda line: (line.startswith("from"), line)))

    return ordered(lines - third_party) + "\n\n" + ordered(third_party)


def _constants(genome: Genome, facts: ModelFacts, definitions: Definitions) -> str:
    cost = estimate(genome, facts.in_shape, len(facts.classes))
    lines = [
        f"PARAMS = {cost.params}",
        f"MACS = {cost.macs}  # multiply-accumulates of one image of INPUT_SIZE",
        f"INPUT_SIZE = {facts.image_size}  # height, width in pixels; other sizes work too",
        f"NUM_CLASSES = {len(facts.classes)}",
        f"CLASSES = {literal(facts.classes)}",
        f"GENOME = {genome.to_json()!r}",
        *(f"{name} = {literal(value)}" for name, value in sorted(definitions.constants.items())),
    ]
    return "\n".join(lines)


def _network(genome: Genome, facts: ModelFacts, steps: Sequence[Step]) -> str:
    variants = [
        walk(genome, facts.in_shape, len(facts.classes)),
        walk(genome, (facts.in_channels + 1, *facts.image_size), len(facts.classes)),
        walk(genome, facts.in_shape, len(facts.classes) + 1),
    ]
    constructors: dict[str, list[str]] = {}
    for step, wider, more in zip(*variants, strict=True):
        constructors.setdefault(step.stage, []).append(_constructor(step, wider, more))
    lines = [
        "class Network(nn.Module):",
        '    """The genome, stage by stage. Levels are numbered from fine (1) to coarse."""',
        "",
        f"    def __init__(self, in_channels: int = {facts.in_channels}, num_classes: int = NUM_CLASSES) -> None:",
        "        super().__init__()",
    ]
    for name, calls in constructors.items():
        lines += _assignment(name, calls)
    lines += ["", "    def forward(self, x: torch.Tensor) -> torch.Tensor:"]
    lines += ['        """(N, in_channels, H, W) -> logits (N, num_classes, H, W)."""', "        height, width = x.shape[-2:]"]
    lines += [f"        {line}" for line in _forward(steps)]
    lines += ["        return x[..., :height, :width]"]
    return "\n".join(lines)


def _constructor(step: Step, wider: Step, more: Step) -> str:
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
            text = _variable(key, value, classed[key], "num_classes", step)
        arguments.append(f"{key}={text}")
    return f"{name}({', '.join(arguments)})"


def literal(value: object) -> str:
    """A value as Python source, strings in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)


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


def _forward(steps: Sequence[Step]) -> list[str]:
    """One line a stage; a value keeps its name where a skip reads it later, and is `x` otherwise."""
    stages = [(name, members[0].sources) for name, members in by_stage(steps)]
    kept = {source for i, (_, sources) in enumerate(stages) for source in sources if i > 0 and source != stages[i - 1][0]}
    lines, called = [], {IMAGE: "x"}
    for name, sources in stages:
        called[name] = name if name in kept else "x"
        lines.append(f"{called[name]} = self.{name}({', '.join(called[source] for source in sources)})")
    return lines


_FUNCTIONS = '''
def build_model(in_channels: int = IN_CHANNELS, num_classes: int = NUM_CLASSES) -> nn.Module:
    """The network with fresh weights."""
    return Network(in_channels, num_classes)


def main() -> int:
    """Prints parameters and output shape; the exit code is 1 where they are not what this file claims."""
    model = build_model().eval()
    params = sum(parameter.numel() for parameter in model.parameters())
    with torch.no_grad():
        shape = tuple(model(torch.zeros(1, IN_CHANNELS, *INPUT_SIZE)).shape)
    print(f"{params} parameters, output {shape}")
    if params != PARAMS or shape != (1, NUM_CLASSES, *INPUT_SIZE):
        print(f"expected {PARAMS} parameters, output {(1, NUM_CLASSES, *INPUT_SIZE)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''
