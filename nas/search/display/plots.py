"""Two figures of a study, kept in its storage, where Optuna Dashboard shows them: the front, and the hypervolume over trials."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState

from nas.search.display.front import COSTS, front_trials
from nas.search.study import StoredStudy
from nas.search.volume import volumes

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

EVERY = 60.0
"""Seconds between drawings at least."""

GREY, DARK = "#b8bcc4", "#1f4e79"


@dataclass
class Plots:
    """The figures of a study, drawn anew now and then.

    Attributes:
        stored: The study.
        corner: What `reference_costs` gave.
    """

    stored: StoredStudy
    corner: Mapping[str, float]
    _drawn: float = field(default_factory=time.monotonic)

    def refresh(self) -> None:
        """Draws where the last drawing is a minute old: a drawing takes the coordinator 50 ms or so, and workers wait meanwhile."""
        if time.monotonic() - self._drawn > EVERY:
            self.draw()

    def draw(self) -> None:
        """Draws both figures and keeps them with the study, in the place of the earlier ones."""
        from optuna_dashboard import save_plotly_graph_object  # Takes a second, for scikit-learn's sake; `--help` needs none of it.

        self.stored.still_held()
        trials, objectives = self.stored.trials(), self.stored.objectives
        save_plotly_graph_object(self.stored.study, front_figure(trials, objectives), graph_object_id="front")
        points = volumes(trials, objectives, self.corner)
        if points:
            save_plotly_graph_object(self.stored.study, volume_figure(points, objectives, self.corner), graph_object_id="hypervolume")
        self._drawn = time.monotonic()


def front_figure(trials: Sequence[FrozenTrial], objectives: Sequence[str]) -> "Figure":
    """All complete trials by accuracy and cost, those of the front in a line."""
    from plotly.graph_objects import Figure, Scatter  # 0.5 s, and only who draws needs it

    accuracy = next(name for name in objectives if name not in COSTS)
    cost = next((name for name in objectives if name in COSTS), "macs")
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and "genome" in trial.user_attrs]
    front = sorted(front_trials(trials, objectives), key=lambda trial: trial.user_attrs[cost])
    figure = Figure()
    for name, shown, mode, colour in (("trained", complete, "markers", GREY), ("front", front, "lines+markers", DARK)):
        figure.add_trace(
            Scatter(
                x=[trial.user_attrs[cost] for trial in shown],
                y=[trial.user_attrs[accuracy] for trial in shown],
                text=[_words(trial) for trial in shown],
                mode=mode,
                name=name,
                line={"color": colour, "shape": "hv"},
                hovertemplate="%{text}<extra></extra>",
            )
        )
    title = f"Front: {accuracy} (validation, search value) against {cost}"
    return _laid_out(figure, title, f"{cost} of one image" if cost != "params" else "parameters", accuracy, logarithmic=True)


def volume_figure(points: Sequence[tuple[int, float]], objectives: Sequence[str], corner: Mapping[str, float]) -> "Figure":
    """Hypervolume over trained trials."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(Scatter(x=[number for number, _ in points], y=[volume for _, volume in points], mode="lines", line={"color": DARK}))
    words = ", ".join(f"log10 {name} below {corner[name]:,.0f}" if name in COSTS else f"{name} above 0" for name in objectives)
    return _laid_out(figure, f"Hypervolume of ({words})", "trained networks, stopped ones included", "hypervolume", logarithmic=False)


def _words(trial: FrozenTrial) -> str:
    attrs = trial.user_attrs
    peer = f" ({attrs['peer']})" if "peer" in attrs else ""
    return f"trial {trial.number}{peer}<br>IoU {attrs['iou']:.4f}<br>{attrs['params']:,} parameters<br>{attrs['macs'] / 1e6:.2f}M MACs"


def _laid_out(figure: "Figure", title: str, across: str, up: str, *, logarithmic: bool) -> "Figure":
    figure.update_layout(title=title, template="none", margin={"t": 60, "r": 20}, hovermode="closest")
    figure.update_xaxes(title=across, type="log" if logarithmic else "linear")
    figure.update_yaxes(title=up)
    return figure
