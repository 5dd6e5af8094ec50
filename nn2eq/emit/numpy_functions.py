"""Activations as NumPy: formulas over arrays (..., units), and the functions that a text defines for them."""

from __future__ import annotations

from collections.abc import Mapping

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.printing import Infix, Names
from nn2eq.emit.sharing import OF_UNITS, at_unit, named_parts, units
from nn2eq.erf import MIDDLE, NEAR

# Beyond those of nn2eq.formula: reductions over the last axis that keep it, and over the last of several.
NUMPY = Infix(
    {
        "exp": "np.exp({0})", "expm1": "np.expm1({0})", "log": "np.log({0})", "log1p": "np.log1p({0})",
        "log10": "np.log10({0})", "tanh": "np.tanh({0})", "sqrt": "np.sqrt({0})", "abs": "np.abs({0})",
        "erf": "erf({0})", "max": "np.maximum({0}, {1})", "min": "np.minimum({0}, {1})",
        "where": "np.where({0}, {1}, {2})",
        "sum": "np.sum({0}, axis=-1, keepdims=True)", "largest": "np.max({0}, axis=-1, keepdims=True)",
        "sum of pairs": "np.sum({0}, axis=-1)", "largest of pairs": "np.max({0}, axis=-1)",
    }
)  # fmt: skip


def _written_list(numbers: tuple[float, ...]) -> str:
    """Write numbers over several lines."""
    rows = [", ".join(map(repr, numbers[start : start + 5])) for start in range(0, len(numbers), 5)]
    return "[" + ",\n         ".join(rows) + "]"


ERF = f'''\
def erf(z):
    """The error function, to a few units in the last place (W. J. Cody, 1969)."""
    size = np.minimum(np.abs(z), 6.0)
    p = {_written_list(NEAR[0])}
    q = {_written_list(NEAR[1])}
    square = np.minimum(size, 0.46875) ** 2
    near = z * np.polyval(p, square) / np.polyval(q, square)
    p = {_written_list(MIDDLE[0])}
    q = {_written_list(MIDDLE[1])}
    far = np.polyval(p, size) / np.polyval(q, size) * np.exp(-(size ** 2))
    return np.where(size <= 0.46875, near, np.copysign(1.0 - far, z))
'''
"""NumPy has no error function; from 6 on it is 1 in float64."""


def written(node: fm.Node, names: Mapping[str, str]) -> str:
    """Write a formula over arrays; names: what stands for z, partner, count and the units' parameters."""
    return NUMPY.write(over_arrays(node, names), Names()).text


def definition(activation: Activation) -> str:
    """Return the function of a row over (..., units), its parameters as arguments."""
    row = activation.row
    arguments = ["z", *activation.parameters]
    node = over_arrays(fm.parse(row.runnable), {})
    lines = ["z, partner = np.split(z, 2, axis=-1)"] if row.halves else []
    if any(part == fm.name("count") for part in fm.walk(node)):
        lines.append("count = z.shape[-1]")
    first, last = named_parts(node, {*arguments, "partner", "count", "np"})
    lines += [f"{name} = {NUMPY.write(part, Names()).text}" for name, part in first]
    lines.append(f"return {NUMPY.write(last, Names()).text}")
    return "\n    ".join([f"def {row.name}({', '.join(arguments)}):", *lines]) + "\n"


def over_arrays(node: fm.Node, names: Mapping[str, str]) -> fm.Node:
    """Return a formula in which every name is an array and every reduction one over the last axis.

    A reduction that speaks of no unit but its own runs over z itself; one that compares units with each other
    runs over pairs, z[..., None] with z[..., None, :].
    """
    return _over(node, names, ())


def _over(node: fm.Node, names: Mapping[str, str], indices: tuple[str, ...]) -> fm.Node:
    """Rewrite with one more axis, at the end, for each enclosing reduction over pairs."""
    match node.op:
        case "name" if node.value in OF_UNITS:
            return fm.name(_at(names.get(node.value, node.value), 0, len(indices)))
        case "name":
            return fm.name(names.get(node.value, node.value))
        case "unit":
            text, index = node.value
            return fm.name(_at(names.get(text, text), 1 + indices.index(index), len(indices)))
        case "sum" | "largest" if units(node.args[0]) <= {node.value}:
            inner = _over(at_unit(node.args[0], node.value, ""), names, ())
            return _with_axes(fm.Node(node.op, (inner,)), len(indices))
        case "sum" | "largest":
            return fm.Node(f"{node.op} of pairs", (_over(node.args[0], names, (*indices, node.value)),))
    return fm.Node(node.op, tuple(_over(arg, names, indices) for arg in node.args), node.value)


def _at(name: str, position: int, extra: int) -> str:
    """Return the array with its units on one of the last axes, () on the others."""
    if not extra:
        return name
    axes = ["None"] * (extra + 1)
    axes[position] = ":"
    return f"{name}[..., {', '.join(axes)}]"


def _with_axes(node: fm.Node, extra: int) -> fm.Node:
    if not extra:
        return node
    return fm.name(f"{NUMPY.write(node, Names()).text}[..., {', '.join(['None'] * extra)}]")
