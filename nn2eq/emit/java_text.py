"""Java: a final class with one static method; a class loads its numbers within the 64 KB that a method may have."""

from __future__ import annotations

from nn2eq.emit.code.dialect import Dialect, Lines, Several, braced
from nn2eq.emit.code.helpers import ERF
from nn2eq.emit.code.loops import Loops
from nn2eq.emit.code.tables import Tables, broken, rows
from nn2eq.emit.code.text import emitter_of
from nn2eq.emit.printing import Infix
from nn2eq.forms.program import Constant

RESERVED = frozenset(
    """
    abstract assert boolean break byte case catch char class const continue default do double else enum extends false
    final finally float for goto if implements import instanceof int interface long native new null package private
    protected public return short static strictfp super switch synchronized this throw throws transient true try void
    volatile while Double Float IllegalArgumentException Math Object String floats doubles
    """.split()
)
STANDING = frozenset(
    "Boolean Byte Character Class Error Exception Integer Long Number Override Record Short System main".split()
)
FUNCTIONS = {
    **{name: f"Math.{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "abs")},
    "erf": "erf({0})", "max": "Math.max({0}, {1})", "min": "Math.min({0}, {1})", "where": "{0} ? {1} : {2}",
}  # fmt: skip
IN_METHOD = 4_000
"""Numbers that one method may hold: its code may have 65,535 bytes, and a product and its sum take some ten."""
IN_STRING = 60_000
"""Characters that one string may have: its bytes are counted in 16 bits."""
RIGHT_SIZE = (
    "if ({x}.length != {inputs}) {{",
    '    throw new IllegalArgumentException("{name} takes {inputs} numbers, not " + {x}.length);',
    "}}",
)
READER = """\
private static {0}[] {0}s(int count, String... texts) {{
    {0}[] numbers = new {0}[count];
    int k = 0;
    for (String text : texts) {{
        for (String number : text.split(",")) {{
            numbers[k++] = {1}.parse{1}(number);
        }}
    }}
    return numbers;
}}"""
LITERALS = Tables(
    vector="private static final {type}[] {name} = {{",
    matrix="private static final {type}[] {name} = {{ // {rows} x {columns}",
    closing="};",
    types=("float", "double"),
    suffixes=("f", ""),
)


def tables(constants: list[Constant]) -> Lines:
    """Write all arrays of numbers: as literals if the method that fills them can be so long, else as strings."""
    if sum(constant.data.size for constant in constants) <= IN_METHOD:
        return LITERALS(constants)
    types = dict.fromkeys("float" if constant.data.dtype == "float32" else "double" for constant in constants)
    readers = [line for name in types for line in READER.format(name, name.capitalize()).splitlines()]
    return [*readers, "", *(line for constant in constants for line in _strings(constant))]


def _strings(constant: Constant) -> Lines:
    """Write an array of numbers as strings that are read when the class is loaded."""
    data = constant.data
    name = "float" if data.dtype == "float32" else "double"
    strings: Lines = []
    room = IN_STRING
    lines = broken(", ".join(rows(data)))
    for number, line in enumerate(lines, start=1):
        packed = line.replace(" ", "").rstrip(",")
        room -= len(packed) + 1
        is_last = number == len(lines)
        strings.append(f'"{packed}");' if is_last else f'"{packed},",' if room < 0 else f'"{packed}," +')
        room = IN_STRING if room < 0 else room
    return [f"private static final {name}[] {constant.name} = {name}s({data.size},", strings]


DIALECT = Dialect(
    name="java",
    suffix=".java",
    comment="//",
    reserved=RESERVED,
    standing=STANDING,
    infix=Infix(FUNCTIONS, loose=("where",)),
    routine=braced(
        "private static double {0}({1}) {{", "double {0}", "final double {0} = {1};", "return {0};"
    ),
    let="final double {0} = {1};",
    set="{0} = {1};",
    said="Returns {{{answers}}} of {{{given}}}.",
    predict=(
        "public static double[] {name}(double[] {x}) {{",
        *RIGHT_SIZE,
    ),
    returned="return new double[] {{{0}}};",
    joint=" : ",
    layers=Loops(
        vector="final double[] {0} = new double[{1}];",
        variable="double {0} = {1};",
        add="{0} += {1};",
        loop="for (int {0} = {1}; {0} < {2}; {0}++) {{",
        strided="for (int {0} = {1}; {0} < {2}; {0} += {3}) {{",
        lowest="Double.NEGATIVE_INFINITY",
        entry="",
        constants=tables,
        cast="(double) {0}",
    ),
    before="final class {Name} {{\n    private {Name}() {{}}\n\n",
    after="}}\n",
    inside=1,
    helpers={"erf": ERF},
    narrow="{0}f",
    most=IN_METHOD,
    several=Several(
        opening=(
            "public static double[][] {name}(double[] {x}) {{",
            *RIGHT_SIZE,
        ),
        said="Returns {{{results}}} of {{{given}}}, matrices row by row.",
        group=lambda name, shape, parts, x: f"{{{', '.join(parts)}}}",
        returned="return new double[][] {{{0}}};",
    ),
)

EMITTER = emitter_of(DIALECT)
