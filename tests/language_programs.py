"""Programs that use everything at once, so that each language compiles few of them: every row, every odd thing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from activation_laws import examples
from numpy.typing import NDArray

from nn2eq.activations import Activation, activation
from nn2eq.forms.program import Affine, Apply, Constant, Function, Program, Step, Term, Value

Array = NDArray[np.float64]
UNITS = 4


def value(name: str, size: int, origin: str = "") -> Value:
    """Return a vector with the standing names of its units."""
    return Value(name, tuple(f"{name}_{unit}" for unit in range(1, size + 1)), origin)


def program(layout: str, x: Value, y: Value, *steps: Step) -> Program:
    """Return a Program of these steps from x to y."""
    return Program((Function("predict", (x,), (y,), steps),), layout, layout)


def everything(layout: str) -> Program:
    """Return each activation of the table, applied to four inputs or to four positive ones; an output for each.

    The inputs reach the activations as they are, so that samples can lie exactly on breakpoints.
    """
    x = Value("x", tuple(f"x{number}" for number in range(1, 2 * UNITS + 1)))
    u, v = value("u", UNITS), value("v", UNITS)
    selected = np.eye(2 * UNITS, dtype=np.float32)
    steps: list[Step] = [
        Affine(u, (Term(x, Constant("S1", selected[:, :UNITS])),)),
        Affine(v, (Term(x, Constant("S2", selected[:, UNITS:])),)),
    ]
    rows = list(_rows())
    terms = []
    for number, row in enumerate(rows, start=1):
        of = u if np.isfinite(row(samples()[:, :UNITS])).all() else v
        out = value(f"a{number}", row.outputs(UNITS), row.row.name)
        own = {key: Constant(f"{key}{number}", data) for key, data in row.per_unit.items()}
        steps.append(Apply(out, row, of, own))
        kernel = np.zeros((out.size, len(rows)), np.float32)
        kernel[:, number - 1] = np.random.default_rng(number).uniform(0.5, 1.5, out.size)
        terms.append(Term(out, Constant(f"W{number}", kernel)))
    y = Value("y", tuple(f"y{number}" for number in range(1, len(rows) + 1)), "all of them")
    return program(layout, x, y, *steps, Affine(y, tuple(terms)))


def _rows() -> Iterator[Activation]:
    yield from examples()
    yield activation("softmax", groups=2)
    yield activation("glu", groups=2)
    yield activation("prelu", {"alpha": np.array([0.25, -0.5, 0.1, 7.038531e-26], np.float32)})


def samples() -> Array:
    """Return inputs for `everything`: on breakpoints and beside them, ordinary ones, and large ones."""
    random = np.random.default_rng(0)
    places = sorted({place for row in _rows() if not row.row.coupled for place in row.breakpoints})
    near = [np.nextafter(place, side) for place in places for side in (-np.inf, place, np.inf)]
    parts = [
        np.array([*near, 0.0, 1e-9, -1e-9, 30.0, -30.0, 1000.0, -1000.0]),
        3.0 * random.standard_normal(60),
    ]
    every = np.concatenate(parts)
    first = np.stack([random.permutation(every) for _ in range(UNITS)], axis=1)
    return np.concatenate([first, random.uniform(1e-3, 20.0, first.shape)], axis=1)


def scale(of: Program, x: Array) -> Array:
    """Return what the outputs' errors are measured against: the magnitudes summed last, at least 1."""
    values = of.values(x)
    last = of.predict.steps[-1]
    assert isinstance(last, Affine)
    return np.maximum(
        1.0, sum(np.abs(values[t.arg.name]) @ np.abs(t.matrix.data.astype(np.float64)) for t in last.terms)
    )


def odd(layout: str) -> Program:
    """Return what is out of the ordinary: numbers of both dtypes, zeros, constants, single units, diagonals, names."""
    x = Value("x", ("T_in", "x", "unused", "e"))
    kernel = np.array([[0.1, -2.5, 0.0, 0.0], [1e-5, 0.0, 1.0, 0.0], [0] * 4, [3e10, 1 / 3, 0.0, 0.0]])
    z1, a1, a2, a3, a4 = (
        value(name, 4, "a layer, \\ and */ another") for name in ("z1", "a1", "a2", "a3", "a4")
    )
    z5, a5 = value("z5", 1, "one unit"), value("a5", 1, "one unit")
    y = Value("y", ("p_out", "y", "gamma"))
    diagonal = np.array([0.5, -2.0, 1e-5, 0.0], np.float32)
    return program(
        layout,
        x,
        y,
        Affine(z1, (Term(x, Constant("W1", kernel)),), Constant("b1", np.array([-0.5, 0.0, 1e-3, 7.0]))),
        Apply(a1, activation("tanh"), z1, units=(1, 3)),
        Affine(
            a2, (Term(a1, Constant("W2", diagonal)),), Constant("b2", np.array([1.0, 0, -1, 0.1], np.float32))
        ),
        Apply(a3, activation("softmax"), a2),
        Affine(a4, (Term(a3, Constant("W4", diagonal)), Term(a2, Constant("V4", diagonal))), None),
        Affine(z5, (Term(a4, Constant("W5", np.array([[0.1], [0.2], [-0.3], [0.7]], np.float32))),)),
        Apply(a5, activation("selu"), z5),
        Affine(
            y,
            (
                Term(a5, Constant("W6", np.array([[-0.7, 0.0, 2.0]]))),
                Term(a1, Constant("V6", _second_only())),
            ),
            Constant("b6", np.array([0.25, 0.0, -1.0])),
        ),
    )


def _second_only() -> NDArray[np.float32]:
    """Return a kernel from which the first output needs nothing and the second one unit."""
    kernel = np.zeros((4, 3), np.float32)
    kernel[1, 1] = 1.0
    return kernel


def constant(layout: str) -> Program:
    """Return a function of two numbers that is the same everywhere, beside one that is not."""
    kernel = np.array([[0.0, 2.0], [0.0, 0.0]], np.float32)
    return program(
        layout,
        Value("x", ("x1", "x2")),
        Value("y", ("y1", "y2")),
        Affine(
            Value("y", ("y1", "y2")),
            (Term(Value("x", ("x1", "x2")), Constant("W1", kernel)),),
            Constant("b1", np.array([0.1, 0.0])),
        ),
    )


def exact(layout: str, data: NDArray[np.generic]) -> Program:
    """Return a function whose answers to 1 are the numbers of an array, to the last bit."""
    x = Value("x", ("x",))
    y = Value("y", tuple(f"y{number}" for number in range(1, data.size + 1)))
    return program(layout, x, y, Affine(y, (Term(x, Constant("W1", data[None, :])),)))
