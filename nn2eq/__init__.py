"""nn2eq reads a saved Keras network and writes it as mathematics, proved against the model it came from.

    network = nn2eq.read("model.h5")           # or a live keras.Model
    program = nn2eq.layered(network)           # nested, matrix, taylor, pieces
    text = nn2eq.emit(program, "latex")
    agreement = nn2eq.check(network, text)
    nn2eq.expressions(network)                 # one SymPy expression per output

Nothing is imported before it is used.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nn2eq.bounds import bounds
    from nn2eq.cells import regions
    from nn2eq.composition import compose
    from nn2eq.conversion import Conversion, Request, convert
    from nn2eq.decision import deciding
    from nn2eq.description import info
    from nn2eq.emit import emit
    from nn2eq.emit.options import Options
    from nn2eq.errors import Nn2eqError
    from nn2eq.forms.digits import digits
    from nn2eq.forms.distance import difference_bound
    from nn2eq.forms.expressions import expressions
    from nn2eq.forms.gradient import gradient
    from nn2eq.forms.pieces import pieces
    from nn2eq.forms.polynomial import polynomial
    from nn2eq.forms.program import Program
    from nn2eq.forms.simplified import simplified
    from nn2eq.forms.straight import layered, matrix, nested
    from nn2eq.forms.symbolic import symbolic
    from nn2eq.forms.taylor import taylor
    from nn2eq.forms.training import backprop
    from nn2eq.network import Network
    from nn2eq.proof.ask_keras import ask_keras
    from nn2eq.proof.certificate import certify, verify
    from nn2eq.proof.check import check
    from nn2eq.proof.trace import trace
    from nn2eq.reading import read
    from nn2eq.reading.dense import dense
    from nn2eq.scaling import in_original_units
    from nn2eq.show.pictures import plot

_HOMES = {
    "Conversion": "nn2eq.conversion",
    "Network": "nn2eq.network",
    "Nn2eqError": "nn2eq.errors",
    "Options": "nn2eq.emit.options",
    "Program": "nn2eq.forms.program",
    "Request": "nn2eq.conversion",
    "ask_keras": "nn2eq.proof.ask_keras",
    "backprop": "nn2eq.forms.training",
    "bounds": "nn2eq.bounds",
    "certify": "nn2eq.proof.certificate",
    "check": "nn2eq.proof.check",
    "compose": "nn2eq.composition",
    "convert": "nn2eq.conversion",
    "deciding": "nn2eq.decision",
    "dense": "nn2eq.reading.dense",
    "difference_bound": "nn2eq.forms.distance",
    "digits": "nn2eq.forms.digits",
    "emit": "nn2eq.emit",
    "expressions": "nn2eq.forms.expressions",
    "gradient": "nn2eq.forms.gradient",
    "in_original_units": "nn2eq.scaling",
    "info": "nn2eq.description",
    "layered": "nn2eq.forms.straight",
    "matrix": "nn2eq.forms.straight",
    "nested": "nn2eq.forms.straight",
    "pieces": "nn2eq.forms.pieces",
    "polynomial": "nn2eq.forms.polynomial",
    "plot": "nn2eq.show.pictures",
    "read": "nn2eq.reading",
    "regions": "nn2eq.cells",
    "symbolic": "nn2eq.forms.symbolic",
    "simplified": "nn2eq.forms.simplified",
    "taylor": "nn2eq.forms.taylor",
    "trace": "nn2eq.proof.trace",
    "verify": "nn2eq.proof.certificate",
}
"""Where each public name lives."""

__all__ = [
    "Conversion",
    "Network",
    "Nn2eqError",
    "Options",
    "Program",
    "Request",
    "ask_keras",
    "backprop",
    "bounds",
    "certify",
    "check",
    "compose",
    "convert",
    "deciding",
    "dense",
    "difference_bound",
    "digits",
    "emit",
    "expressions",
    "gradient",
    "in_original_units",
    "info",
    "layered",
    "matrix",
    "nested",
    "pieces",
    "plot",
    "polynomial",
    "read",
    "regions",
    "simplified",
    "symbolic",
    "taylor",
    "trace",
    "verify",
]


class _Verbs(ModuleType):
    """The package, whose verbs `emit` and `bounds` are called as packages inside it are."""

    def __setattr__(self, name: str, value: object) -> None:
        """Leave a verb a verb when Python imports the package of its name."""
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Verbs


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nn2eq' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    _show_as_mathematics()
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*__all__, "__version__"])


def _show_as_mathematics() -> None:
    """Let a Network and a Program show themselves typeset in a notebook; here, so that no arrow runs up."""
    from nn2eq.forms.program import Program
    from nn2eq.network import Network
    from nn2eq.show import notebook

    setattr(Network, "_repr_latex_", notebook.network_latex)  # noqa: B010 - methods from another module
    setattr(Network, "_repr_html_", notebook.network_html)  # noqa: B010
    setattr(Program, "_repr_latex_", notebook.program_latex)  # noqa: B010
    setattr(Program, "_repr_html_", notebook.program_html)  # noqa: B010
