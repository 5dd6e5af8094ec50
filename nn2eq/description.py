"""What a network is made of: layers, parameters, multiply-adds, and every form's size before it is built."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nn2eq.activations import Activation
from nn2eq.forms import STRAIGHT, form
from nn2eq.forms.program import Affine, Program
from nn2eq.forms.size import numbers
from nn2eq.network import Layer, Network, Selected


@dataclass(frozen=True)
class LayerInfo:
    """One layer of the file: number (from 1), name, class, output shape, stored numbers, activations."""

    number: int
    name: str
    class_name: str
    shape: tuple[int, ...]
    parameters: int
    activations: tuple[str, ...]


@dataclass(frozen=True)
class Info:
    """A network at a glance; `forms` says how many numbers each form's text holds.

    one_for_all: whether the file leaves the number of inputs open, so that Keras takes one number for all of them too.
    constant_bytes: what the numbers take as arrays, of float32 where the file has it and nothing was folded in.
    """

    model: str
    sha256: str
    container: str
    keras_version: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layers: tuple[LayerInfo, ...]
    parameters: int
    multiply_adds: int
    constant_bytes: int
    forms: dict[str, int]
    one_for_all: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)


def info(network: Network) -> Info:
    """Return what the network is made of. Nothing is built to find its sizes."""
    network.require_numbers("the size of a text")
    programs = {name: form(name).build(network) for name in STRAIGHT}
    program = next(iter(programs.values()))
    source = network.source
    return Info(
        source.file, source.sha256, source.container, source.keras_version,
        program.inputs, program.outputs,
        tuple(_layer(number, layer) for number, layer in enumerate(network.layers, start=1)),
        network.parameters, _multiply_adds(program),
        sum(constant.data.nbytes for constant in program.predict.constants),
        {name: numbers(program) for name, program in programs.items()},
        network.one_for_all,
    )  # fmt: skip


def _layer(number: int, layer: Layer) -> LayerInfo:
    names = tuple(_row_name(part) for part in layer.maps if isinstance(part, Activation | Selected))
    return LayerInfo(number, layer.name, layer.class_name, layer.shape, layer.parameters, names)


def _row_name(part: Activation | Selected) -> str:
    return (part.activation if isinstance(part, Selected) else part).row.name


def _multiply_adds(program: Program) -> int:
    """Count the products of all affine steps, as they are folded and written."""
    steps = (step for step in program.predict.steps if isinstance(step, Affine))
    return sum(int(term.matrix.data.size) for step in steps for term in step.terms)
