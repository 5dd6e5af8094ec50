"""One network behind another: second(first(x)) as a network of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from nn2eq.errors import BadRequest
from nn2eq.network import Layer, Network, Source


def compose(first: Network, second: Network) -> Network:
    """Return second(first(x)): the layers of both in order, first's inputs and second's outputs and loss.

    A layer of the second whose name the first has already is called as it was with a number behind. Raises
    BadRequest if the second does not take as many numbers as the first gives.
    """
    for network in (first, second):
        network.require_numbers("a composition")
    if first.outputs != second.inputs:
        raise BadRequest(
            f"the first network gives {first.outputs} numbers, and the second takes {second.inputs}",
            code="sizes",
            way_out="compose networks whose sizes fit",
        )
    names = {layer.name for layer in first.layers}
    versions = {first.source.keras_version, second.source.keras_version}
    return Network(
        layers=(*first.layers, *_renamed(second.layers, names)),
        input_shape=first.input_shape,
        input_names=first.input_names,
        output_names=second.output_names,
        source=Source(
            f"{os.path.basename(second.source.file)} behind {os.path.basename(first.source.file)}",
            keras_version=versions.pop() if len(versions) == 1 else "",
            loss=second.source.loss,
        ),
        one_for_all=first.one_for_all,
    )


def _renamed(layers: tuple[Layer, ...], taken: set[str]) -> Iterator[Layer]:
    for layer in layers:
        name, number = layer.name, 1
        while name in taken:
            name, number = f"{layer.name}_{number}", number + 1
        taken.add(name)
        yield layer if name == layer.name else replace(layer, name=name)
