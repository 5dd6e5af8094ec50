"""Losses by which a network is trained. THE table of losses is `LOSSES`; a new one adds its row.

Formulas are texts of nn2eq.formula in `y`, an output, and `t`, what it should be. As in Keras, a sample's loss is the
mean over its outputs (or their sum), and a batch's the mean over its samples. The equations are written from `term` and
`slope`, what runs from the `Criterion` that follows from the same row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nn2eq.errors import BadRequest

if TYPE_CHECKING:  # the command line asks for the names alone
    from nn2eq.activations import Activation
    from nn2eq.formula import Node
    from nn2eq.network import Network

CLIPPED = 1e-7
"""Keras keeps probabilities at least so far from 0 and 1."""


@dataclass(frozen=True)
class Loss:
    """A loss.

    term: what one output adds. slope: its derivative by y, TensorFlow's where it has none. mean: whether outputs are
    averaged. natural: the activation with which it makes one: then its derivative by z is y - t, which no saturation
    spoils, and `logits` is the term in z. alone: whether it is for that activation alone. single: whether it is for one
    output alone. probabilities: whether Keras keeps y away from 0 and 1. classes: whether the number of a class may
    stand for what the outputs should be. keras: what Keras calls it.
    """

    name: str
    term: str
    slope: str
    mean: bool = True
    natural: str = ""
    logits: str = ""
    alone: bool = False
    single: bool = False
    probabilities: bool = False
    classes: bool = False
    keras: tuple[str, ...] = ()

    @property
    def node(self) -> Node:
        """What one output adds."""
        return _parsed(self.term)

    @property
    def derivative(self) -> Node:
        """Its derivative by y."""
        return _parsed(self.slope)

    def criterion(self, activation: str) -> Criterion:
        """Return the loss as it is run behind an activation, "" for none."""
        if self.natural and activation == self.natural:
            return Criterion(_parsed(self.logits), _parsed("y - t"), of_sums=True)
        if self.probabilities:
            return _clipped(self)
        return Criterion(self.node, self.derivative)


@dataclass(frozen=True)
class Criterion:
    """A loss as it is run: formulas in `y`, `t` and, `of_sums`, in `z`, what the last activation is taken of.

    slope: of the term by y, or by z if it is of the sums.
    """

    term: Node
    slope: Node
    of_sums: bool = False


def _parsed(text: str) -> Node:
    from nn2eq import formula

    return formula.parse(text)


def _clipped(loss: Loss) -> Criterion:
    """Keep y from 0 and 1 as Keras does; beyond, nothing moves."""
    from nn2eq import formula

    kept = _parsed(f"max(min(y, 1 - {CLIPPED}), {CLIPPED})")
    inside = _parsed(f"abs(y - 1 / 2) <= 1 / 2 - {CLIPPED}")
    term, slope = (formula.substitute(node, {"y": kept}) for node in (loss.node, loss.derivative))
    return Criterion(term, formula.Node("where", (inside, slope, formula.number(0))))


_LOGSUM = "(max(z[k] for k in units) + log(sum(exp(z[j] - max(z[k] for k in units)) for j in units)))"
COMPILED = "compiled"
"""The loss that a network's file names."""
LOSSES: Mapping[str, Loss] = {
    row.name: row
    for row in (
        Loss(
            "mse",
            "(y - t)**2",
            "2 * (y - t)",
            keras=("mse", "MSE", "mean_squared_error", "MeanSquaredError"),
        ),
        Loss(
            "mae",
            "abs(y - t)",
            "where(y > t, 1, where(y < t, -1, 0))",
            keras=("mae", "MAE", "mean_absolute_error", "MeanAbsoluteError"),
        ),
        Loss(
            "huber",
            "where(abs(y - t) <= 1, (y - t)**2 / 2, abs(y - t) - 1 / 2)",
            "where(abs(y - t) <= 1, y - t, where(y > t, 1, -1))",
            keras=("huber", "Huber", "huber_loss"),
        ),
        Loss(
            "bce",
            "-(t * log(y) + (1 - t) * log(1 - y))",
            "(y - t) / (y * (1 - y))",
            natural="sigmoid",
            logits="max(z, 0) - z * t + log1p(exp(-abs(z)))",
            probabilities=True,
            keras=("bce", "BCE", "binary_crossentropy", "BinaryCrossentropy"),
        ),
        Loss(
            "cce",
            "-(t * log(y))",
            "-(t / y)",
            mean=False,
            natural="softmax",
            logits=f"t * ({_LOGSUM} - z)",
            alone=True,
            probabilities=True,
            classes=True,
            keras=(
                "categorical_crossentropy", "CategoricalCrossentropy",
                "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy",
            ),
        ),
        Loss("none", "y", "1", mean=False, single=True),
    )
}  # fmt: skip


def chosen(network: Network, name: str, last: Activation | None) -> Loss:
    """Return a loss by name (`compiled`: the one that the file tells), else the one that goes with the last activation.

    Raises BadRequest for a loss that is not there, or does not go with the network.
    """
    activation = last.row.name if last else ""
    name = _compiled(network) if name == COMPILED else name
    natural = (row.name for row in LOSSES.values() if row.natural and row.natural == activation)
    name = name or next(natural, "mse")
    if name not in LOSSES:
        raise BadRequest(f"unknown loss {name!r:.40}", code="loss", way_out=f"one of {', '.join(LOSSES)}")
    loss = LOSSES[name]
    if loss.alone and activation != loss.natural:
        what = f"--loss {loss.name} behind {activation or 'no activation'}"
        raise BadRequest(what, code="loss", way_out=f"it goes with {loss.natural}; mse goes with all")
    if loss.alone and last and last.groups > 1:
        what = f"--loss {loss.name} with {activation} at {last.groups} places"
        raise BadRequest(what, code="loss", way_out="mse goes with all")
    if loss.single and network.outputs > 1:
        what = f"--loss {loss.name} with {network.outputs} outputs"
        raise BadRequest(what, code="loss", way_out="name a loss")
    return loss


def _compiled(network: Network) -> str:
    """Return the loss that a network's file tells."""
    told = network.source.loss
    found = next((row.name for row in LOSSES.values() if told in row.keras), "")
    if not found:
        what = (
            f"it was compiled with {told!r:.80}"
            if told
            else "it does not say with which loss it was compiled"
        )
        raise BadRequest(
            f"--loss {COMPILED}: {what}", code="loss", way_out=f"name one of {', '.join(LOSSES)}"
        )
    return found
