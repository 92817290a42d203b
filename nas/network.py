"""A genome made into a plain `nn.Module`."""

from collections.abc import Mapping

import torch
from torch import nn

from nas.genome import Genome
from nas.topology import IMAGE, NumClasses, Step, by_stage, head_names, walk

REFERENCE_SIZE = 64
"""Pixels of the image that the walk is made for; modules depend on channels alone."""


class SegmentationNetwork(nn.Module):
    """Runs the stages of a genome in order.

    The attributes are the stages' names, and those of an exported model file are the same: weights load from one into the other.

    Args:
        stages: Stage name -> module.
        sources: Stage name -> names of the values it receives.
        heads: Names of the stages that give logits.
    """

    def __init__(self, stages: Mapping[str, nn.Module], sources: Mapping[str, tuple[str, ...]], heads: tuple[str, ...]) -> None:
        super().__init__()
        for name, module in stages.items():
            self.add_module(name, module)
        self.sources = dict(sources)
        self.heads = heads

    def forward(self, x: torch.Tensor, domain: int | None = None) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Logits at the input's height and width.

        Args:
            x: (N, in_channels, H, W).
            domain: Which data set's head, where there are several; None gives the logits of all.

        Returns:
            (N, classes, H, W), or a tuple of them for several heads.
        """
        height, width = x.shape[-2:]
        wanted = self.heads if domain is None or len(self.heads) == 1 else (self.heads[domain],)
        values = {IMAGE: x}
        for name, sources in self.sources.items():
            if name not in self.heads or name in wanted:
                values[name] = getattr(self, name)(*[values[source] for source in sources])
        logits = tuple(values[name][..., :height, :width] for name in wanted)
        return logits[0] if len(logits) == 1 else logits


def build_network(genome: Genome, in_channels: int = 3, num_classes: NumClasses = 2) -> SegmentationNetwork:
    """The genome's network with fresh weights from the global random state.

    Args:
        genome: The architecture.
        in_channels: Channels of the image.
        num_classes: Logits, background included, or one number a data set for several heads.
    """
    steps = walk(genome, (in_channels, REFERENCE_SIZE, REFERENCE_SIZE), num_classes)
    stages = {name: build_stage(members) for name, members in by_stage(steps)}
    sources = {name: members[0].sources for name, members in by_stage(steps)}
    return SegmentationNetwork(stages, sources, tuple(name for name, _ in head_names(num_classes)))


def build_stage(members: tuple[Step, ...]) -> nn.Module:
    """The module of one stage: the operator's own, or a sequence of several."""
    modules = [step.operator.build(step.in_shape) for step in members]  # type: ignore[arg-type]
    return modules[0] if len(modules) == 1 else nn.Sequential(*modules)
