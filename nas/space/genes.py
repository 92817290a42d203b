"""Genes: where one of several operators or values may stand, as flat Optuna distributions.

Every gene is offered in every draw, active or not: samplers that model the parameters common to all trials (NSGA-II, GP) then see all
of them.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from nas.blocks import AnyOperator, WideBlock
from nas.errors import UserError

Distributions = dict[str, BaseDistribution]
NONE = "none"


@dataclass(frozen=True)
class ValueGene:
    """One of several values. With one option there is no gene to sample.

    Attributes:
        name: Parameter name.
        options: Values; tuples are shown to Optuna as "1-2-4", since its storages hold scalars.
    """

    name: str
    options: tuple[Hashable, ...]

    @cached_property
    def _values(self) -> dict[Any, Any]:
        return {token(option): option for option in self.options}

    def distributions(self) -> Distributions:
        """Empty for a single option."""
        return {self.name: CategoricalDistribution(list(self._values))} if len(self.options) > 1 else {}

    def decode(self, params: Mapping[str, Any]) -> Any:
        """The chosen value."""
        return self._values[params[self.name]] if len(self.options) > 1 else self.options[0]

    def encode(self, value: object) -> dict[str, Any]:
        """The parameter that chooses `value`.

        Raises:
            UserError: The space does not offer it.
        """
        if value not in self.options:
            raise UserError(f"the space offers {self.name} = {list(self.options)}, the genome has {value!r}")
        return {self.name: token(value)} if len(self.options) > 1 else {}


@dataclass(frozen=True)
class OperatorGene:
    """One of several operators, with the genes of each.

    A gene that several of the options have with the same values is one parameter: what was learned of a kernel's size with one block
    counts for the others, and a sampler has fewer parameters to model.

    Attributes:
        name: Parameter name of the choice.
        options: Operator classes; None where nothing may stand there too.
        scope: Begins the names of the operators' own genes, `scope_gene`; places of the same scope share them.
        shared: Names of genes that have one value in the whole network and are called by their name alone.
    """

    name: str
    options: tuple[type[AnyOperator] | None, ...]
    scope: str = ""
    shared: tuple[str, ...] = ()

    @cached_property
    def _kind(self) -> ValueGene:
        return ValueGene(self.name, tuple(NONE if option is None else option.kind for option in self.options))

    @cached_property
    def _classes(self) -> dict[str, type[AnyOperator]]:
        return {option.kind: option for option in self.options if option is not None}

    @cached_property
    def _recipes(self) -> dict[str, tuple[type[AnyOperator], int, dict[str, Any], tuple[tuple[str, str, dict[Any, Any]], ...]]]:
        """Kind -> class, what its width must be a multiple of, values without choice, and (field, parameter, token -> value) of the others.

        The multiple is 0 where it takes no width.
        Looked up rather than worked out: a draw is decoded in 60 us instead of 90.
        """
        found = {}
        for kind, cls in self._classes.items():
            own = self._own[kind]
            fixed = {gene: values.options[0] for gene, values in own if len(values.options) == 1}
            chosen = tuple((gene, values.name, values._values) for gene, values in own if len(values.options) > 1)
            found[kind] = (cls, cls.width_multiple if issubclass(cls, WideBlock) else 0, fixed, chosen)
        return found

    @cached_property
    def _own(self) -> dict[str, tuple[tuple[str, ValueGene], ...]]:
        values: dict[str, set[tuple[Any, ...]]] = {}
        for cls in self._classes.values():
            for gene, options in cls.genes.items():
                values.setdefault(gene, set()).add(options)

        def called(kind: str, gene: str) -> str:
            if gene in self.shared:
                return gene
            return f"{self.scope}_{gene}" if len(values[gene]) == 1 else f"{self.scope}_{kind}_{gene}"

        return {
            kind: tuple((gene, ValueGene(called(kind, gene), options)) for gene, options in cls.genes.items())
            for kind, cls in self._classes.items()
        }

    def distributions(self) -> Distributions:
        """The choice and the genes of every option."""
        found = self._kind.distributions()
        for genes in self._own.values():
            for _, gene in genes:
                found |= gene.distributions()
        return found

    def decode(self, params: Mapping[str, Any], width: int = 0) -> AnyOperator | None:
        """The chosen operator; `width`, rounded up to what its kind allows, goes to a `WideBlock`."""
        kind = self._kind.decode(params)
        if kind == NONE:
            return None
        cls, multiple, fixed, chosen = self._recipes[kind]
        values = dict(fixed)
        for gene, name, options in chosen:
            values[gene] = options[params[name]]
        if multiple:
            values["width"] = -(-width // multiple) * multiple
        return cls(**values)

    def encode(self, operator: AnyOperator | None) -> dict[str, Any]:
        """The parameters that choose `operator`; inactive genes are left out."""
        if operator is None:
            return self._kind.encode(NONE)
        params = self._kind.encode(operator.kind)
        for gene, values in self._own[operator.kind]:
            params |= values.encode(getattr(operator, gene))
        return params


def width_gene(bounds: tuple[float, float]) -> FloatDistribution:
    """A stage's width as a proportion of the reference width, on a logarithmic scale."""
    return FloatDistribution(*bounds, log=True)


def token(value: object) -> Any:
    """The scalar that stands for a value in Optuna's storages."""
    return "-".join(map(str, value)) if isinstance(value, tuple) else value
