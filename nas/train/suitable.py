"""Whether a network and its data go together, asked before a view is drawn or a file is written."""

from torch.nn.parameter import is_lazy

from nas.errors import UserError
from nas.evaluate.answer import check_network
from nas.evaluate.domains import head_of
from nas.train.full import FullPlan
from nas.train.full_sets import FullSet
from nas.weights import fit_weights, read_weights


def check_networks(plan: FullPlan) -> None:
    """Builds the network of each data set, and asks it as validation and training will.

    Raises:
        UserError: It answers with something else than the logits of the data's classes, or the weights to start from are not there or
            another network's.
    """
    for one in plan.sets:
        try:
            _check(plan, one)
        except UserError as error:
            raise UserError(f"{plan.code.spec} and {one.data.name} do not go together: {error}") from error


def _check(plan: FullPlan, one: FullSet) -> None:
    filed = plan.code.constants.get("NUM_CLASSES")
    channels, classes = one.data.channels, one.data.num_classes
    if not plan.code.joint and filed is not None and filed != classes and not plan.code.takes_classes:
        raise UserError(f"the file answers with {filed} classes and its builder takes no num_classes; the data have {classes}")
    model = plan.network_of(one.data)
    if lazy := [name for name, tensor in model.named_parameters() if is_lazy(tensor)]:
        raise UserError(f"the size of {lazy[0]} is known only after a first image: let the builder show the network one")
    if plan.config.weights is not None:
        fit_weights(model, read_weights(plan.config.weights), str(plan.config.weights))
    head = head_of(plan.code, one.domain) if one.domain is not None else None
    check_network(model.eval(), (channels, *one.size.image_size), classes, head)
    # A network may answer otherwise in training, with auxiliary heads for one; the fewest images of a batch are two.
    batch = min(2, *(len(own.splits["train"]) for own in one.folds or (one.data,)))
    check_network(model.train(), (channels, *one.size.train_size), classes, head, batch)
