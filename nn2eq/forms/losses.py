"""Losses by which a network is trained. THE table of losses is `LOSSES`; a new one adds its row.

Formulas are texts of nn2eq.formula in `y`, an output, and `t`, what it should be. As in Keras, a sample's loss is the
mean over its outputs (or their sum), and a batch's the mean over its samples. Keras keeps probabilities within
[1e-7, 1 - 1e-7]; here nothing is clipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nn2eq import formula as fm
from nn2eq.errors import BadRequest
from nn2eq.network import Network


@dataclass(frozen=True)
class Loss:
    """A loss.

    term: what one output adds. slope: its derivative by y. mean: whether outputs are averaged. natural: the
    activations with which it makes one: then its derivative by z is y - t, which no saturation spoils. alone: whether
    it is for those activations alone. single: whether it is for one output alone. keras: what Keras calls it.
    """

    name: str
    term: str
    slope: str
    mean: bool = True
    natural: tuple[str, ...] = ()
    alone: bool = False
    single: bool = False
    keras: tuple[str, ...] = ()

    @property
    def node(self) -> fm.Node:
        """What one output adds."""
        return fm.parse(self.term)

    @property
    def derivative(self) -> fm.Node:
        """Its derivative by y."""
        return fm.parse(self.slope)


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
            "bce",
            "-(t * log(y) + (1 - t) * log(1 - y))",
            "(y - t) / (y * (1 - y))",
            natural=("sigmoid",),
            keras=("bce", "BCE", "binary_crossentropy", "BinaryCrossentropy"),
        ),
        Loss(
            "cce",
            "-(t * log(y))",
            "-(t / y)",
            mean=False,
            natural=("softmax",),
            alone=True,
            keras=("categorical_crossentropy", "CategoricalCrossentropy"),
        ),
        Loss("none", "y", "1", single=True),
    )
}


def loss_of(name: str, activation: str, outputs: int) -> Loss:
    """Return a loss by name, or if none is named the one that goes with the last activation, else mse.

    Raises BadRequest for one that does not go with it.
    """
    natural = (row for row in LOSSES.values() if activation in row.natural)
    chosen = LOSSES[name] if name else next(natural, LOSSES["mse"])
    if chosen.alone and activation not in chosen.natural:
        what = f"--loss {chosen.name} behind {activation or 'no activation'}"
        raise BadRequest(what, code="loss", way_out=f"it goes with {', '.join(chosen.natural)}")
    if chosen.single and outputs > 1:
        raise BadRequest(f"--loss {chosen.name} with {outputs} outputs", code="loss", way_out="name a loss")
    return chosen


def named_loss(network: Network, name: str) -> str:
    """Return the loss that is meant: by `compiled`, the one that the network's file tells. Raises BadRequest."""
    if name != COMPILED:
        return name
    told = network.source.loss
    found = next((row.name for row in LOSSES.values() if told in row.keras), "")
    if not found:
        what = (
            f"it was compiled with {told!r:.80}"
            if told
            else "it does not say with which loss it was compiled"
        )
        known = ", ".join(row.name for row in LOSSES.values())
        raise BadRequest(f"--loss compiled: {what}", code="loss", way_out=f"name one of {known}")
    return found
