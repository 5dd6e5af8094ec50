"""How a file's name and arguments find their row: what each generation of Keras means by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations.coupled import COUPLED
from nn2eq.activations.decisions import DECISIONS
from nn2eq.activations.piecewise import PIECEWISE
from nn2eq.activations.row import Activation, Row
from nn2eq.activations.smooth import SMOOTH
from nn2eq.activations.transforms import INPUT_TRANSFORMS
from nn2eq.errors import BadRequest, DamagedFile, UnsupportedModel

ROWS: Mapping[str, Row] = {
    row.name: row for row in (*PIECEWISE, *SMOOTH, *COUPLED, *INPUT_TRANSFORMS, *DECISIONS)
}
TRANSFORMS: Mapping[str, Row] = {row.transform: row for row in ROWS.values() if row.transform}

Given = Mapping[str, Any]
_NOTHING: Given = MappingProxyType({})


@dataclass(frozen=True)
class Family:
    """One name of Keras behind which several rows stand, chosen by the arguments.

    defaults: of the Keras function. rows: the first whose arguments have these values is meant.
    """

    defaults: Given
    rows: tuple[tuple[str, Given], ...]


FAMILIES: Mapping[str, Family] = {
    "relu": Family(
        {"negative_slope": 0.0, "max_value": None, "threshold": 0.0},
        (
            ("relu", {"negative_slope": 0.0, "max_value": None, "threshold": 0.0}),
            ("relu6", {"negative_slope": 0.0, "max_value": 6.0, "threshold": 0.0}),
            ("capped_relu", {"negative_slope": 0.0, "threshold": 0.0}),
            ("leaky_relu", {"max_value": None, "threshold": 0.0}),
            ("thresholded_relu", {"negative_slope": 0.0, "max_value": None}),
            ("shifted_relu", {"max_value": None}),
            ("general_relu", {}),
        ),
    ),
    "gelu": Family(
        {"approximate": False},
        (("gelu", {"approximate": False}), ("gelu_tanh", {"approximate": True})),
    ),
}

# What a name meant in files of Keras before this version.
BEFORE: Mapping[str, tuple[tuple[int, int], str]] = {
    # relu6(z + 3) / 6 since Keras 3
    "hard_sigmoid": ((3, 0), "clipped_sigmoid"),
    # a projection on the simplex since keras-team/keras#23469, which no release up to 3.15 has
    "sparsemax": ((3, 16), "summed_sparsemax"),
}

# Arguments that a generation or a layer calls otherwise.
SPELLINGS: Mapping[str, Mapping[str, str]] = {
    "relu": {"alpha": "negative_slope"},
    "leaky_relu": {"alpha": "negative_slope"},
    "thresholded_relu": {"theta": "threshold"},
}


def names(keras_major: int = 3) -> tuple[str, ...]:
    """Return every name by which this generation of Keras knows an activation."""
    return tuple(sorted(_NAMES[3 if keras_major >= 3 else 2]))


def activation(
    name: str | None,
    parameters: Given = _NOTHING,
    *,
    keras_major: int = 3,
    keras_minor: int = 15,
    groups: int = 1,
) -> Activation:
    """Return what a file of this version of Keras means by a name (None: linear) and its arguments.

    Raises UnsupportedModel for a name or an argument that nn2eq does not read, DamagedFile for a value that
    Keras would not take.
    """
    row = _row("linear" if name is None else name, (keras_major, keras_minor))
    given: Given = _respelled(row, parameters)
    if row.name in FAMILIES:
        row, given = _member(row, given)
    return filled(row, given, groups=groups)


def transform(name: str) -> Activation:
    """Return the function by which an input is transformed, such as log10.

    Raises BadRequest for a name that is none.
    """
    if name not in TRANSFORMS:
        known = ", ".join(sorted(TRANSFORMS))
        raise BadRequest(f"unknown transformation {name!r:.80}", code="transform", way_out=f"one of {known}")
    return filled(TRANSFORMS[name], {})


def filled(row: Row, parameters: Given, *, groups: int = 1) -> Activation:
    """Return a row with its parameters, each checked, the others at their defaults.

    Raises UnsupportedModel for an argument that the row does not have, DamagedFile for a value out of place.
    """
    _require_known(row.name, parameters, row.parameters)
    given = {**row.parameters, **parameters}
    values = {key: _checked(row, key, value) for key, value in given.items()}
    for condition in row.require:
        if not np.all(fm.evaluate(fm.parse(condition), values)):
            raise _out_of_place(f"{row.name} needs {condition}")
    return Activation(row, values, groups)


# ------------------------------------------------------------------------------------------- from name to row

# Keras 1 and 2 mean the same by every name.
_NAMES = {
    generation: {
        name: row for row in ROWS.values() if generation in row.keras for name in (row.name, *row.aliases)
    }
    for generation in (2, 3)
}
# A row with an argument that must be given cannot be meant by a bare name, so a layer may ask for it.
_OF_LAYERS = {row.name: row for row in ROWS.values() if not row.keras and None in row.parameters.values()}


def _row(name: str, version: tuple[int, int]) -> Row:
    known = _NAMES[3 if version[0] >= 3 else 2] | _OF_LAYERS
    if not isinstance(name, str) or name not in known:
        raise _unsupported(f"activation {name!r:.80}", f"nn2eq reads {', '.join(names(version[0]))}")
    changed, before = BEFORE.get(name, (version, name))
    return ROWS[before] if version < changed else known[name]


def _respelled(row: Row, parameters: Given) -> dict[str, Any]:
    """Call each argument as the row does; the last axis is what a coupled row works on anyway."""
    spellings = SPELLINGS.get(row.name, {})
    given: dict[str, Any] = {}
    for key, value in parameters.items():
        if row.coupled and key == "axis" and value == -1:
            continue
        if spellings.get(key, key) in given:
            raise _out_of_place(f"{row.name} has {key!r:.80} twice, under two names")
        given[spellings.get(key, key)] = value
    return given


def _member(row: Row, given: Given) -> tuple[Row, Given]:
    """Choose the simplest row of a family for the arguments."""
    family = FAMILIES[row.name]
    _require_known(row.name, given, family.defaults)
    whole = {**family.defaults, **given}
    for member, fixed in family.rows:
        if all(_same(whole[key], value) for key, value in fixed.items()):
            return ROWS[member], {key: value for key, value in whole.items() if key not in fixed}
    raise _out_of_place(
        f"{row.name} cannot be called with {', '.join(f'{k} = {v!r:.80}' for k, v in given.items())}"
    )


def _require_known(name: str, given: Given, known: Given) -> None:
    for key in given:
        if key not in known:
            reads = ", ".join(known) or "no arguments"
            raise _unsupported(f"{name} with the argument {key!r:.80}", f"of {name} nn2eq reads {reads}")


def _same(value: Any, wanted: float | bool | None) -> bool:
    return isinstance(value, int | float | None) and value == wanted


_LARGEST = float(np.finfo(np.float64).max)


def _checked(row: Row, key: str, value: Any) -> float | NDArray[Any]:
    """Return a number, or one for each unit in the dtype in which it was stored."""
    if isinstance(value, np.ndarray) and value.ndim == 1 and np.all(np.isfinite(value)):
        array = value.astype(np.float32 if value.dtype == np.float32 else np.float64)
        array.setflags(write=False)
        return array
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    if value is None:
        raise _out_of_place(f"{row.name} needs the argument {key}")
    raise _out_of_place(f"{row.name} has {key} = {value!r:.80}, which is not a finite number")


def _unsupported(what: str, way_out: str) -> UnsupportedModel:
    return UnsupportedModel(what, code="unsupported-activation", way_out=way_out)


def _out_of_place(what: str) -> DamagedFile:
    return DamagedFile(what, code="activation-argument")
