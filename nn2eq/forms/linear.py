"""A network without its activations: what is left is affine."""

from __future__ import annotations

from dataclasses import replace

from nn2eq.activations import Activation
from nn2eq.errors import UnsupportedModel
from nn2eq.network import Layer, Network


def without_activations(network: Network) -> Network:
    """Return the network with the activations of its layers taken away; scalers and transforms around it stay.

    Raises UnsupportedModel if an activation has fewer outputs than inputs, so that nothing fits without it.
    """
    return replace(network, layers=tuple(map(_affine, network.layers)))


def taken_away(network: Network) -> tuple[str, ...]:
    """Return the names of the activations that `without_activations` takes away."""
    parts = (part for layer in network.layers if not layer.added for part in layer.maps)
    names = (part.row.name for part in parts if isinstance(part, Activation) and not part.is_linear)
    return tuple(dict.fromkeys(names))


def _affine(layer: Layer) -> Layer:
    if layer.added:
        return layer
    for part in layer.maps:
        if isinstance(part, Activation) and part.row.halves:
            raise UnsupportedModel(
                f"layer {layer.name!r}: without {part.row.name} its outputs are too many",
                code="linear",
                way_out="leave --activations linear out",
            )
    return replace(layer, maps=tuple(part for part in layer.maps if not isinstance(part, Activation)))
