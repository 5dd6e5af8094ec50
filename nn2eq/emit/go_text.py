"""Go: one file without packages but math; its function takes and gives arrays of known sizes."""

from __future__ import annotations

from nn2eq.emit.code.dialect import Dialect, Several, braced
from nn2eq.emit.code.helpers import Helper
from nn2eq.emit.code.loops import Loops
from nn2eq.emit.code.tables import Tables
from nn2eq.emit.code.text import emitter_of
from nn2eq.emit.printing import Infix

RESERVED = frozenset(
    """
    break case chan const continue default defer else fallthrough for func go goto if import interface map package range
    return select struct switch type var bool float32 float64 int math
    """.split()
)
STANDING = frozenset({"main", "init"})
FUNCTIONS = {
    name: f"math.{name.capitalize()}({{0}})"
    for name in ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "abs", "erf")
} | {"max": "math.Max({0}, {1})", "min": "math.Min({0}, {1})"}
LAYERS = Loops(
    vector="var {0} [{1}]float64",
    variable="{0} := {1}",
    add="{0} += {1}",
    loop="for {0} := {1}; {0} < {2}; {0}++ {{",
    strided="for {0} := {1}; {0} < {2}; {0} += {3} {{",
    lowest="math.Inf(-1)",
    widened="float64({0})",
    returned="return {0}",
    constants=Tables(
        vector="var {name} = [{size}]{type}{{",
        matrix="var {name} = [{rows}][{columns}]{type}{{",
        row="{{{0}}},",
        closing="}",
        types=("float32", "float64"),
    ),
)
WHERE = """\
func {0}(condition bool, yes, no float64) float64 {{
\tif condition {{
\t\treturn yes
\t}}
\treturn no
}}"""


def dialect(name: str) -> Dialect:
    """Return Go whose tables and functions are called after the function: a package has one space of names."""
    where = f"{name}_where"
    return Dialect(
        name="go",
        suffix=".go",
        comment="//",
        reserved=RESERVED,
        standing=STANDING,
        infix=Infix({**FUNCTIONS, "where": where + "({0}, {1}, {2})"}),
        routine=braced("func {0}({1}) float64 {{", "{0} float64", "{0} := {1}", "return {0}"),
        let="{0} := {1}",
        set="{0} = {1}",
        said="{name} returns [{answers}] of [{given}].",
        predict=("func {name}({x} [{inputs}]float64) [{outputs}]float64 {{",),
        returned="return [{outputs}]float64{{{0}}}",
        layers=LAYERS,
        before="package main\n\n{imported}",
        indent="\t",
        helpers={"where": Helper(where, (), "", text=WHERE.format(where))},
        prefix=f"{name}_",
        imported=("math.", 'import "math"\n\n'),
        several=Several(
            opening=("func {name}({x} [{inputs}]float64) ({stated}) {{",),
            said="{name} returns {results} of [{given}], matrices row by row.",
            result="[{1}]float64",
            group=lambda name, shape, parts, x: f"[{len(parts)}]float64{{{', '.join(parts)}}}",
            returned="return {0}",
        ),
    )


EMITTER = emitter_of(dialect("predict"), lambda options: dialect(options.name))
