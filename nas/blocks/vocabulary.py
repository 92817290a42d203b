"""All operators that a genome may name: what `nas.blocks` offers, and what a user's space file adds."""

from collections.abc import Iterable
from functools import cache
from types import MappingProxyType

from nas.blocks.base import AnyOperator, Operator
from nas.errors import UserError

NOT_GENES = frozenset({"head", "resize"})
"""Kinds that the topology adds by itself."""


@cache
def built_in_blocks() -> MappingProxyType[str, type[AnyOperator]]:
    """Kind -> class of every operator that `nas.blocks` imports."""
    from nas import blocks

    found = (value for value in vars(blocks).values() if isinstance(value, type) and issubclass(value, Operator) and hasattr(value, "kind"))
    return MappingProxyType({cls.kind: cls for cls in found if cls.kind not in NOT_GENES})


def vocabulary_with(own: Iterable[type[AnyOperator]]) -> dict[str, type[AnyOperator]]:
    """The built-in operators and the given ones.

    Raises:
        UserError: Two different operators have the same kind.
    """
    vocabulary = dict(built_in_blocks())
    for cls in own:
        if vocabulary.setdefault(cls.kind, cls) is not cls:
            raise UserError(f"two blocks are of kind {cls.kind!r}, {vocabulary[cls.kind].__name__} and {cls.__name__}: rename one")
    return vocabulary
