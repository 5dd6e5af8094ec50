"""What running a formula asks for: repeated parts computed once, exponentials that may overflow known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

from nn2eq import formula as fm
from nn2eq.emit.names import fresh

OF_UNITS = ("z", "partner", "a", "d", "t", "partner_t", "t_a", "t_d", "s", "q", "chosen")
"""The names in a formula that each unit has its own of."""
_STEMS: Mapping[str, str] = {"exp": "e", "expm1": "e", "sum": "total", "largest": "largest", "abs": "size"}


def named_parts(
    node: fm.Node, taken: Collection[str], worth: Callable[[fm.Node, int], bool] = lambda part, times: True
) -> tuple[list[tuple[str, fm.Node]], fm.Node]:
    """Return what to compute first, in order, as names and formulas, and the formula that is left.

    worth: whether a part that stands so many times is worth a name. Only what is computed in any case is named:
    a part of one branch of `where` may be there because it fails in the other. What speaks of a unit inside a
    reduction stays there.
    """
    repeated = _repeated(node, worth) & set(_always(node))
    return _taken_out(node, repeated, taken)


def named_reductions(node: fm.Node, taken: Collection[str]) -> tuple[list[tuple[str, fm.Node]], fm.Node]:
    """Return the reductions that are the same for every unit of a group, and the formula that is left."""
    node = renamed(node)
    closed = {part for part in fm.walk(node) if part.op in fm.REDUCTIONS and not units(part)}
    return _taken_out(node, closed, taken)


def _taken_out(
    node: fm.Node, parts: Collection[fm.Node], taken: Collection[str]
) -> tuple[list[tuple[str, fm.Node]], fm.Node]:
    """Give each of some parts a name, inner ones first."""
    found: dict[fm.Node, str] = {}
    lines: list[tuple[str, fm.Node]] = []

    def replaced(part: fm.Node) -> fm.Node:
        if part in found:
            return fm.name(found[part])
        rest = fm.Node(part.op, tuple(replaced(arg) for arg in part.args), part.value)
        if part not in parts:
            return rest
        found[part] = fresh(_STEMS.get(part.op, "t"), {*taken, *found.values()})
        lines.append((found[part], rest))
        return fm.name(found[part])

    body = replaced(node)
    return lines, body


def _repeated(node: fm.Node, worth: Callable[[fm.Node, int], bool]) -> set[fm.Node]:
    """Return the operations that are an argument twice; -z and the like are not worth a name."""
    places = Counter(arg for part in set(fm.walk(node)) for arg in part.args)
    counted = {
        part: count for part, count in places.items() if count > 1 and part.args and not _is_small(part)
    }
    return {part for part, count in counted.items() if worth(part, count)}


def _is_small(node: fm.Node) -> bool:
    return (node.op in ("neg", "abs") and not node.args[0].args) or bool(units(node) - {""})


def units(node: fm.Node) -> set[str]:
    """Return which units a formula speaks of: the indices of reductions around it, and "" for its own."""
    if node.op == "unit":
        return {node.value[1]}
    if node.op == "name":
        return {""} if node.value in OF_UNITS else set()
    inside = {unit for arg in node.args for unit in units(arg)}
    return inside - {node.value} if node.op in fm.REDUCTIONS else inside


def _always(node: fm.Node) -> Iterator[fm.Node]:
    """Yield what is computed whatever a condition says."""
    yield node
    for arg in node.args[:1] if node.op == "where" else node.args:
        yield from _always(arg)


def renamed(node: fm.Node) -> fm.Node:
    """Call the units of reductions j, k, l from the inside out: equal reductions become equal formulas."""
    if node.op not in fm.REDUCTIONS:
        return fm.Node(node.op, tuple(renamed(arg) for arg in node.args), node.value)
    # In capitals first: what was called j may stand around what is to be.
    index = "JKLMN"[_height(node) - 1]
    inner = renamed(at_unit(node.args[0], node.value, index))
    return fm.Node(node.op, (at_unit(inner, index, index.lower()),), index.lower())


def _height(node: fm.Node) -> int:
    """Return how many reductions stand within each other."""
    return max(map(_height, node.args), default=0) + (node.op in fm.REDUCTIONS)


def at_unit(node: fm.Node, index: str, other: str) -> fm.Node:
    """Say of another unit what is said of the unit of a reduction; "" is the unit itself."""
    if node.op == "unit" and node.value[1] == index:
        return fm.Node("unit", value=(node.value[0], other)) if other else fm.name(node.value[0])
    return fm.Node(node.op, tuple(at_unit(arg, index, other) for arg in node.args), node.value)


def may_overflow(node: fm.Node) -> bool:
    """Whether an exponential in a formula may be of a large number, as far as one can see."""
    return any(part.op in ("exp", "expm1") and not is_at_most_zero(part.args[0]) for part in fm.walk(node))


def is_at_most_zero(node: fm.Node) -> bool:
    """Whether one sees that a formula is never positive; what the table's formulas divide by is positive."""
    match node.op:
        case "number":
            return bool(node.value <= 0)
        case "neg":
            return node.args[0].op == "abs"
        case "min":
            return any(is_at_most_zero(arg) for arg in node.args)
        case "/":
            return is_at_most_zero(node.args[0])
        case "-":
            return node.args[1].op == "largest"
    return False
