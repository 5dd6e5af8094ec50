"""THE list of what a text in Python may do, before a stranger's is run: its syntax, its names, its modules.

It is what our own texts do, and a little room for changes by hand. Names that the text does not define itself
and that are not listed here cannot be reached; neither can files, attributes behind attributes, or anything
that takes text for code.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from nn2eq.errors import BadRequest
from nn2eq.proof.python_code import bare_as_function

LONGEST = 200_000_000
"""Characters that a text may have: 3.4 million weights take 40 million."""
LARGEST_INTEGER = 2**63


@dataclass(frozen=True)
class Dialect:
    """The Python of one language's texts: what it may use of modules, and what may be given a text.

    takes_text: functions by their last name. None of them takes text for code. SymPy's functions do that,
    even with a text wrapped in another object; there only what makes a number or a symbol of one takes it.
    """

    modules: Mapping[str, frozenset[str]]
    takes_text: frozenset[str]


_NUMPY = frozenset(
    "abs add argmin array asarray atleast_1d atleast_2d clip concatenate copysign divide e errstate exp expm1 eye"
    " float32 float64 fromstring full full_like hstack inf log log10 log1p matmul max maximum mean min"
    " minimum multiply ndim negative ones ones_like pi polyval prod reshape searchsorted shape sign split sqrt square"
    " squeeze stack subtract sum swapaxes tanh tensordot transpose var vstack where zeros zeros_like".split()
)
_MATH = frozenset("copysign e erf erfc exp expm1 fabs fsum hypot inf log log10 log1p pi sqrt tanh".split())
_SYMPY = frozenset(
    "Abs Add And Eq Float Ge Gt Integer ITE Le Lt MatMul Matrix Max Min Mul Ne Or Piecewise Pow Rational"
    " Symbol Tuple cosh diag erf evaluate exp eye log oo ones pi sinh sqrt symbols tanh true zeros".split()
)
DIALECTS: Mapping[str, Dialect] = {
    "numpy": Dialect(
        {"numpy": _NUMPY},
        frozenset("IndexError TypeError ValueError array asarray astype errstate float fromstring".split()),
    ),
    "python": Dialect(
        {"math": _MATH, "fractions": frozenset({"Fraction"})},
        frozenset("IndexError TypeError ValueError float rows split".split()),
    ),
    "sympy": Dialect({"sympy": _SYMPY}, frozenset("Float Symbol symbols".split())),
}
"""The languages whose texts are Python; our texts of all others are read by readers that run nothing."""

TAKES_INTEGERS = frozenset({"Fraction", "Rational"})
"""Functions that may be given integers of any size: Python reads at most 4,300 digits."""
ATTRIBUTES = frozenset("T applyfunc astype ndim reshape shape size split subs sum xreplace".split())
"""What may be asked of a value."""
KEYWORDS = frozenset("copy divide dtype invalid over real sep seq under".split())
"""How what may be given a text may be told what to do with it."""
BUILTINS = frozenset(
    "IndexError TypeError ValueError abs all any enumerate float int isinstance len list map max min range"
    " reversed round sum tuple zip".split()
)
PLAIN = frozenset(
    (
        ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.arguments, ast.arg, ast.keyword,
        ast.With, ast.withitem,
        ast.Assign, ast.AugAssign, ast.Return, ast.If, ast.For, ast.Raise, ast.Assert, ast.Pass,
        ast.Tuple, ast.List, ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.Starred,
        ast.FormattedValue, ast.Subscript, ast.Slice, ast.Load, ast.Store, ast.BinOp, ast.UnaryOp, ast.BoolOp,
        ast.Compare, ast.IfExp,
        ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult, ast.USub, ast.UAdd,
        ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In,
        ast.And, ast.Or, ast.Not, ast.BitAnd, ast.BitOr, ast.Invert,
    )
)  # fmt: skip
"""Syntax that is harmless as it stands."""


def require_allowed(text: str, language: str) -> None:
    """Refuse a text that is not the kind of Python that our texts of this language are. Raises BadRequest."""
    if language not in DIALECTS:
        return
    if len(text) > LONGEST:
        raise _refused(f"it has {len(text):,} characters", 0)
    try:
        tree = ast.parse(bare_as_function(text, language) or text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadRequest(f"the text is not Python: {error!s:.100}", code="text-syntax") from None
    _Inspection(tree, DIALECTS[language]).inspect(tree)


class _Inspection:
    """A walk from the top down; what a parent answers for, its child need not ask again."""

    def __init__(self, tree: ast.Module, dialect: Dialect) -> None:
        self.dialect = dialect
        self.aliases: dict[str, frozenset[str]] = {}
        self.defined: set[str] = set()
        self.imported: set[str] = set()
        self.vouched: set[int] = set()
        for node in ast.walk(tree):
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        """Collect what the text defines and imports, wherever it stands."""
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                self.defined.add(name)
            case ast.Import(names=names):
                for alias in names:
                    if alias.name not in self.dialect.modules:
                        raise _refused(f"it imports {alias.name}", node.lineno)
                    self.aliases[alias.asname or alias.name] = self.dialect.modules[alias.name]
            case ast.ImportFrom(module=module, names=names, level=level):
                known = self.dialect.modules.get(module or "", frozenset())
                for alias in names:
                    if level or alias.name not in known or alias.asname:
                        raise _refused(f"it imports {alias.name} from {module}", node.lineno)
                    self.imported.add(alias.name)

    def _require_own_names(self) -> None:
        """Refuse a text that gives a new meaning to what is listed here, and so to the list."""
        listed = frozenset().union(BUILTINS, *self.dialect.modules.values()) & self.dialect.takes_text
        for name in sorted(self.defined):
            if name.startswith("__") or name in (listed | BUILTINS | self.aliases.keys() | self.imported):
                raise _refused(f"it defines {name}", 0)

    def inspect(self, tree: ast.Module) -> None:
        """Look at every node, parents first; iteratively: a sum of a thousand terms is a thousand deep."""
        self._require_own_names()
        todo: list[ast.AST] = [tree]
        while todo:
            node = todo.pop()
            if type(node) not in PLAIN:
                check = _CHECKS.get(type(node))
                if check is None:
                    raise _refused(f"it uses {type(node).__name__}", getattr(node, "lineno", 0))
                check(self, node)
            todo.extend(reversed(list(ast.iter_child_nodes(node))))

    def vouch(self, *nodes: ast.AST) -> None:
        """Answer for some children."""
        self.vouched.update(map(id, nodes))


def _function(walk: _Inspection, node: ast.FunctionDef) -> None:
    if node.returns or any(arg.annotation for arg in (*node.args.args, *node.args.kwonlyargs)):
        raise _refused("it has annotations", node.lineno)


def _call(walk: _Inspection, node: ast.Call) -> None:
    """Let texts through to the few functions that take them as texts, and let nobody change how."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if any(keyword.arg is None for keyword in node.keywords):
        raise _refused("it passes ** arguments", node.lineno)
    if name in TAKES_INTEGERS and walk.imported >= {name}:
        walk.vouch(*filter(_is_integer, map(_magnitude, node.args)))
    if name in walk.dialect.takes_text:
        for keyword in node.keywords:  # symbols(text, cls=f) calls f with the text
            if keyword.arg not in KEYWORDS:
                raise _refused(f"it passes {keyword.arg}= to {name}", node.lineno)
        walk.vouch(*node.args, *(keyword.value for keyword in node.keywords))


def _magnitude(node: ast.expr) -> ast.expr:
    """Return a number behind its sign."""
    return node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node


def _is_integer(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _attribute(walk: _Inspection, node: ast.Attribute) -> None:
    base = node.value
    is_module = isinstance(base, ast.Name) and base.id in walk.aliases
    allowed = walk.aliases[base.id] if isinstance(base, ast.Name) and is_module else ATTRIBUTES
    if node.attr not in allowed or not isinstance(node.ctx, ast.Load):
        raise _refused(f"it uses .{node.attr}", node.lineno)
    walk.vouch(base)


def _name(walk: _Inspection, node: ast.Name) -> None:
    if node.id in walk.aliases and id(node) not in walk.vouched:
        raise _refused(f"it uses the module {node.id} itself", node.lineno)
    if not any(node.id in names for names in (walk.defined, walk.imported, walk.aliases, BUILTINS)):
        raise _refused(f"it uses {node.id}, which it does not define", node.lineno)


def _constant(walk: _Inspection, node: ast.Constant) -> None:
    match node.value:
        case bool() | float() | EllipsisType() | None:
            return
        case int() as value if abs(value) <= LARGEST_INTEGER:
            return
        case str() if id(node) in walk.vouched:
            return
        case int() if (
            id(node) in walk.vouched
        ):  # above or below in a fraction, where it is a number and no more
            return
    raise _refused(f"it holds {ast.unparse(node):.40}", node.lineno)


def _expression(walk: _Inspection, node: ast.Expr) -> None:
    """Let documentation stand; anything else that is only evaluated has no business in a formula."""
    walk.vouch(node.value)


def _joined(walk: _Inspection, node: ast.JoinedStr) -> None:
    """Let a message be put together where a text may stand."""
    if id(node) not in walk.vouched:
        raise _refused("it puts texts together", node.lineno)
    for part in node.values:
        walk.vouch(part)
        if isinstance(part, ast.FormattedValue) and part.format_spec is not None:
            raise _refused("it formats numbers", node.lineno)


_CHECKS: Mapping[type[ast.AST], Callable[[_Inspection, Any], None]] = {
    ast.FunctionDef: _function,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Expr: _expression,
    ast.JoinedStr: _joined,
}


def _refused(what: str, line: int) -> BadRequest:
    where = f"line {line}" if line else ""
    return BadRequest(
        f"the text is not run: {what}, which no text of nn2eq's does",
        code="text-refused",
        where=where,
        way_out="run it yourself if you trust it",
    )
