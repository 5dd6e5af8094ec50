"""Formulas read from LaTeX, evaluated over samples in float64.

A number is a float, a value of every sample (samples,), a vector of units (units, samples). While an index
runs, its axis stands before the samples, the innermost last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.proof.latex_cases import Condition, chosen, compared, together
from nn2eq.proof.latex_meanings import (
    CLAIM,
    CONSTANTS,
    REDUCTIONS,
    ROUNDED,
    STANDARD,
    Claim,
    Definition,
    Diagonal,
    Matrix,
    Running,
    Scope,
    mentions,
    mentions_half,
    outer,
)  # fmt: skip
from nn2eq.proof.latex_symbols import indexed, indices
from nn2eq.proof.latex_text import Text
from nn2eq.proof.latex_tokens import Node

Array = NDArray[Any]


class Evaluation:
    """The values of one text's symbols over samples: inputs by symbol, equations and functions by name."""

    operations: ClassVar[Mapping[str, Callable[[Any, Node, Scope], Any]]]

    def __init__(
        self,
        text: Text,
        inputs: Mapping[str, Array],
        equations: Mapping[str, Node],
        functions: Mapping[str, Definition],
    ) -> None:
        self._text = text
        self._equations, self._functions = equations, functions
        self._values: dict[str, Any] = dict(inputs)
        self._pending: set[str] = set()
        self._stacked: dict[tuple[str, ...], Array] = {}
        self._top = Scope()

    def all(self) -> Mapping[str, Any]:
        """Evaluate every equation, in order."""
        for name in self._equations:
            self.symbol(name, 0)
        return self._values

    def require(self, claims: Sequence[Claim]) -> None:
        """Raise BadRequest if something that is said twice is not the same, as exactly as its numbers are."""
        exact = CLAIM if not self._text.digits else 10.0 ** (1 - self._text.digits)
        for claim in claims:
            sides = [self.symbol(claim.name, claim.at), self.value(claim.node, self._top)]
            if len({isinstance(side, Matrix) for side in sides}) > 1 and np.ndim(sides[0]) < 3:
                sides = [self._plain(side, claim.node) for side in sides]
            one, two = (np.atleast_2d(side.data if isinstance(side, Matrix) else side) for side in sides)
            if one.ndim > 2 and isinstance(sides[1], Matrix):
                two = two[..., None]  # of every sample
            size = float(np.max(np.abs(one[np.isfinite(one)]), initial=0.0 if claim.rounded else 1.0))
            exactly = ROUNDED if claim.rounded else exact
            one, two = (np.ravel(side) if one.size == two.size == 1 else side for side in (one, two))
            if one.shape[:-1] != two.shape[:-1] or not np.allclose(
                one, two, 0.0, exactly * size, equal_nan=True
            ):
                raise self._error(f"{claim.name} stands for two things", claim.at)

    def symbol(self, name: str, at: int) -> Any:
        """Return what a symbol stands for. Raises BadRequest if nothing says it."""
        if name not in self._values:
            if name in self._pending:
                raise self._error(f"{name} is defined by itself", at)
            if name in self._equations:
                self._pending.add(name)
                self._values[name] = self.value(self._equations[name], self._top)
                self._pending.discard(name)
            else:
                found = self._part(name)
                found = self._whole(name) if found is None else found
                if found is None:
                    raise self._error(f"nothing says what {name} is", at)
                self._values[name] = found
        return self._values[name]

    def _has(self, name: str) -> bool:
        return name in self._values or name in self._equations

    def _part(self, name: str) -> Any:
        """Return an entry of a vector, z_{1,3} of z_1, or of a matrix, W_{1,2,3} of W_1."""
        head, places = indices(name)
        if not places or not all(place.isdigit() for place in places):
            return None
        for count in (1, 2):
            whole = indexed(head, places[:-count]) if len(places) >= count else name
            if whole == name or not self._has(whole):
                continue
            value, first = self.symbol(whole, 0), self._text.first
            place = [int(index) - first for index in places[-count:]]
            data = value.data if isinstance(value, Matrix) else np.asarray(value)
            data = data.reshape((1,) * count) if isinstance(value, float) else data
            if count == 1 and isinstance(value, Matrix):
                data = data[:, 0] if data.shape[1] == 1 else data[0]
            if data.ndim >= count and all(0 <= index < data.shape[k] for k, index in enumerate(place)):
                return data[tuple(place)]
        return None

    def _whole(self, name: str) -> Any:
        """Return the vector of which the text names the parts: z_2 of z_{2,1}, z_{2,2} ...."""
        head, places = indices(name)
        parts: list[Any] = []
        while self._has(part := indexed(head, (*places, str(len(parts) + self._text.first)))):
            parts.append(self.symbol(part, 0))
        if not parts or any(isinstance(part, Matrix) or np.ndim(part) > 1 for part in parts):
            return None
        return np.stack(np.broadcast_arrays(*map(np.atleast_1d, parts)))

    # -------------------------------------------------------------------------------------------- operations

    def value(self, node: Node, scope: Scope) -> Any:
        """Evaluate a node in a scope, once."""
        if node not in scope.known:
            try:
                scope.known[node] = self.operations[node.op](self, node, scope)
            except ValueError:  # what NumPy says of shapes
                raise self._error("numbers, vectors or matrices that do not fit together", node.at) from None
        return scope.known[node]

    def _number(self, node: Node, scope: Scope) -> Any:
        return node.value

    def _value(self, node: Node, scope: Scope) -> Any:
        return node.value

    def _numbers(self, node: Node, scope: Scope) -> Any:
        return Matrix(node.value)

    def _name(self, node: Node, scope: Scope) -> Any:
        return self._lookup(node.value, scope, node)

    def _lookup(self, name: str, scope: Scope, node: Node) -> Any:
        if name in scope.names:
            return scope.names[name]
        if not self._has(name) and name in CONSTANTS:
            return CONSTANTS[name]
        return self.symbol(name, node.at)

    def _linear(self, node: Node, scope: Scope) -> Any:
        """Σ coefficient · symbols + constant, as one product of arrays where values are numbers a sample."""
        coefficients, names, constant = node.value
        if scope is self._top:
            factors = [1.0 if len(few) == 1 else self._lookup(few[0], scope, node) for few in names]
            values = self._stack(tuple(few[-1] for few in names), node)
            if values is not None and all(isinstance(factor, float) for factor in factors):
                return np.multiply(coefficients, factors) @ values + constant
        total: Any = constant
        for coefficient, few in zip(coefficients, names, strict=True):
            args = tuple(Node("name", value=name, at=node.at) for name in few)
            product = self._product(Node("product", args, ("*",) * (len(few) - 1), node.at), scope)
            if isinstance(product, Matrix) and len(names) == 1 and constant == 0.0:
                return Matrix(coefficient * product.data)
            total = self._plain(product, node) * coefficient + total
        return total

    def _stack(self, names: tuple[str, ...], node: Node) -> Array | None:
        """Return the values of many names as one array, None if they are not all one number a sample."""
        if names not in self._stacked:
            values = [self._lookup(name, self._top, node) for name in names]
            if any(isinstance(value, Matrix) or np.ndim(value) != 1 for value in values):
                return None
            self._stacked[names] = np.stack(values)
        return self._stacked[names]

    def _sum(self, node: Node, scope: Scope) -> Any:
        total: Any = 0.0
        for sign, arg in zip(node.value, node.args, strict=True):
            value = self._plain(self.value(arg, scope), node)
            total = total + value if sign > 0 else total - value
        return total

    def _samples(self, node: Node, scope: Scope) -> Any:
        raise self._error(f"{node.value} up to n, which nothing limits", node.at)

    def _product(self, node: Node, scope: Scope) -> Any:
        """Multiply from the right as long as matrices stand there, else from the left."""
        values = [self.value(arg, scope) for arg in node.args]
        result = values[0]
        for operator, value in zip(node.value, values[1:], strict=True):
            if isinstance(result, Diagonal):
                result = np.multiply(result.vector, self._plain(value, node))
            elif isinstance(result, Matrix) and operator == "*":
                result = self._times_matrix(result, value, node)
            elif self._text.row and isinstance(value, Matrix) and operator == "*" and np.ndim(result):
                result = self._matrix_behind(result, value, node)
            else:
                result = self._times(
                    operator, self._plain(result, node), self._plain(value, node), node, scope
                )
        return result

    def _times_matrix(self, matrix: Matrix, value: Any, node: Node) -> Any:
        data = value.data if isinstance(value, Matrix) else np.atleast_2d(value)
        if matrix.data.shape[1] != data.shape[0]:
            raise self._error(f"a matrix {matrix.data.shape} times a vector of {data.shape[0]}", node.at)
        product = matrix.data @ data
        return Matrix(product) if isinstance(value, Matrix) else product

    def _matrix_behind(self, vector: Any, matrix: Matrix, node: Node) -> Any:
        """Return a row times a matrix."""
        rows = np.atleast_2d(vector)
        if matrix.data.shape[0] != len(rows):
            raise self._error(f"a row of {len(rows)} times a matrix {matrix.data.shape}", node.at)
        return matrix.data.T @ rows

    def _times(self, operator: str, left: Any, right: Any, node: Node, scope: Scope) -> Any:
        if operator == "/":
            return np.divide(left, right)
        if operator == "x":
            return outer(left, right)
        vectors = scope is self._top and all(np.ndim(side) == 2 and len(side) > 1 for side in (left, right))
        if operator == "*" and vectors:
            raise self._error(r"two vectors side by side: \odot was expected", node.at)
        return np.multiply(left, right)

    def _plain(self, value: Any, node: Node) -> Any:
        """Return a column of numbers, a row where vectors are rows, as a vector: the same for every sample."""
        if not isinstance(value, Matrix):
            return value
        data = value.data.T if self._text.row else value.data
        if data.shape[1] != 1:
            raise self._error("a matrix where a number or a vector was expected", node.at)
        return data

    def _power(self, node: Node, scope: Scope) -> Any:
        base, exponent = (self._plain(self.value(arg, scope), node) for arg in node.args)
        return np.power(base, exponent)

    def _exponential(self, node: Node, scope: Scope) -> Any:
        return np.exp(self._plain(self.value(node.args[0], scope), node))

    def _transpose(self, node: Node, scope: Scope) -> Any:
        value = self.value(node.args[0], scope)
        if isinstance(value, float):
            return value
        if not isinstance(value, Matrix):
            raise self._error("the transpose of something that is not a matrix", node.at)
        return Matrix(value.data.T)

    def _matrix(self, node: Node, scope: Scope) -> Any:
        """Stack numbers and vectors, or arrange plain numbers."""
        values = [self.value(arg, scope) for arg in node.args]
        if all(isinstance(value, float) for value in values):
            return Matrix(np.array(values).reshape(-1, node.value))
        if node.value == 1 and all(isinstance(value, Matrix) for value in values):
            return Matrix(np.concatenate([value.data for value in values]))  # a row of numbers each
        if node.value != (len(node.args) if self._text.row else 1):
            raise self._error("a matrix of several columns holds numbers only", node.at)
        rows = [np.atleast_2d(self._plain(value, node)) for value in values]
        samples = max(row.shape[-1] for row in rows)
        return np.concatenate([np.broadcast_to(row, (len(row), samples)) for row in rows])

    def _entry(self, node: Node, scope: Scope) -> Any:
        """Return one entry of what a matrix of symbols is: of a matrix of that shape, or of a vector."""
        row, column, rows, columns = node.value
        value = self.value(node.args[0], scope)
        if isinstance(value, Matrix) and value.data.shape == (rows, columns):
            return float(value.data[row, column])
        vector = np.asarray(self._plain(value, node))
        across, along = (rows, columns) if self._text.row else (columns, rows)
        vector = np.atleast_2d(vector)
        if across != 1 or len(vector) != along:
            raise self._error("a stack of more symbols than there are values", node.at)
        return vector[column if self._text.row else row]

    def _cases(self, node: Node, scope: Scope) -> Any:
        """Return the value of the first case that holds, NaN where none does."""
        values = [self._plain(self.value(arg, scope), node) for arg in node.args[::2]]
        conditions = [self.value(arg, scope) for arg in node.args[1::2]]
        otherwise = values.pop() if len(values) > len(conditions) else None
        return chosen(values, conditions, otherwise)

    def _compare(self, node: Node, scope: Scope) -> Condition:
        left, right = (self._plain(self.value(arg, scope), node) for arg in node.args)
        return compared(node.value, left, right)

    def _all(self, node: Node, scope: Scope) -> Condition:
        return together([self.value(arg, scope) for arg in node.args])

    # ------------------------------------------------------------------------------- functions and indices

    def _call(self, node: Node, scope: Scope) -> Any:
        args = [self._plain(self.value(arg, scope), node) for arg in node.args]
        definition = self._functions.get(node.value)
        if definition is None:
            return STANDARD[node.value](*args)
        if node.value in self._pending:
            raise self._error(f"{node.value} is defined by itself", node.at)
        self._pending.add(node.value)
        result = self._defined(definition, args, node)
        self._pending.discard(node.value)
        return result

    def _composed(self, node: Node, scope: Scope) -> Any:
        """Send the argument through functions, the last one first."""
        value = scope.names["x"]
        for name in reversed(node.value):
            value = self._call(Node("call", (Node("value", value=value, at=node.at),), name, node.at), scope)
        return value

    def _defined(self, definition: Definition, args: Sequence[Any], node: Node) -> Any:
        if definition.letter:
            return self._coupled(definition, self._vector(args), node)
        if len(args) != len(definition.parameters):
            raise self._error(f"{node.value} takes {len(definition.parameters)} arguments", node.at)
        return self.value(definition.body, Scope(dict(zip(definition.parameters, args, strict=True))))

    def _unit(self, node: Node, scope: Scope) -> Any:
        """One unit's value of a function whose units share, all of them evaluated once; or T_3, where 3 is a number."""
        [call] = node.args
        definition = self._functions.get(call.value)
        if definition is not None and mentions(definition.body, definition.letter):
            args = [self._plain(self.value(arg, scope), node) for arg in call.args]
            names = dict(zip(definition.parameters, args, strict=True))
            return self.value(definition.body, Scope({**names, definition.letter: float(node.value)}))
        whole = self.value(call, scope)
        place = node.value - self._text.first
        if not 0 <= place < len(whole):
            raise self._error(f"{call.value} has no unit {node.value}", node.at)
        return whole[place]

    def _vector(self, args: Sequence[Any]) -> Any:
        if len(args) == 1 and np.ndim(args[0]) == 2:
            return args[0]
        return np.stack(np.broadcast_arrays(*(np.atleast_1d(arg) for arg in args)))

    def _coupled(self, definition: Definition, vector: Any, node: Node) -> Any:
        """Evaluate the unit's formula for every unit at once; z_{i + n/2} leaves half as many units."""
        count = len(vector)
        halves = mentions_half(definition.body)
        running = Running(definition.letter, 1, count // 2 if halves else count)
        names = {definition.parameters[0]: vector, "n": float(count)}
        result = self.value(definition.body, Scope(names, (running,)))
        return np.broadcast_to(result, (running.high, np.shape(vector)[-1]))

    def _reduction(self, node: Node, scope: Scope) -> Any:
        letter, places = node.value
        low, high = places or (1, int(scope.names.get("n", 0)))
        if high < low:
            raise self._error(f"{node.op} over {letter}, which nothing limits", node.at)
        inner = Scope(scope.names, (*scope.running, Running(letter, low, high)))
        value = np.asarray(self._plain(self.value(node.args[0], inner), node))
        shape = np.broadcast_shapes(value.shape, (high - low + 1, 1))
        return REDUCTIONS[node.op](np.broadcast_to(value, shape), axis=-2)

    def _indexed(self, node: Node, scope: Scope) -> Any:
        """Return z_j for all j at once, on the axis of j."""
        head, places = node.value
        letter, _, offset = places[-1].partition("+")
        depth = next((k for k, one in enumerate(scope.running) if one.letter == letter), None)
        name = indexed(head, places[:-1])
        vector = scope.names[name] if name in scope.names else self.symbol(name, node.at)
        vector = np.asarray(self._plain(vector, node))
        if depth is None or vector.ndim != 2 or offset not in ("", "n/2"):
            raise self._error(f"cannot tell which unit {indexed(head, places)} is", node.at)
        running = scope.running[depth]
        start = running.low - 1 + (len(vector) // 2 if offset else 0)
        rows = vector[start : start + running.high - running.low + 1]
        after = len(scope.running) - 1 - depth
        return rows.reshape(len(rows), *(1,) * after, rows.shape[-1])

    def _error(self, what: str, at: int) -> BadRequest:
        return self._text.mathematics.error(what, at)


Evaluation.operations = {
    "number": Evaluation._number, "value": Evaluation._value, "numbers": Evaluation._numbers, "name": Evaluation._name,
    "linear": Evaluation._linear, "sum": Evaluation._sum, "product": Evaluation._product,
    "power": Evaluation._power, "exponential": Evaluation._exponential, "transpose": Evaluation._transpose,
    "entry": Evaluation._entry, "composed": Evaluation._composed, "matrix": Evaluation._matrix,
    "cases": Evaluation._cases, "compare": Evaluation._compare, "all": Evaluation._all, "call": Evaluation._call,
    "unit": Evaluation._unit, "samples": Evaluation._samples,
    "indexed": Evaluation._indexed, **dict.fromkeys(REDUCTIONS, Evaluation._reduction),
}  # fmt: skip
