"""What a network decides: which class an answer means, and the last layer as planes between the classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.domain import Domain
from nn2eq.errors import BadRequest, Nn2eqError
from nn2eq.forms.program import Affine, Apply, Program, Value
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.style import MARKERS
from nn2eq.show.pictures.theme import number, plain

Array = NDArray[np.float64]
Classes = NDArray[np.int64]
FAR = 1e3
MOST_CLASSES = 10


@dataclass(frozen=True, eq=False)
class Decision:
    """How a network decides: the class of its largest output or, with one, whether that is at least a threshold."""

    network: Network
    threshold: float

    @property
    def is_binary(self) -> bool:
        """Whether there is one output, for yes or no."""
        return self.network.outputs == 1

    @property
    def names(self) -> tuple[str, ...]:
        """What the classes are called."""
        names = self.network.output_labels
        if self.is_binary:
            return tuple(f"{plain(names[0])} {sign} {number(self.threshold)}" for sign in "<≥")
        return tuple(map(plain, names))

    def classes(self, answers: Array) -> Classes:
        """Return the class of each answer: (n, outputs) to (n,)."""
        if self.is_binary:
            return (answers[:, 0] >= self.threshold).astype(np.int64)
        return np.asarray(np.argmax(answers, axis=1))

    def margin(self, answers: Array) -> Array:
        """Return by how much each answer is its class rather than the next, (n,): 0 where the class changes."""
        if self.is_binary:
            return answers[:, 0] - self.threshold
        ordered = np.sort(answers, axis=1)
        return np.asarray(ordered[:, -1] - ordered[:, -2])


def decision(network: Network, scene: Scene) -> Decision:
    """Return how a network decides; its threshold is the middle of what its last activation can give, else 0."""
    if network.outputs > MOST_CLASSES:
        raise BadRequest(
            f"{network.outputs} classes in one picture",
            code="kind-model",
            way_out=f"up to {MOST_CLASSES} can be shown",
        ).in_file(network.source.file)
    if scene.threshold is not None and network.outputs > 1:
        raise BadRequest(
            "--threshold is for one output",
            code="option-kind",
            way_out="the largest of several outputs decides",
        )
    return Decision(network, _middle(network) if scene.threshold is None else scene.threshold)


def _middle(network: Network) -> float:
    last = list(network.maps)[-1:]
    if not last or not isinstance(last[0], Activation) or last[0].row.coupled:
        return 0.0
    low, high = (float(end[0]) for end in last[0].bounds(np.array([-np.inf]), np.array([np.inf])))
    return round((low + high) / 2, 9) if np.isfinite([low, high]).all() else 0.0


@dataclass(frozen=True, eq=False)
class Last:
    """The last layer: the hidden units it takes, its kernel (units, outputs) and bias (outputs,), and its answer.

    value: the name of what it takes; level: the pre-activation at which one output passes the threshold.
    """

    value: Value
    kernel: Array
    bias: Array
    level: float


def last_layer(network: Network, threshold: float) -> Last:
    """Return the last layer behind hidden units. Raises BadRequest if there are fewer than two, or none."""
    steps = matrix(network).predict.steps
    places = [place for place, step in enumerate(steps) if isinstance(step, Affine)]
    if len(places) < 2 or not all(isinstance(step, Apply) for step in steps[places[-1] + 1 :]):
        raise _no_space(network, "has no hidden layer")
    step = steps[places[-1]]
    assert isinstance(step, Affine)
    (term,) = step.terms
    if term.arg.size < 2 or term.matrix.data.ndim == 1:
        raise _no_space(network, f"has one unit in its last hidden layer, {term.arg.parts[0]}")
    bias = np.zeros(step.out.size) if step.offset is None else step.offset.data.astype(np.float64)
    level = _level(
        [part for part in steps[places[-1] + 1 :] if isinstance(part, Apply)], threshold, step.out.size
    )
    return Last(term.arg, term.matrix.data.astype(np.float64), bias, level)


def _no_space(network: Network, what: str) -> Nn2eqError:
    return BadRequest(
        "--kind projection is for two hidden units or more", code="kind-model", where=f"this network {what}",
        way_out="try --kind function or boundary",
    ).in_file(network.source.file)  # fmt: skip


def _level(steps: list[Apply], threshold: float, outputs: int) -> float:
    """Find the pre-activation whose activation is the threshold, by halving: the last activation is monotone."""
    if outputs > 1 or not steps:
        return threshold if outputs == 1 else 0.0

    def answer(z: float) -> float:
        value = np.array([[z]])
        for step in steps:
            value = step.activation(value)
        return float(value[0, 0]) - threshold

    low, high = -FAR, FAR
    if answer(low) >= 0 or answer(high) < 0:
        raise BadRequest(f"no answer is {threshold:g}", code="threshold", way_out="give another --threshold")
    while np.nextafter(low, high) < high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (low, middle) if answer(middle) >= 0 else (middle, high)
    return high if abs(high) > 1e-12 else 0.0


def values_of(network: Network, value: Value, rows: Array) -> Array:
    """Return a named value of a network at some inputs, (n, units)."""
    program: Program = matrix(network)
    return program.values(rows)[value.name]


def widened(scene: Scene, network: Network) -> Domain:
    """Return the box of a picture, a little wider than the data where it is theirs."""
    box = scene.box(network)
    if scene.domain is not None or scene.data is None:
        return box
    return tuple((low - 0.04 * (high - low), high + 0.04 * (high - low)) for low, high in box)


def title_of(scene: Scene, number: int, wrong: int) -> str:
    """Return what a panel is called, and how many samples its network misjudges; "" of one network alone."""
    if len(scene.networks) == 1:
        return ""
    return f"{scene.titles[number]}" + (f": {wrong:,} misjudged" if scene.data is not None else "")


def draw_classes(
    axes: Axes, scene: Scene, points: Array, truly: Classes, decided: Classes, names: tuple[str, ...]
) -> None:
    """Draw samples (n, 2 or 3) by their class, each with its own mark, and ring those that are decided otherwise."""
    theme = scene.theme
    for one in np.unique(truly).tolist():
        chosen = points[truly == one]
        axes.plot(
            *chosen.T, linestyle="none", marker=MARKERS[one % len(MARKERS)], markersize=4.5,
            color=theme.colours[one % len(theme.colours)], markeredgecolor=theme.paper, markeredgewidth=0.5,
            label=names[one], zorder=4,
        )  # fmt: skip
    wrong = points[truly != decided]
    if len(wrong):
        axes.plot(
            *wrong.T, linestyle="none", marker="o", markersize=9, markerfacecolor="none", markeredgecolor=theme.ink,
            markeredgewidth=1.2, label=f"misjudged ({len(wrong):,})" if len(scene.networks) == 1 else "misjudged",
            zorder=5,
        )  # fmt: skip
