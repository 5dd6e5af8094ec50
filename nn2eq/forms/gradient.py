"""The gradient form: the network with its Jacobian, and its Hessian if wanted, layer by layer.

From the inputs on, tangents t say by how much each value moves with each input (`u` at pre-activations, `v` at
activations); from the outputs back, slopes d say by how much each output moves with each value (`delta`, `gamma`).
Whichever are fewer make the Jacobian; the Hessian is by how much the slopes move with each input (`rho`, `tau`).
Every value is named, and nothing nested is ever differentiated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.domain import point_of
from nn2eq.errors import BadRequest
from nn2eq.forms.chosen import places, selection
from nn2eq.forms.operands import chosen_units, halved, mentioned
from nn2eq.forms.program import (
    Affine,
    Apply,
    Combine,
    Constant,
    Function,
    Operand,
    Program,
    Step,
    Term,
    Value,
    arguments,
    needed,
)
from nn2eq.forms.straight import layered, matrix
from nn2eq.network import Network
from nn2eq.tangent import ONE, ZERO, plus, simplified, slope, tangent, times, where

JACOBIAN, HESSIAN = "predict_and_jacobian", "hessian"
"""What the functions beside `predict` are called."""
_MOVES = {"z": "t", "partner": "partner_t", "a": "t_a", "d": "t_d"}
"""By what the names in a coupled row's slopes move."""

Point = Sequence[float] | NDArray[np.float64] | float
Slopes = Operand | None
"""Slopes or tangents on their way: a value, a constant, or at their start the identity."""


def gradient(
    network: Network,
    *,
    fold: bool = True,
    hessian: bool = False,
    at: Point | None = None,
    layout: str = "matrix",
    of: Sequence[str] = (),
    by: Sequence[str] = (),
) -> Program:
    """Return the network with a function that also gives its Jacobian, row by row.

    `predict_and_jacobian` gives y (outputs,) and jacobian (outputs, inputs); with `hessian` there is a third
    function, (outputs, inputs, inputs). layout: "matrix" or "layered". At breakpoints the slopes are TensorFlow's.
    of, by: the names of the outputs that are differentiated, and of the inputs by which; all if left out. Raises
    BadRequest for names that are not there.

    at: a point, one number or one for each input. Then the program has the Jacobian's numbers there, and is the
    network's tangent plane, y = J x + c with c = y(at) - J at. Raises BadRequest if it has no derivative there.
    """
    base = (matrix if layout == "matrix" else layered)(network, fold=fold)
    told = {"hessian": hessian, "of": tuple(of), "by": tuple(by)}
    told = {key: value for key, value in told.items() if value}
    if at is None:
        return with_gradient(replace(base, told=told), hessian=hessian)
    if of or by:
        what, way_out = (
            "--of and --by at a point",
            "leave them out: J has a row an output and a column an input",
        )
        raise BadRequest(what, code="chosen-at", way_out=way_out)
    if hessian:
        what, way_out = "second derivatives at a point", "use --form taylor --order 2 --at POINT"
        raise BadRequest(what, code="hessian-at", way_out=way_out)
    return _plane(with_gradient(base), point_of(at, network.inputs))


def _plane(program: Program, at: NDArray[np.float64]) -> Program:
    """Return the tangent plane of a program at a point (inputs,)."""
    predict = program.predict
    [x], [y] = predict.arguments, predict.results
    numbers = program.alone(program.functions[1]).evaluate(at[None])[0]
    if not np.isfinite(numbers).all():
        where = ", ".join(f"{value:g}" for value in at[:8])
        raise BadRequest(
            "no derivative at this point", code="not-smooth", where=where, way_out="give another --at"
        )
    jacobian = numbers[y.size :].reshape(y.size, x.size)
    plane = replace(y, origin="the tangent plane")
    offset = Constant("c", numbers[: y.size] - jacobian @ at)
    steps = (Affine(plane, (Term(x, Constant("J", jacobian), True),), offset),)
    note = f"the tangent plane at {', '.join(map(repr, map(float, at[:8])))}{', ...' if len(at) > 8 else ''}"
    function = replace(predict, results=(plane,), steps=steps)
    return replace(program.alone(function), exact=False, told={"at": tuple(map(float, at))}, notes=(note,))


def with_gradient(base: Program, *, hessian: bool = False) -> Program:
    """Return a program of affine maps and activations, with the functions of its derivatives.

    What it is told of tells which outputs these are of, and by which inputs. Raises BadRequest for others.
    """
    predict, chosen = base.predict, places(base)
    functions = [predict, _jacobian(predict, *chosen)]
    if hessian:
        functions.append(_hessian(predict, *chosen))
    return replace(base, functions=tuple(functions), form="gradient")


def _jacobian(predict: Function, of: tuple[int, ...], by: tuple[int, ...]) -> Function:
    sweep = _Sweep(predict, of, by)
    out = sweep.jacobian()
    if sweep.outputs < sweep.inputs:
        sweep.finish(out, sweep.by_chosen(sweep.backward()[0], ()), transposed=False)
    else:
        sweep.finish(out, sweep.of_chosen(sweep.forward()[-1]), transposed=sweep.inputs > 1)
    [y] = predict.results
    shapes = ((y.size,), (sweep.outputs, sweep.inputs))
    steps = needed(tuple(sweep.steps), {y.name, out.name})
    return Function(JACOBIAN, predict.arguments, (y, out), steps, shapes)


def _hessian(predict: Function, of: tuple[int, ...], by: tuple[int, ...]) -> Function:
    sweep = _Sweep(predict, of, by)
    out = sweep.hessian()
    found = sweep.curved(sweep.forward(), sweep.backward())
    sweep.finish(
        out,
        found if isinstance(found, fm.Node) else sweep.by_chosen(found, (sweep.inputs,)),
        transposed=False,
    )
    shapes = ((sweep.outputs, sweep.inputs, sweep.inputs),)
    steps = needed(tuple(sweep.steps), {out.name})
    return Function(HESSIAN, predict.arguments, (out,), steps, shapes)


@dataclass(frozen=True)
class _Layer:
    """A step of the forward pass, and the slopes of an activation: by a formula, s, and how these curve, q."""

    step: Affine | Apply
    number: int
    slope: Operand | None = None
    curvature: Operand | None = None


class _Sweep:
    """The steps of one function in the making: the forward pass first, then what is asked for."""

    def __init__(self, predict: Function, of: tuple[int, ...], by: tuple[int, ...]) -> None:
        [x], [y] = predict.arguments, predict.results
        self._chosen = of, by
        self.inputs, self.outputs = len(by), len(of)
        self._chosen_x, self._chosen_y = selection("Ex", by, x.size), selection("Ey", of, y.size)
        self.steps: list[Step] = list(predict.steps)
        self._layers = [self._layer(step, number) for step, number in _numbered(predict.steps)]
        self._rows = tuple(size for size in (self.outputs, self.inputs) if size > 1)

    # ---------------------------------------------------------------------------------------- what comes out

    def jacobian(self) -> Value:
        """Return the value that is to be the Jacobian."""
        parts = tuple(f"J{o + 1}_{i + 1}" for o, i in product(*self._chosen))
        return Value("jacobian", parts, "the Jacobian", _several(self.outputs) if self.inputs > 1 else ())

    def hessian(self) -> Value:
        """Return the value that is to be the Hessian."""
        ends = product(*self._chosen, self._chosen[1])
        parts = tuple(f"H{o + 1}_{i + 1}_{k + 1}" for o, i, k in ends)
        return Value("hessian", parts, "the Hessian", self._rows)

    def of_chosen(self, t: Slopes) -> Slopes:
        """Return of tangents of all outputs those of the chosen ones."""
        return self._selected(t, self._chosen_y, _several(self.inputs))

    def by_chosen(self, d: Slopes, more: tuple[int, ...]) -> Slopes:
        """Return of slopes by all inputs those by the chosen ones; more: their rows besides those of outputs."""
        rows = tuple(size for size in (self.outputs, *more) if size > 1)
        return self._selected(d, self._chosen_x, rows)

    def _selected(self, t: Slopes, chosen: Constant | None, rows: tuple[int, ...]) -> Slopes:
        if chosen is None:
            return t
        out = _vectors(f"v{self._layers[-1].number + 1}", rows, len(chosen.data), "what is asked for")
        return self._through(out, Affine(out, (Term(out, chosen),)), t, transposed=True)

    def finish(self, out: Value, found: Slopes | fm.Node, *, transposed: bool) -> None:
        """Let what was found be the result."""
        if isinstance(found, fm.Node):
            self._add(Combine(out, (found,), {}))
            return
        operand = found or Operand(_identity(out.units))
        last = self.steps[-1]
        if not transposed and last.out == operand.of and last.out.rows == out.rows and not operand.transposed:
            self.steps[-1] = replace(last, out=out)
        else:
            operand = replace(operand, transposed=operand.transposed != transposed)
            self._add(Combine(out, (fm.name("d"),), {"d": operand}))

    # -------------------------------------------------------------------------------------- the forward pass

    def _layer(self, step: Step, number: int) -> _Layer:
        """Name the slopes of an activation that works unit by unit."""
        assert isinstance(step, Affine | Apply)
        if isinstance(step, Affine) or step.activation.row.coupled:
            return _Layer(step, number)
        first = step.activation.derivative
        assert first is not None
        second = slope(first, "z", {"a": first})
        s = self._pointwise(f"s{number}", step, first, ONE, number)
        q = None if second == ZERO else self._pointwise(f"q{number}", step, second, ZERO, number)
        return _Layer(step, number, s, q)

    def _pointwise(self, name: str, step: Apply, node: fm.Node, other: fm.Node, number: int) -> Operand:
        """Compute a formula in z and a for each unit; other: what it is where the activation is not applied."""
        args = {"z": Operand(step.arg), "a": Operand(step.out)}
        args |= {key: Operand(constant) for key, constant in step.parameters.items()}
        if step.units:
            args["chosen"] = chosen_units(step, number)
            node = where(fm.Node(">", (fm.name("chosen"), ZERO)), node, other)
        out = _vectors(name, (), step.out.size, step.out.origin)
        return Operand(self._add(Combine(out, (node,), mentioned([node], args))))

    def _add(self, step: Step) -> Value:
        self.steps.append(step)
        return step.out

    # ------------------------------------------------------------------------------------------ the two sweeps

    def forward(self) -> list[Slopes]:
        """Return by how much each layer's argument moves with the inputs, and last the outputs: (inputs, n) each."""
        found: list[Slopes] = [Operand(self._chosen_x) if self._chosen_x else None]
        for layer in self._layers:
            name = {"z": "u", "a": "v", "y": "v"}[layer.step.out.name[0]] + str(layer.number)
            found.append(self._forward(layer, found[-1], name))
        return found

    def _forward(self, layer: _Layer, t: Slopes, name: str) -> Slopes:
        step = layer.step
        out = _vectors(name, _several(self.inputs), step.out.size, step.out.origin)
        if isinstance(step, Affine):
            return self._through(out, step, t, transposed=False)
        if layer.slope is not None:
            return self._scaled(out, layer.slope, t, self.inputs)
        t = t or Operand(_identity(self.inputs))
        args = halved(step, {"z": Operand(step.arg), "t": t}) | {"a": Operand(step.out)}
        node = step.activation.pushed
        return Operand(self._add(Combine(out, (node,), mentioned([node], args), step.activation.groups)))

    def backward(self) -> list[Slopes]:
        """Return the slopes of the outputs by each layer's argument, and last by themselves: (outputs, n) each."""
        found: list[Slopes] = [Operand(self._chosen_y) if self._chosen_y else None]
        for layer in reversed(self._layers):
            found.insert(0, self._backward(layer, found[0]))
        return found

    def _backward(self, layer: _Layer, d: Slopes) -> Slopes:
        step = layer.step
        out = self._by(step, "delta", "gamma", _several(self.outputs))
        if isinstance(step, Affine):
            return self._through(out, step, d, transposed=True)
        if layer.slope is not None:
            return self._scaled(out, layer.slope, d, self.outputs)
        args = _of_coupled(step) | {"d": d or Operand(_identity(self.outputs))}
        nodes = step.activation.pulled
        return Operand(self._add(Combine(out, nodes, mentioned(nodes, args), step.activation.groups)))

    def _by(self, step: Affine | Apply, z: str, a: str, rows: tuple[int, ...]) -> Value:
        """Return the value that slopes by a step's argument are to be: of pre-activations z, of others a."""
        [arg] = arguments(step)
        name = {"z": z, "a": a}.get(arg.name[0], a) + (arg.name[1:] or "0")
        return _vectors(name, rows, arg.size, step.out.origin)

    def _through(self, out: Value, step: Affine, t: Slopes, *, transposed: bool) -> Slopes:
        """Take tangents or slopes through an affine map."""
        [term] = step.terms
        diagonal = term.matrix.data.ndim == 1
        if t is None:
            if diagonal and term.matrix.data.size > 1:
                return Operand(Constant(f"D{term.matrix.name[1:]}", np.diag(term.matrix.data)))
            return Operand(term.matrix, transposed=transposed and not diagonal)
        if isinstance(t.of, Constant):
            named = replace(
                out, name=f"{out.name}w", parts=tuple(f"{out.name}w_{k}" for k in range(_size(t)))
            )
            named = replace(named, rows=t.shape[:-1])
            t = Operand(self._add(Combine(named, (fm.name("d"),), {"d": t})))
        assert isinstance(t.of, Value)
        return Operand(self._add(Affine(out, (Term(t.of, term.matrix, transposed and not diagonal),))))

    def _scaled(self, out: Value, s: Operand, t: Slopes, rows: int) -> Operand:
        """Multiply tangents or slopes by those of an activation, unit by unit."""
        if t is None and rows == 1:
            return s
        args = {"d": t or Operand(_identity(rows)), "s": s}
        return Operand(self._add(Combine(out, (times(fm.name("d"), fm.name("s")),), args)))

    # --------------------------------------------------------------------------------------- second derivatives

    def curved(self, tangents: list[Slopes], slopes: list[Slopes]) -> Slopes | fm.Node:
        """Return by how much the slopes by the inputs move with each input: (outputs, inputs, inputs)."""
        moved: Operand | None = None
        for place, layer in reversed(list(enumerate(self._layers))):
            moved = self._curved(layer, tangents[place : place + 2], slopes[place + 1], moved)
        return moved or ZERO

    def _curved(self, layer: _Layer, t: list[Slopes], d: Slopes, moved: Slopes) -> Operand | None:
        step = layer.step
        out = self._by(step, "rho", "tau", self._rows)
        if isinstance(step, Affine):
            return None if moved is None else self._through(out, step, moved, transposed=True)
        ahead, behind = (self._tangents(found) for found in t)
        args = {"d": replace(d or Operand(_identity(self.outputs)), spread=len(self._rows) > 1)}
        args |= {"t_d": moved} if moved else {}
        if layer.slope is not None:
            nodes: tuple[fm.Node, ...] = (_bent(layer, moved),)
            args |= {"t": ahead, "s": layer.slope} | ({"q": layer.curvature} if layer.curvature else {})
        else:
            moves = {key: move for key, move in _MOVES.items() if moved or key != "d"}
            nodes = tuple(simplified(tangent(node, moves)) for node in step.activation.pulled)
            args |= halved(step, {"z": Operand(step.arg), "t": ahead}) | {
                "a": Operand(step.out),
                "t_a": behind,
            }
        if all(node == ZERO for node in nodes):
            return None
        groups = step.activation.groups if layer.slope is None else 1
        return Operand(self._add(Combine(out, nodes, mentioned(nodes, args), groups)))

    def _tangents(self, t: Slopes) -> Operand:
        return t or Operand(_identity(self.inputs))


def _bent(layer: _Layer, moved: Slopes) -> fm.Node:
    """Return by how much d s moves: t_d s + d q t."""
    first = times(fm.name("t_d"), fm.name("s")) if moved else ZERO
    second = times(times(fm.name("d"), fm.name("q")), fm.name("t")) if layer.curvature else ZERO
    return plus(first, second)


def _numbered(steps: Iterable[Step]) -> Iterator[tuple[Step, int]]:
    """Yield each step with the number of its layer: an activation has that of the affine map in front of it."""
    number, before = 0, ""
    for step in steps:
        number += not (isinstance(step, Apply) and before == step.arg.name == f"z{number}")
        yield step, number
        before = step.out.name


def _vectors(name: str, rows: tuple[int, ...], units: int, origin: str) -> Value:
    """Return a vector of so many units in each of some directions, with standing names."""
    places = np.ndindex(*rows, units)
    return Value(
        name, tuple("_".join([name, *(str(k + 1) for k in place)]) for place in places), origin, rows
    )


def _several(count: int) -> tuple[int, ...]:
    return (count,) if count > 1 else ()


def _identity(size: int) -> Constant:
    return Constant(f"I{size}", np.eye(size) if size > 1 else np.ones(1))


def _size(operand: Operand) -> int:
    return int(np.prod(operand.shape))


def _of_coupled(step: Apply) -> dict[str, Operand]:
    return halved(step, {"z": Operand(step.arg)}) | {"a": Operand(step.out)}
