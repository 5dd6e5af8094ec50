"""Activations as NumPy: formulas over arrays (..., units), and the functions that a text defines for them."""

from __future__ import annotations

from collections.abc import Mapping

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.printing import Infix, Text
from nn2eq.emit.sharing import OF_UNITS, at_unit, named_parts, units

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
# W. J. Cody, Mathematics of Computation 23 (1969): rational approximations on three ranges.
ERF = '''\
def erf(z):
    """The error function, to a few units in the last place (W. J. Cody, 1969)."""
    size = np.abs(z)
    near, middle = np.minimum(size, 0.46875) ** 2, np.clip(size, 0.46875, 4.0)
    far = np.maximum(size, 4.0) ** -2.0
    p = [1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
         3.20937758913846947e3]
    q = [1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3]
    centre = z * np.polyval(p, near) / np.polyval(q, near)
    p = [2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
         2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
         1.23033935479799725e3]
    q = [1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
         3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3]
    tail = np.polyval(p, middle) / np.polyval(q, middle)
    p = [1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
         1.60837851487422766e-2, 6.58749161529837803e-4]
    q = [1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
         2.33520497626869185e-3]
    end = (5.6418958354775628695e-1 - far * np.polyval(p, far) / np.polyval(q, far)) * np.sqrt(far)
    tail = np.where(size <= 4.0, tail, end) * np.exp(-np.minimum(size, 30.0) ** 2)
    return np.where(size <= 0.46875, centre, np.copysign(1.0 - tail, z))
'''


class _Names(dict[str, Text]):
    """Names that stand for themselves."""

    def __missing__(self, name: str) -> Text:
        return Text(name)


def written(node: fm.Node, names: Mapping[str, str]) -> str:
    """Write a formula over arrays; names: what stands for z, partner, count and the units' parameters."""
    return NUMPY.write(over_arrays(node, names), _Names()).text


def definition(activation: Activation) -> str:
    """Return the function of a row over (..., units), its parameters as arguments."""
    row = activation.row
    arguments = ["z", *activation.parameters]
    node = over_arrays(fm.parse(row.runnable), {})
    lines = ["z, partner = np.split(z, 2, axis=-1)"] if row.halves else []
    if any(part == fm.name("count") for part in fm.walk(node)):
        lines.append("count = z.shape[-1]")
    first, last = named_parts(node, {*arguments, "partner", "count", "np"})
    lines += [f"{name} = {NUMPY.write(part, _Names()).text}" for name, part in first]
    lines.append(f"return {NUMPY.write(last, _Names()).text}")
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
    return fm.name(f"{NUMPY.write(node, _Names()).text}[..., {', '.join(['None'] * extra)}]")
