"""Domain router: parallel filters mixed by a light classifier of the image, which the index of the data set may bias.

One network then serves several data sets. Paths of each domain's own: Chang et al., Domain-Specific Batch Normalization, CVPR 2019,
https://arxiv.org/abs/1906.03950; mixing by pooled features: Yang et al., CondConv, 2019, https://arxiv.org/abs/1904.04971.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Block, Shape
from nas.blocks.layers import conv_norm

DOMAIN_PREFERENCE = 2.0
"""Added to the logit of a domain's path where the domain is known: the path's weight against another's grows by e squared."""


class RoutedPaths(nn.Module):
    """Mixes parallel filters by a classifier of the image; a known domain prefers one (https://arxiv.org/abs/1906.03950)."""

    preference: torch.Tensor

    def __init__(self, channels: int, paths: int, hard: bool) -> None:
        super().__init__()
        self.paths = nn.ModuleList(
            nn.Sequential(*conv_norm(channels, channels, 3, groups=channels), nn.ReLU(inplace=True)) for _ in range(paths)
        )
        self.classifier = nn.Conv2d(channels, paths, 1)
        self.mix = nn.Sequential(*conv_norm(channels, channels))
        self.hard = hard
        self.register_buffer("preference", DOMAIN_PREFERENCE * torch.eye(paths)[:, :, None, None], persistent=False)

    def weights(self, x: torch.Tensor, domain: int | None = None) -> torch.Tensor:
        """Weights of the paths, (N, paths, 1, 1); with `hard`, one of them 1 and the others 0 in eval mode."""
        logits = self.classifier(x.mean((2, 3), keepdim=True))
        if domain is not None:
            logits = logits + self.preference[domain % len(self.paths)]
        soft = torch.softmax(logits, dim=1)
        if self.training or not self.hard:
            return soft
        chosen = torch.zeros_like(soft).scatter(1, soft.argmax(1, keepdim=True), 1.0)
        # Adds zero: the choice, with the slope of the soft weights.
        return chosen + (soft - soft.detach())

    def forward(self, x: torch.Tensor, domain: int | None = None) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        first, *others = self.weights(x, domain).chunk(len(self.paths), dim=1)
        total = first * self.paths[0](x)
        for weight, path in zip(others, self.paths[1:], strict=True):
            total = total + weight * path(x)
        return torch.relu(self.mix(total) + x)


@dataclass(frozen=True)
class DomainRouter(Block):
    """Parallel filters mixed by image and domain; keeps the shape.

    Attributes:
        paths: Parallel depthwise filters.
        hard: Whether the trained network takes the best path alone; all are computed and counted.
    """

    kind: ClassVar[str] = "domain_router"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"paths": (2, 3, 4), "hard": (False, True)}
    module: ClassVar[type[nn.Module]] = RoutedPaths
    takes_domain: ClassVar[bool] = True

    paths: int = 2
    hard: bool = False

    def params(self, in_shape: Shape) -> int:
        """One depthwise filter with norm a path, the classifier with bias, and the mix; the preference is a buffer."""
        channels = in_shape[0]
        path = conv_params(channels, channels, 3, groups=channels) + norm_params(channels)
        mix = conv_params(channels, channels, 1) + norm_params(channels)
        return self.paths * path + conv_params(channels, self.paths, 1, bias=True) + mix

    def macs(self, in_shape: Shape) -> int:
        """All paths and the mix at the input's size, the classifier on one pixel."""
        channels, pixels = in_shape[0], in_shape[1] * in_shape[2]
        paths = self.paths * conv_macs(channels, channels, 3, pixels, groups=channels)
        return paths + conv_macs(channels, channels, 1, pixels) + conv_macs(channels, self.paths, 1, 1)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Sum, summand and weighted summand with the weights, or both and the new sum, beside the input; on few pixels the weights."""
        channels, pixels = in_shape[0], in_shape[1] * in_shape[2]
        weighing = max(channels, 2 * self.paths if self.hard else self.paths) + self.paths
        return max(weighing, 3 * channels * pixels + self.paths), 0

    def sees_all(self) -> bool:
        """The classifier pools the image."""
        return True

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `RoutedPaths`."""
        return {"channels": in_shape[0], "paths": self.paths, "hard": self.hard}
