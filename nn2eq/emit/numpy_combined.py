"""NumPy: formulas over several arrays at once, slopes through transposed kernels, and the shapes of what comes out."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from nn2eq import formula as fm
from nn2eq.emit.numpy_functions import written
from nn2eq.forms.program import Combine, Constant, Function, Operand, Program, Term, Value


def product(term: Term) -> str:
    """Write arg @ matrix; an array of several rows a sample is multiplied as one matrix of all its rows."""
    matrix = f"{term.matrix.name}.T" if term.transposed else term.matrix.name
    if term.matrix.data.ndim == 1:
        return f"{term.arg.name} * {matrix}"
    return f"np.tensordot({term.arg.name}, {matrix}, 1)" if term.arg.rows else f"{term.arg.name} @ {matrix}"


def combination(step: Combine) -> str:
    """Write a formula over arrays (samples, rows ..., units)."""
    names, units = _names(step), _units(step)
    texts = [written(node, names) for node in step.formulas]
    text = texts[0] if len(texts) == 1 else f"np.concatenate([{', '.join(texts)}], axis=-1)"
    if not _fills(step):
        text = f"np.full((len(x), {', '.join(map(str, (*step.out.rows, units)))}), {text})"
    if step.groups == 1:
        return text
    inner = text if len(texts) > 1 or text.startswith("np.full") else f"({text})"
    return f"{inner}.reshape(-1, {', '.join(map(str, step.out.shape))})"


def _units(step: Combine) -> int:
    """Return how many units a group of the result has, of each formula."""
    return step.out.units // step.groups // len(step.formulas)


def _names(step: Combine) -> dict[str, str]:
    return {"count": str(_units(step)), **{name: _operand(arg, step) for name, arg in step.args.items()}}


def statements(step: Combine, free: Collection[str]) -> list[str]:
    """Write a step as statements: in the memory of an array that nobody needs any more, if there is one, else anew.

    free: the names of such arrays. New memory costs more than what is computed in it.
    """
    for name, arg in step.args.items():
        if arg.of.name in free and isinstance(arg.of, Value) and _is_like(arg, step):
            lines = _Reused(step, name, arg.of.name).lines()
            if lines:
                return lines
    return [f"{step.out.name} = {combination(step)}"]


def _is_like(arg: Operand, step: Combine) -> bool:
    """Whether the result could lie where an operand does."""
    is_whole = arg.parts == step.groups == len(step.formulas) == 1 and not arg.transposed
    return is_whole and arg.shape == step.out.shape


_IN_PLACE = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
_OF_ONE = {
    "neg": "negative",
    **{name: name for name in ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "abs")},
}
_SQUARE = fm.number(2)


class _Reused:
    """Writes a formula operation by operation, each into the memory of one of its operands."""

    def __init__(self, step: Combine, name: str, memory: str) -> None:
        self._step, self._own, self._memory = step, fm.name(name), memory
        self._names = _names(step)
        self._texts: list[str] = []

    def lines(self) -> list[str]:
        """Return the statements, [] if the formula is not made of operations that one array can hold."""
        if not self._holds(self._step.formulas[0]) or not self._texts:
            return []
        return [*self._texts[:-1], f"{self._step.out.name} = {self._texts[-1]}"]

    def _holds(self, node: fm.Node) -> bool:
        """Write the operations that leave a formula's value in the memory; say whether that can be done."""
        if node == self._own:
            return True
        if node.op in _OF_ONE:
            return self._holds(node.args[0]) and self._add(_OF_ONE[node.op], self._memory)
        if node.op == "**" and node.args[1] == _SQUARE:
            return self._holds(node.args[0]) and self._add("multiply", self._memory, self._memory)
        if node.op not in _IN_PLACE:
            return False
        for side, other in (node.args, node.args[::-1]):
            # What is written after the memory has changed must not mention what was in it.
            if side == self._own or not fm.mentions(other, self._own.value):
                text = written(other, self._names)
                operands = (self._memory, text) if side is node.args[0] else (text, self._memory)
                return self._holds(side) and self._add(_IN_PLACE[node.op], *operands)
        return False

    def _add(self, operation: str, *operands: str) -> bool:
        self._texts.append(f"np.{operation}({', '.join(operands)}, out={self._memory})")
        return True


def _fills(step: Combine) -> bool:
    """Whether the operands together have all samples and rows of the result."""
    shapes = [arg.shape for arg in step.args.values()]
    samples = any(isinstance(arg.of, Value) for arg in step.args.values())
    rows = all(
        any(len(shape) > back and shape[-1 - back] == size for shape in shapes)
        for back, size in enumerate(reversed(step.out.rows), start=1)
    )
    return samples and rows


def _operand(arg: Operand, step: Combine) -> str:
    """Write an operand with an axis for each axis of rows of the result, its groups side by side."""
    text = _array(arg)
    missing = len(step.out.shape) - len(arg.shape)
    if step.groups > 1:
        lead = "" if isinstance(arg.of, Constant) else "-1, "
        shape = (*arg.shape[:-1], step.groups, arg.shape[-1] // step.groups)
        text = f"{text}.reshape({lead}{', '.join(map(str, shape))})"
    if arg.spread and step.groups == 1:
        text = f"{text}[..., None, :]"
    if missing and isinstance(arg.of, Value):
        text = f"{text}[:, {'None, ' * (missing - 1)}None]"
    if arg.parts > 1:
        size = arg.shape[-1] // step.groups // arg.parts
        text = f"{text}[..., {arg.part * size or ''}:{(arg.part + 1) * size if arg.part + 1 < arg.parts else ''}]"
    return text


def _array(arg: Operand) -> str:
    name, is_column = arg.of.name, isinstance(arg.of, Constant) and 1 in arg.of.data.shape[:2]
    if isinstance(arg.of, Constant) and arg.of.data.ndim == 2 and is_column and len(arg.shape) == 1:
        return f"{name}[:, 0]" if arg.transposed else f"{name}[0]"
    if arg.transposed:
        return f"np.swapaxes({name}, -1, -2)" if isinstance(arg.of, Value) else f"{name}.T"
    return name


# --------------------------------------------------------------------------------------------- what comes out


def shaped(program: Program) -> Iterator[str]:
    """Yield the lines that return results in their shapes, without an axis of samples if x has none."""
    function = program.predict
    for result, shape in zip(function.results, function.shapes, strict=True):
        if result.shape != shape:
            yield f"{result.name} = {result.name}.reshape(-1, {', '.join(map(str, shape))})"
    names = [result.name for result in function.results]
    first = ", ".join(f"{name}[0]" for name in names)
    if len(program.inputs) > 1:
        yield f"return {_tuple(names)} if len(shape) > 1 else {_tuple([f'{name}[0]' for name in names])}"
        return
    if function.shapes[0] == (1,) and len(function.results) > 1:
        first = ", ".join(["y.reshape(())[()]", *(f"{name}[0]" for name in names[1:])])
        yield "if len(shape) == 1:"
        yield f"    return {', '.join(['y[:, 0]', *names[1:]])}"
    yield f"return {_tuple(names)} if shape else {first if len(names) == 1 else f'({first})'}"


def _tuple(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def documented(function: Function) -> str:
    """Return what a function's results are, for a docstring: y (n, 2) and jacobian (n, 2, 3)."""
    parts = zip(function.results, function.shapes, strict=True)
    return " and ".join(f"{result.name} (n, {', '.join(map(str, shape))})" for result, shape in parts)
