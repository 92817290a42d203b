"""Which head of a network with several answers for a data set; a network with one head needs none of this."""

from collections.abc import Sequence

from nas.data import DataSet
from nas.errors import UserError
from nas.evaluate.recorded import recorded_set
from nas.model_code import ModelCode


def domain_names(code: ModelCode) -> tuple[str, ...]:
    """Names of the heads in their order: the data sets that the network was found on, or numbers where the file names none."""
    counts, names = code.constants["NUM_CLASSES"], tuple(code.constants.get("DOMAINS", ()))
    return names if len(names) == len(counts) else tuple(map(str, range(len(counts))))


def head_of(code: ModelCode, domain: str | None) -> int:
    """Position of a head.

    Args:
        code: Of a network with several.
        domain: Its name.

    Raises:
        UserError: There is none of that name.
    """
    names = domain_names(code)
    if domain not in names:
        came = "none is named" if domain is None else f"{domain} is none of them"
        raise UserError(f"{code.spec} has a head for each of {', '.join(names)}, and {came}: name the one that is meant with --domain")
    return names.index(domain)


def domain_of(code: ModelCode, data: DataSet, named: str | None = None) -> str | None:
    """Name of the head that answers for a data set: the recorded set that it is, unless a person names another.

    Args:
        code: Of the network.
        data: The set.
        named: As given behind `--domain`.

    Returns:
        None for a network with one head.

    Raises:
        UserError: It cannot be told, or its head has other classes than the data.
    """
    if not code.joint:
        return None
    domain = named or (data.name if data.name in domain_names(code) else str(recorded_set(code, data.location).get("name", data.name)))
    classes = code.constants["NUM_CLASSES"][head_of(code, domain)]
    if classes != data.num_classes:
        raise UserError(
            f"{code.spec} has {classes} classes for {domain}, and {data.name} has {data.num_classes}: name the head of these data with "
            "--domain, or give other data"
        )
    return domain


def domains_of(code: ModelCode, sets: Sequence[DataSet], named: Sequence[str] = ()) -> list[str | None]:
    """The head of each of several data sets, as `domain_of` tells it.

    Args:
        code: Of the network.
        sets: The data.
        named: As given behind `--domain`, one for each set; empty where all can be told.

    Raises:
        UserError: As there; or the names are not as many as the sets; or two sets have one head.
    """
    if named:
        check_named([code], named)
        if len(named) != len(sets):
            raise UserError(f"--domain was given {len(named)} times for {len(sets)} data sets: give one for each --data, in their order")
    wanted: Sequence[str | None] = named or [None] * len(sets)
    found = [domain_of(code, data, own) for data, own in zip(sets, wanted, strict=True)]
    for domain in found:
        if code.joint and found.count(domain) > 1:
            both = " and ".join(data.name for data, own in zip(sets, found, strict=True) if own == domain)
            raise UserError(f"{both} would both have the head of {domain}: give each a head of its own with --domain")
    return found


def check_named(codes: Sequence[ModelCode], named: str | Sequence[str] | None) -> None:
    """Refuses `--domain` where no network has several heads.

    Raises:
        UserError: Saying so.
    """
    if named and not any(code.joint for code in codes):
        raise UserError(f"--domain is for networks with several heads, and {codes[0].spec} has one: leave it out")
