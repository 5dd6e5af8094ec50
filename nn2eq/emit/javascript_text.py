"""JavaScript: an ES module, for Node and for browsers."""

from __future__ import annotations

from nn2eq.emit.code.dialect import Dialect, Several, braced
from nn2eq.emit.code.helpers import ERF
from nn2eq.emit.code.loops import Loops
from nn2eq.emit.code.tables import Tables
from nn2eq.emit.code.text import emitter_of
from nn2eq.emit.printing import Infix

RESERVED = frozenset(
    """
    abstract arguments async await boolean break byte case catch char class const continue debugger default delete do
    double else enum eval export extends false final finally float for from function get goto if implements import in
    instanceof int interface let long native new null of package private protected public return set short static super
    switch synchronized this throw throws transient true try typeof undefined var void volatile while with yield
    Array Float32Array Float64Array Infinity Math NaN RangeError
    """.split()
)
FUNCTIONS = {
    **{name: f"Math.{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "abs")},
    "erf": "erf({0})", "max": "Math.max({0}, {1})", "min": "Math.min({0}, {1})", "where": "{0} ? {1} : {2}",
}  # fmt: skip
DIALECT = Dialect(
    name="javascript",
    suffix=".mjs",
    comment="//",
    reserved=RESERVED,
    infix=Infix(FUNCTIONS, loose=("where",)),
    routine=braced("function {0}({1}) {{", "{0}", "const {0} = {1};", "return {0};"),
    let="const {0} = {1};",
    set="{0} = {1};",
    said="Return [{answers}] of [{given}].",
    predict=(
        "export function {name}({x}) {{",
        "if ({x}.length !== {inputs}) throw new RangeError(`{name} takes {inputs} numbers, not ${{{x}.length}}`);",
    ),
    returned="return [{0}];",
    joint=" : ",
    layers=Loops(
        vector="const {0} = new Float64Array({1});",
        variable="let {0} = {1};",
        add="{0} += {1};",
        loop="for (let {0} = {1}; {0} < {2}; {0}++) {{",
        strided="for (let {0} = {1}; {0} < {2}; {0} += {3}) {{",
        lowest="-Infinity",
        entry="",
        returned="return Array.from({0});",
        constants=Tables(
            vector="const {name} = new {type}([",
            matrix="const {name} = new {type}([ // {rows} x {columns}",
            closing="]);",
            types=("Float32Array", "Float64Array"),
        ),
    ),
    indent="  ",
    helpers={"erf": ERF},
    several=Several(
        said="Return [{results}] of [{given}], matrices row by row.",
        group=lambda name, shape, parts, x: f"[{', '.join(parts)}]",
        whole=lambda name, shape: f"Array.from({name})",
        returned="return [{0}];",
    ),
)

EMITTER = emitter_of(DIALECT)
