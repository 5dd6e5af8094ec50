"""The options that mean the same everywhere, and the network they describe."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nn2eq.cli.terminal import say, waiting
from nn2eq.errors import BadRequest, Disagreement

if TYPE_CHECKING:  # numbers are imported while a child reads the file
    import numpy as np
    from numpy.typing import NDArray

    from nn2eq.domain import Domain
    from nn2eq.network import Network
    from nn2eq.proof.ask_keras import Asked
    from nn2eq.reading import Started
    from nn2eq.reading.dense import Sketched

Command = TypeVar("Command", bound=Callable[..., Any])

_MODEL = click.argument("model", type=click.Path())
_MODELS = click.argument("models", metavar="MODEL...", type=click.Path(), nargs=-1, required=True)
_MODEL_OPTIONS = (
    click.option(
        "--weights", type=click.Path(), metavar="FILE",
        help="The weights of an architecture .json (.h5 or .weights.h5).",
    ),
    click.option("--inputs", metavar="A,B", default="", help="Names of the inputs, in order."),
    click.option("--outputs", metavar="Y", default="", help="Names of the outputs, in order."),
    click.option(
        "--scale-input", metavar="SCALER", default="",
        help="How the inputs were scaled: minmax:LO:HI, standard:MEAN:SD, T=minmax:0:5,p=..., or a JSON file. "
        "The text then takes original units.",
    ),
    click.option(
        "--scale-output", metavar="SCALER", default="",
        help="How the outputs were scaled, likewise. The text then gives original units.",
    ),
    click.option(
        "--transform-input", metavar="P=LOG10", default="", help="A function applied to an input before scaling."
    ),
    click.option(
        "--threshold", type=float, metavar="T",
        help="Decide: give 1 where an output is at least T, else 0; behind a softmax, for the largest alone.",
    ),
    click.option(
        "--decide-on", "decide_on", type=click.Choice(["y", "z"]), default="y", show_default=True,
        help="Decide on the answer y, or on the pre-activation z of the last layer, with the equivalent threshold.",
    ),
    click.option("--debug", is_flag=True, help="Show the traceback of an error."),
)  # fmt: skip


@dataclass(frozen=True)
class ModelOptions:
    """Which network is meant: a file, and what is known about its inputs and outputs."""

    model: str
    weights: str | None = None
    inputs: str = ""
    outputs: str = ""
    scale_input: str = ""
    scale_output: str = ""
    transform_input: str = ""
    threshold: float | None = None
    decide_on: str = "y"
    dense: str = ""
    debug: bool = False

    @property
    def is_large(self) -> bool:
        """Whether people will wait for it: more than a million weights."""
        file = self.weights or self.model
        return os.path.isfile(file) and os.path.getsize(file) > 4_000_000

    def start(self) -> Started | Sketched:
        """Start to read the file in a child; what else is needed can be imported meanwhile."""
        if bool(self.model) == bool(self.dense):
            raise BadRequest("either MODEL or --dense is needed", code="usage", way_out="give one of the two")
        if self.dense:
            from nn2eq.reading.dense import Sketched

            return Sketched(self.dense)
        from nn2eq.reading import start

        return start(self.model, weights=self.weights)

    def network(self, started: Started | Sketched | None = None, *, symbols: bool = False) -> Network:
        """Read the network, name its inputs and outputs, and put it into original units.

        symbols: an architecture without weights will do.
        """
        network = (started or self.start()).finish(symbols=symbols)
        from nn2eq.scaling import in_original_units

        inputs = split_names(self.inputs, network.inputs, "--inputs")
        outputs = split_names(self.outputs, network.outputs, "--outputs")
        if self.decide_on != "y" and self.threshold is None:
            raise BadRequest("--decide-on needs a --threshold", code="usage", way_out="give one")
        network = in_original_units(
            replace(network, input_names=inputs, output_names=outputs),
            scale_input=self.scale_input,
            scale_output=self.scale_output,
            transform_input=self.transform_input,
        )
        if self.threshold is None:
            return network
        from nn2eq.decision import deciding

        return deciding(network, self.threshold, on=self.decide_on)


def model_options(command: Command) -> Command:
    """Give a command MODEL and the options that describe it; it is called with `source`, a ModelOptions."""
    return _described(command, _MODEL, lambda given: ModelOptions(**given))


def models_options(command: Command) -> Command:
    """Give a command MODEL... and the options that describe all of them; it is called with `sources`."""

    def each(given: dict[str, Any]) -> tuple[ModelOptions, ...]:
        return tuple(ModelOptions(model, **given) for model in given.pop("models"))

    return _described(command, _MODELS, each, "sources")


def _described(
    command: Command, argument: Any, build: Callable[[dict[str, Any]], Any], keyword: str = "source"
) -> Command:
    names = {"models", *ModelOptions.__dataclass_fields__}

    def gathered(*args: Any, **given: Any) -> Any:
        described = {key: given.pop(key) for key in list(given) if key in names}
        return command(*args, **{keyword: build(described)}, **given)

    gathered.__name__, gathered.__doc__ = command.__name__, command.__doc__
    gathered.__click_params__ = list(getattr(command, "__click_params__", ()))  # type: ignore[attr-defined]
    decorated: Any = gathered
    for option in reversed((argument, *_MODEL_OPTIONS)):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def dense_option(command: Command) -> Command:
    """Let a command be given --dense in place of MODEL."""
    parameters: list[click.Parameter] = command.__click_params__  # type: ignore[attr-defined]
    for parameter in parameters:
        if parameter.name == "model":
            parameter.required, parameter.default = False, ""
    return click.option(
        "--dense", metavar="2-3-1:tanh", default="",
        help="In place of MODEL, dense layers of these sizes and activations, for symbols alone.",
    )(command)  # fmt: skip


def domain_option(command: Command) -> Command:
    """Give a command --domain, for `box_of`."""
    return click.option(
        "--domain",
        metavar="-1:1",
        help="The box: -1:1 for every input, or a=-1:1,b=0:5. By default that of the data or the scaler.",
    )(command)


def box_of(domain: str | None, network: Network, data: str | None) -> Domain:
    """Return the box that --domain names, else that of the data or the scaler. Raises BadRequest if none is known."""
    from nn2eq.domain import default_domain, parse_domain

    if domain is not None:
        return parse_domain(domain, network.input_labels)
    return default_domain(network, rows_of(data, network))


def data_option(command: Command) -> Command:
    """Give a command --data."""
    return click.option(
        "--data",
        type=click.Path(),
        metavar="FILE.csv",
        help="Rows to check on as well; columns are named as the inputs.",
    )(command)


def fold_option(command: Command) -> Command:
    """Give a command --no-fold; it is called with `fold`."""
    return click.option(
        "--no-fold", "fold", is_flag=True, flag_value=False, default=True,
        help="Show scalers, normalisation and linear layers instead of folding them into their neighbours.",
    )(command)  # fmt: skip


def rows_of(data: str | None, network: Network) -> NDArray[np.float64] | None:
    """Read --data for a network."""
    if data is None:
        return None
    from nn2eq.data import read_columns

    return read_columns(data, network.input_labels)


def split_names(text: str, count: int, option: str) -> tuple[str, ...]:
    """Split `a,b` into so many names, () if none are given. Raises BadRequest."""
    if not text:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if len(names) != count:
        told = f"{option}: {len(names)} name{'s' * (len(names) != 1)}"
        raise BadRequest(told, code="names", way_out=f"this network has {count}")
    if "" in names or len(set(names)) < len(names):
        raise BadRequest(
            f"{option}: a name is empty or appears twice", code="names", way_out="give each its own"
        )
    return names


def keras_is_wanted() -> bool:
    """Whether NN2EQ_CHECK asks for Keras on every run. Raises BadRequest for another word than keras."""
    wanted = os.environ.get("NN2EQ_CHECK", "")
    if wanted not in ("", "keras"):
        raise BadRequest(
            f"NN2EQ_CHECK={wanted} is not understood", code="usage", way_out="NN2EQ_CHECK=keras asks Keras"
        )
    return wanted == "keras"


def asked_keras(source: ModelOptions, network: Network, rows: NDArray[np.float64] | None) -> Asked:
    """Ask Keras itself for its answers and say what came of it. Raises Disagreement."""
    from nn2eq.proof.ask_keras import answers_of_keras

    with waiting("asking Keras"):
        asked = answers_of_keras(network, source.model, weights=source.weights, data=rows)
    agreement = asked.agreement
    say(f"Keras: {agreement.line()}")
    if not agreement.holds:
        raise Disagreement(agreement.line(), code="keras-differs", where=agreement.where())
    return asked
