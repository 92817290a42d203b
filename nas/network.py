"""A genome made into a plain `nn.Module`."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from nas.blocks import Block
from nas.errors import UserError
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
        routed: Names of the stages that are told the domain, where there are several heads.
    """

    def __init__(
        self, stages: Mapping[str, nn.Module], sources: Mapping[str, tuple[str, ...]], heads: tuple[str, ...], routed: frozenset[str]
    ) -> None:
        super().__init__()
        for name, module in stages.items():
            self.add_module(name, module)
        self.sources = dict(sources)
        self.heads = heads
        self.routed = routed if len(heads) > 1 else frozenset()

    def forward(self, x: torch.Tensor, domain: int | None = None) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Logits at the input's height and width.

        Args:
            x: (N, in_channels, H, W).
            domain: Which data set's head, where there are several, and what a router is told; None gives the logits of all.

        Returns:
            (N, classes, H, W), or a tuple of them for several heads.
        """
        height, width = x.shape[-2:]
        wanted = self.heads if domain is None or len(self.heads) == 1 else (self.heads[domain],)
        values = {IMAGE: x}
        for name, sources in self.sources.items():
            if name not in self.heads or name in wanted:
                told = {"domain": domain} if name in self.routed else {}
                values[name] = getattr(self, name)(*[values[source] for source in sources], **told)
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
    heads = tuple(name for name, _ in head_names(num_classes))
    return SegmentationNetwork(stages, sources, heads, routed_stages(steps))


def routed_stages(steps: Sequence[Step]) -> frozenset[str]:
    """Names of the stages whose module takes the domain.

    Raises:
        UserError: Such an operator shares its stage with others, which could not pass the domain on.
    """
    routed = {step.stage for step in steps if isinstance(step.operator, Block) and step.operator.takes_domain}
    for name, members in by_stage(steps):
        if name in routed and len(members) > 1:
            raise UserError(
                f"{[step.operator.kind for step in members]} share the stage {name}: an operator that is told the domain stands alone"
            )
    return frozenset(routed)


def build_stage(members: tuple[Step, ...]) -> nn.Module:
    """The module of one stage: the operator's own, or a sequence of several."""
    modules = [step.operator.build(step.in_shape) for step in members]  # type: ignore[arg-type]
    return modules[0] if len(modules) == 1 else nn.Sequential(*modules)
