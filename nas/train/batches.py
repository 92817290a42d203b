"""In what order training sees which images: a function of (seed, epoch), with no state to carry.

Pass `p` (from 0) over a set uses view `p % views` of its bank and shows every image once, in one epoch or, where the recipe has `parts`,
in that many. The images of an epoch are dealt out into batches of one data set each; with several sets the batches of all of them are
shuffled. A training that goes on after a stop needs to know its epoch and nothing else.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nas.data import Bank
from nas.evaluate.normalise import normalise
from nas.evaluate.residence import onto, resident


class Batch(NamedTuple):
    """What a step of training gets.

    Attributes:
        image: `batch x C x h x w`, float32, normalised, in `channels_last` memory format.
        mask: `batch x h x w`, int64: classes, or `VOID`.
        domain: position of the data set that all images of the batch are from.
    """

    image: Tensor
    mask: Tensor
    domain: int


def batches_in(images: int, batch_size: int) -> int:
    """Count the batches into which a number of images is dealt: as few as `batch_size` allows, none of a single image.

    Where images are left over for less than two in a batch, the batches are one image larger instead.
    """
    count = -(-images // batch_size)
    return count if images >= 2 * count or count == 1 else images // 2


def parts_of(size: int, parts: int) -> int:
    """Count the parts into which a set is dealt: as many as the recipe wants, where each has two images at least.

    Args:
        size: training images of the set.
        parts: wanted.
    """
    return min(parts, max(1, size // 2))


def shown(size: int, parts: int) -> int:
    """Count the images of a set that an epoch shows; what is left over of a pass, fewer than there are parts, is not shown in it.

    Args:
        size: training images of the set.
        parts: wanted.
    """
    return size // parts_of(size, parts)


def steps_per_epoch(sizes: Sequence[int], batch_size: int) -> int:
    """Count the steps of one epoch.

    Args:
        sizes: images of each set in an epoch.
        batch_size: images in a batch.
    """
    return sum(batches_in(size, batch_size) for size in sizes)


def plan(sizes: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[tuple[int, slice]]:
    """Lay out one epoch.

    Args:
        sizes: images of each set in an epoch.
        batch_size: images in a batch.
        seed: of the training.
        epoch: from 0.

    Returns:
        For each step the set and the part of that set's permutation (`permutation`).
    """
    steps: list[tuple[int, slice]] = []
    for domain, size in enumerate(sizes):
        count = batches_in(size, batch_size)
        edges = [size * i // count for i in range(count + 1)]
        steps += [(domain, slice(low, high)) for low, high in pairwise(edges)]
    if len(sizes) == 1:
        return steps
    order = np.random.default_rng((seed, epoch)).permutation(len(steps))
    return [steps[i] for i in order]


def count_by_size(sizes: Sequence[int], batch_size: int) -> Counter[tuple[int, int]]:
    """Count the batches of one epoch by set and number of images; those of a set have one or two numbers, an image apart.

    Args:
        sizes: images of each set in an epoch.
        batch_size: images in a batch.
    """
    dealt = [max(size, 2) for size in sizes]  # a lone image stands twice in its batch
    return Counter((domain, part.stop - part.start) for domain, part in plan(dealt, batch_size, 0, 0))


def permutation(size: int, seed: int, epoch: int, domain: int, parts: int = 1) -> Tensor:
    """Choose and order the images of a set for one epoch.

    Args:
        size: training images of the set.
        seed: of the training.
        epoch: from 0.
        domain: position of the set.
        parts: wanted by the recipe.

    Returns:
        `max(shown(size, parts), 2)` indices, int64: no image twice in a pass, but a lone image twice, since batch normalisation of a pooled
        feature map needs two values.
    """
    count, images = parts_of(size, parts), shown(size, parts)
    order = np.random.default_rng((seed, epoch // count, domain)).permutation(size)
    part = order[epoch % count * images :][:images]
    return torch.from_numpy(part if size > 1 else np.zeros(2, dtype=np.int64))


def epoch_batches(banks: Sequence[Bank], batch_size: int, seed: int, epoch: int, device: torch.device, parts: int = 1) -> Iterator[Batch]:
    """Go through all images of all sets once, or through an epoch's part of them.

    Args:
        banks: the data sets.
        batch_size: images in a batch.
        seed: of the training.
        epoch: from 0.
        device: where the batches are wanted; on a GPU the images are there already and are gathered there, if there was room for them.
        parts: wanted by the recipe.

    Yields:
        The batches, as many as `steps_per_epoch` says.
    """
    sizes = [bank.train_images.shape[1] for bank in banks]
    orders = [permutation(size, seed, epoch, domain, parts) for domain, size in enumerate(sizes)]
    passes = [epoch // parts_of(size, parts) for size in sizes]
    views = [number % bank.train_images.shape[0] for number, bank in zip(passes, banks, strict=True)]
    images = [resident(bank.train_images, device)[view] for bank, view in zip(banks, views, strict=True)]
    masks = [resident(bank.train_masks, device)[view] for bank, view in zip(banks, views, strict=True)]
    # An order lies where its images lie, and where its masks do.
    chosen = [(order.to(image.device), order.to(mask.device)) for order, image, mask in zip(orders, images, masks, strict=True)]
    for domain, part in plan([len(order) for order in orders], batch_size, seed, epoch):
        of_images, of_masks = chosen[domain]
        image = onto(images[domain].index_select(0, of_images[part]), device)
        mask = onto(masks[domain].index_select(0, of_masks[part]), device)
        yield Batch(normalise(image), mask.long(), domain)
