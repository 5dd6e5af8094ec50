"""Activations as functions in Python: of one number or expression, or of the list of those of one group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.printing import Infix, Names
from nn2eq.emit.pythonic import call
from nn2eq.emit.sharing import is_at_most_zero, named_parts, named_reductions
from nn2eq.forms.program import Apply

LARGEST_EXPONENT = 709.782712893384
"""exp of more is infinite, and math.exp raises OverflowError; of this it is the largest float64."""

MATH = Infix(
    {
        "exp": "math.exp({0})", "expm1": "math.expm1({0})",
        "log": "math.log({0})", "log1p": "math.log1p({0})", "log10": "math.log10({0})",
        "sqrt": "math.sqrt({0})", "tanh": "math.tanh({0})", "erf": "math.erf({0})",
        "abs": "abs({0})", "max": "max({0}, {1})", "min": "min({0}, {1})",
        "sum": "sum({0} for {1} in z)", "largest": "max({0} for {1} in z)",
        "sum of all": "sum(z)", "largest of all": "max(z)",
    },
    chain=("(", "{1} if {0} else ", "{0})"),
)  # fmt: skip
"""With `math`; a reduction has the number it runs over as its second argument, or is of all of z."""
BARE = replace(MATH, functions={op: text.replace("math.", "") for op, text in MATH.functions.items()})
"""The same after `from math import *`."""


def _fraction(value: float | Fraction) -> str:
    """Write a number so that nothing is rounded: floats beside fractions are small whole numbers."""
    exact = Fraction(value)
    return str(exact) if exact.denominator == 1 else f"Fraction({exact.numerator}, {exact.denominator})"


EXACT = replace(MATH, number=_fraction)
"""Comparisons and arithmetic of fractions."""


def never_overflowing(node: fm.Node) -> fm.Node:
    """Return a formula whose exponentials stay finite, so that 1 / (1 + exp(1000)) is no OverflowError."""
    args = tuple(never_overflowing(arg) for arg in node.args)
    if node.op in ("exp", "expm1") and not is_at_most_zero(node.args[0]):
        args = (fm.Node("min", (*args, fm.number(LARGEST_EXPONENT))),)
    return fm.Node(node.op, args, node.value)


def definition(activation: Activation, node: fm.Node, infix: Infix) -> str:
    """Return the function of a row by one of its formulas, its parameters as arguments."""
    lines = (_of_group if activation.row.coupled else _of_one)(activation, node, infix)
    arguments = ", ".join(["z", *activation.parameters])
    return "\n    ".join([f"def {activation.row.name}({arguments}):", *lines]) + "\n"


def over_list(step: Apply, node: fm.Node | None, infix: Infix) -> str:
    """Write an activation of the numbers of a layer as a list; node: its formula, if not by its function."""
    activation, arg = step.activation, step.arg.name
    if activation.row.coupled:
        return _over_groups(activation, arg, step.arg.size)
    own = {key: key for key in step.parameters}
    text = call(activation, "z", own) if node is None else written(node, infix)
    if step.units:
        return f"[{text} if k in {step.units} else z for k, z in enumerate({arg})]"
    return f"[{text} for {loop(['z', *own], [arg, *(data.name for data in step.parameters.values())])}]"


def _over_groups(activation: Activation, arg: str, count: int) -> str:
    if activation.groups == 1:
        return call(activation, arg, {})
    size = count // activation.groups
    return f"[a for k in range(0, {count}, {size}) for a in {call(activation, f'{arg}[k : k + {size}]', {})}]"


def loop(names: Sequence[str], lists: Sequence[str]) -> str:
    """Return what stands behind `for`: names that run through lists side by side."""
    together = ", ".join(lists)
    return f"{', '.join(names)} in {together if len(lists) == 1 else f'zip({together})'}"


def _of_one(activation: Activation, node: fm.Node, infix: Infix) -> list[str]:
    """Return the lines of a function of one number."""
    first, last = named_parts(node, {"z", *activation.parameters})
    lines = [f"{name} = {written(part, infix)}" for name, part in first]
    return [*lines, f"return {written(last, infix)}"]


def _of_group(activation: Activation, node: fm.Node, infix: Infix) -> list[str]:
    """Return the lines of a function of the numbers of a group: what they share, then each."""
    names = {"z": fm.name("z_i"), "partner": fm.name("partner_i"), "count": fm.name("len(z)")}
    first, last = named_reductions(node, {"z", "partner", *activation.parameters})
    lines = [f"{name} = {written(fm.substitute(part, names), infix)}" for name, part in first]
    body = written(fm.substitute(last, names), infix)
    if not activation.row.halves:
        return [*lines, f"return [{body} for z_i in z]"]
    halves = "z, partner = z[: len(z) // 2], z[len(z) // 2 :]"
    return [*lines, halves, f"return [{body} for z_i, partner_i in zip(z, partner)]"]


def written(node: fm.Node, infix: Infix) -> str:
    """Write a formula of numbers named as they are, reductions as loops over z."""
    return infix.write(_looping(node), Names()).text


def _looping(node: fm.Node) -> fm.Node:
    """Name the number that a reduction runs over, and give it to the reduction."""
    if node.op == "unit":
        return fm.name("_".join(node.value))
    args = tuple(_looping(arg) for arg in node.args)
    if node.op not in fm.REDUCTIONS:
        return fm.Node(node.op, args, node.value)
    number = fm.name(f"z_{node.value}")
    return fm.Node(f"{node.op} of all") if args == (number,) else fm.Node(node.op, (*args, number))
