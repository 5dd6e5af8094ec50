"""What a form may be told besides the network. THE table of arguments is `ARGUMENTS`; a new one adds its row.

Each is a keyword of the functions that build forms, an option of the command line, and a line of a text's header.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nn2eq.errors import BadRequest
from nn2eq.forms.losses import COMPILED, LOSSES

_MOST_FIGURES = 1000
"""Figures that a whole number may have; Python itself stops at some more."""
Names = Sequence[str]
"""What the inputs are called, in order."""


@dataclass(frozen=True)
class Argument:
    """One argument: what it is called, what it is, and how its text is read and written.

    read: (text, names of the inputs) → value, raising BadRequest. written: value → text. metavar: what stands for
    its text in help, "" for a flag. choices: the only texts it takes, () for any.
    """

    name: str
    summary: str
    metavar: str = ""
    read: Callable[[str, Names], Any] = lambda text, names: text
    written: Callable[[Any], str] = str
    choices: tuple[str, ...] = ()

    @property
    def is_flag(self) -> bool:
        """Whether it is there or not, without a text of its own."""
        return not self.metavar and not self.choices


def _whole(name: str) -> Callable[[str, Names], int]:
    def read(text: str, names: Names) -> int:
        if not text.strip().isdecimal() or len(text) > _MOST_FIGURES:
            raise BadRequest(f"--{name}: {text!r:.40}", code=name, way_out="write a whole number, 0 or more")
        return int(text)

    return read


def _positive(name: str) -> Callable[[str, Names], float]:
    def read(text: str, names: Names) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0.0 <= value < math.inf:
            raise BadRequest(f"--{name}: {text!r:.40}", code=name, way_out="write a number, 0 or more")
        return value

    return read


def _point(text: str, names: Names) -> tuple[float, ...]:
    from nn2eq.domain import parse_point

    return tuple(map(float, parse_point(text, names)))


def _named(text: str, names: Names) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _target(text: str, names: Names) -> tuple[float, ...]:
    try:
        return tuple(map(float, text.split(",")))
    except ValueError:
        raise BadRequest(f"--target: {text!r:.40}", code="target", way_out="write numbers, 0.5,1") from None


def _domain(text: str, names: Names) -> tuple[tuple[float, float], ...]:
    from nn2eq.domain import parse_domain

    return parse_domain(text, names)


def _intervals(domain: Sequence[Sequence[float]]) -> str:
    return ", ".join(f"{float(low)!r}:{float(high)!r}" for low, high in domain)


def _numbers(point: Sequence[float]) -> str:
    return ", ".join(repr(float(value)) for value in point)


ARGUMENTS: Mapping[str, Argument] = {
    row.name: row
    for row in (
        Argument(
            "domain",
            "The box: -1:1 for every input, or a=-1:1,b=0:5. By default that of the data, the scaler or Normalization.",
            "-1:1",
            _domain,
            _intervals,
        ),
        Argument("order", "The highest total degree of a Taylor polynomial; 3 by default.", "N", _whole("order")),
        Argument("degree", "The highest total degree of a polynomial on a box.", "N", _whole("degree")),
        Argument(
            "at",
            "A point, 0.5,1 in order or a=0.5,b=1 by name; by default the middle of the domain, else 0.",
            "POINT",
            _point,
            _numbers,
        ),
        Argument(
            "tolerance", "How far the text may be from the network on the domain.", "E", _positive("tolerance"), repr
        ),
        Argument(
            "max_regions", "Refuse a network of more pieces; 20000 by default.", "N", _whole("max-regions")
        ),
        Argument("exact", "Pieces of one input as fractions, without any rounding."),
        Argument(
            "notation",
            "Symbols: edges, W_{x_0,r_0}; greek, theta and psi; mlp, W x + b; layers, nn2eq's z and a.",
            choices=("edges", "greek", "mlp", "layers"),
        ),
        Argument("view", "Symbols: one equation per unit or per layer.", choices=("scalar", "vector")),
        Argument("orientation", "Symbols: vectors are columns, W x, or rows, x W.", choices=("column", "row")),
        Argument("count_from", "Symbols: the number of the first unit.", choices=("0", "1")),
        Argument("symbols", "Symbols only, or the numbers beside them as well.", choices=("only", "both")),
        Argument(
            "seconds", "Stop proving after this many seconds; 10 by default.", "S", _positive("seconds"), repr
        ),
        Argument(
            "loss",
            "The backward pass of this loss; none: of the output itself; compiled: the one in the file. By default "
            "the one that goes with the last activation.",
            choices=(*LOSSES, COMPILED),
        ),
        Argument("target", "What the answer should be at --at, for a worked example.", "Y", _target, _numbers),
        Argument("derivation", "The backward pass with every factor of the chain rule.", written=lambda given: "yes"),
        Argument("hessian", "Second derivatives as well.", written=lambda given: "yes"),
        Argument("of", "Derivatives of these outputs alone, by name.", "NAMES", _named, ", ".join),
        Argument("by", "Derivatives by these inputs alone, by name.", "NAMES", _named, ", ".join),
        Argument(
            "layout", "Derivatives: one line per unit, or whole layers at a time; by default as suits the language.",
            choices=("layered", "matrix"),
        ),
    )
}  # fmt: skip


def require_positive(tolerance: float) -> None:
    """Raise BadRequest for a tolerance that is not above 0, or not finite."""
    if not 0.0 < tolerance < math.inf:
        raise BadRequest("the tolerance is no number above 0", code="tolerance", way_out="give one above 0")


def read_arguments(given: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Read the texts of arguments for a network with inputs of these names. Raises BadRequest."""
    return {
        name: ARGUMENTS[name].read(value, names) if isinstance(value, str) else value
        for name, value in given.items()
    }
