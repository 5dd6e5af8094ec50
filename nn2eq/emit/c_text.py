"""C99: one file that needs libm alone, without heap or global state; it is C++ as well."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from nn2eq.emit.code.dialect import Dialect, Several, braced
from nn2eq.emit.code.helpers import FLOAT_TANH, LARGER, SMALLER
from nn2eq.emit.code.loops import Loops
from nn2eq.emit.code.tables import Tables
from nn2eq.emit.code.text import emitter_of, fields_of, flat, identifiers
from nn2eq.emit.code.text import write as written
from nn2eq.emit.header import escaped
from nn2eq.emit.options import Options, Recorded
from nn2eq.emit.printing import Infix, decimals, number
from nn2eq.forms.program import Constant, Program

# Words of C and of C++, what the texts call, and macros of <math.h> and <stdio.h>.
RESERVED = frozenset(
    """
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    alignas alignof and and_eq asm bitand bitor bool catch char8_t char16_t char32_t class co_await co_return co_yield
    compl concept consteval constexpr constinit const_cast decltype delete dynamic_cast explicit export false friend
    mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public reinterpret_cast
    requires static_assert static_cast template this thread_local throw true try typeid typename typeof
    typeof_unqual using virtual wchar_t xor xor_eq
    exp expf expm1 expm1f log logf log1p log1pf log10 log10f tanh tanhf sqrt sqrtf fabs fabsf erf erff fprintf printf
    allowed recorded_x recorded_y stdin stdout stderr linux unix NULL EOF NAN INFINITY
    """.split()
)
STANDING = frozenset(
    """
    main acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erfc exp2 fdim floor fma fmax fmin fmod
    frexp gamma hypot ilogb j0 j1 jn ldexp lgamma llrint llround log2 logb lrint lround modf nan nearbyint nextafter
    nexttoward pow remainder remquo rint round scalbln scalbn significand sin sinh tan tgamma trunc y0 y1 yn
    clearerr fclose feof ferror fflush fgetc fgets fopen fputc fputs fread freopen fscanf fseek ftell fwrite getc
    getchar gets perror putc putchar puts remove rename rewind scanf snprintf sprintf sscanf tmpfile ungetc abs
    exit free malloc
    """.split()
)
SIZES = """\
#define {NAME}_INPUTS {inputs}
#define {NAME}_OUTPUTS {outputs}
"""
BEFORE = f"""\
#include <math.h>

{{imported}}{SIZES}
#ifdef __cplusplus
extern "C"
#endif
void {{name}}(const real *{{x}}, real *{{y}});
{{further}}
"""
VECTORS = """\
// Nothing here asks for floating-point exceptions; GCC makes vectors of more loops if it knows that.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

"""
SAID = "{answers} of {given}: {y} takes {outputs} and {x} holds {inputs}, and they must not overlap."
HEADER = f"""\
#ifndef {{NAME}}_H
#define {{NAME}}_H

{SIZES}
#ifdef __cplusplus
extern "C" {{{{
#endif

// {SAID}
void {{name}}(const real *{{x}}, real *{{y}});
{{further}}
#ifdef __cplusplus
}}}}
#endif

#endif
"""
TEST = """\

#ifdef NN2EQ_TEST
#include <stdio.h>

{tables}

// Compare with {by}.
int main(void) {{
    double worst = 0.0;
    int wrong = 0;
    for (int k = 0; k < {samples}; ++k) {{
        {real} x[{inputs}], y[{outputs}];
        for (int j = 0; j < {inputs}; ++j) {{
            x[j] = ({real})recorded_x[k][j];
        }}
        {name}(x, y);
        for (int j = 0; j < {outputs}; ++j) {{
            const double error = fabs(y[j] - recorded_y[k][j]);
            worst = error <= worst ? worst : error;
            wrong += !(error <= allowed[k][j]);
        }}
    }}
    printf("worst error %.3g; %d of %d answers too far off\\n", worst, wrong, {samples} * {outputs});
    return wrong != 0;
}}
#endif
"""


DOUBLES = Tables(
    vector="static const {type} {name}[{size}] = {{",
    matrix="static const {type} {name}[{rows}][{columns}] = {{",
    row="{{{0}}},",
    closing="};",
    types=("double", "double"),
    suffixes=("f", ""),
)


def _infix(suffix: str) -> Infix:
    """Return how formulas are written over double (no suffix) or float."""
    names = ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "erf")
    functions = {name: f"{name}{suffix}({{0}})" for name in names} | {
        "abs": f"fabs{suffix}({{0}})", "max": "larger({0}, {1})", "min": "smaller({0}, {1})",
        "where": "{0} ? {1} : {2}",
    }  # fmt: skip
    own = {"tanh": "rational_tanh({0})"} if suffix else {}
    return Infix(functions | own, _float if suffix else number, loose=("where",))


def _float(value: float) -> str:
    """Write a number of a formula as a float."""
    return decimals(np.array([value], dtype=np.float32))[0] + "f"


def _loops(real: str, tables: Tables) -> Loops:
    single = real == "float"
    return Loops(
        vector=f"{real} {{0}}[{{1}}];",
        variable=f"{real} {{0}} = {{1}};",
        add="{0} += {1};",
        loop="for (int {0} = {1}; {0} < {2}; ++{0}) {{",
        strided="for (int {0} = {1}; {0} < {2}; {0} += {3}) {{",
        lowest="-3.4028235e38f" if single else "-1.7976931348623157e308",
        constants=tables,
        cast="" if single else "(double){0}",
        returned="",
    )


def dialect(real: str) -> Dialect:
    """Return C that computes in `double` or in `float`."""
    single = real == "float"
    return Dialect(
        name="c",
        suffix=".c",
        comment="//",
        reserved=RESERVED,
        standing=STANDING,
        infix=_infix("f" if single else ""),
        routine=braced(
            f"static inline {real} {{0}}({{1}}) {{{{",
            f"{real} {{0}}",
            f"const {real} {{0}} = {{1}};",
            "return {0};",
        ),
        let=f"const {real} {{0}} = {{1}};",
        set="{0} = {1};",
        said=SAID,
        predict=(f"void {{name}}(const {real} *{{x}}, {real} *{{y}}) {{{{",),
        returned="",
        joint=" : ",
        layers=_loops(real, replace(DOUBLES, types=("float", "double"), single=single)),
        before=BEFORE.replace("real", real),
        helpers={"max": LARGER, "min": SMALLER} | ({"tanh": FLOAT_TANH} if single else {}),
        narrow="{0}f",
        unused="(void){0};",
        imported=("for (", VECTORS),
        single=single,
        further='#ifdef __cplusplus\nextern "C"\n#endif\n{0};\n',
        several=Several(
            opening=(f"void {{name}}(const {real} *{{x}}, {{stated}}) {{{{",),
            said="{results} of {given}: {x} holds {inputs}, {takes}; matrices are written row by row.",
            result=f"{real} *{{0}}",
            place="{0}[{2}]",
        ),
    )  # fmt: skip


REALS = {"float64": "double", "float32": "float"}
DIALECTS = {dtype: dialect(real) for dtype, real in REALS.items()}


def write(program: Program, options: Options) -> str:
    """Write a Program as C, with a test of recorded answers if there are any."""
    text = written(DIALECTS[options.dtype], program, options)
    return text if options.recorded is None else text + _test(program, options, options.recorded)


def _test(program: Program, options: Options, recorded: Recorded) -> str:
    arrays = {"recorded_x": recorded.x, "recorded_y": recorded.y, "allowed": recorded.allowed}
    tables = DOUBLES([Constant(name, data) for name, data in arrays.items()])
    dialect = DIALECTS[options.dtype]
    return TEST.format(
        tables="\n".join(flat(tables, dialect)),
        by=escaped(recorded.by),
        samples=len(recorded.x),
        real=REALS[options.dtype],
        **{key: value for key, value in fields_of(program, options).items() if key not in ("x", "y")},
    )


def header(program: Program, options: Options) -> str:
    """Write the file that declares the function for others."""
    openings = re.findall(
        r"^(void \w+\([^)]*\)) \{$", write(program, replace(options, recorded=None)), re.MULTILINE
    )
    further = "".join(f"{opening};\n" for opening in openings[1:])
    program, _ = identifiers(DIALECTS[options.dtype], program, options)
    fields = fields_of(program, options) | {"further": further}
    return HEADER.replace("real", REALS[options.dtype]).format(**fields)


_PLAIN = emitter_of(DIALECTS["float64"])
EMITTER = replace(_PLAIN, write=write, options=_PLAIN.options | {"dtype", "recorded"}, header=header)
