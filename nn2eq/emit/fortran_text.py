"""Fortran 2008: a module with a pure function."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.code.arrays import Arrays
from nn2eq.emit.code.dialect import Dialect, Lines, Routine, Several
from nn2eq.emit.code.helpers import EXPM1, LOG1P
from nn2eq.emit.code.stacks import Stacks
from nn2eq.emit.code.tables import broken, rows
from nn2eq.emit.code.text import emitter_of
from nn2eq.emit.printing import COMPARE, Infix, number
from nn2eq.forms.program import Constant

# No word of Fortran is reserved, but a name hides the function or the type that is called the same.
RESERVED = frozenset(
    """
    abs dp erf exp expm1 log log10 log1p matmul max maxval merge min real size sp sqrt sum tanh result pure elemental
    """.split()
)
# A function that is called as an intrinsic one hides it, of which compilers warn; `main` is what C starts.
STANDING = frozenset(
    """
    main achar acos acosh adjustl adjustr aimag aint all allocated anint any asin asinh associated atan atan2
    atanh bessel_j0 bessel_j1 bessel_jn bessel_y0 bessel_y1 bessel_yn bge bgt bit_size ble blt btest ceiling
    char cmplx command_argument_count conjg cos cosh count cpu_time cshift date_and_time dble digits dim
    dot_product dprod dshiftl dshiftr eoshift epsilon erfc erfc_scaled exit exponent extends_type_of findloc
    floor fraction gamma get_command get_environment_variable huge hypot iachar iall iand iany ibclr ibits ibset
    ichar ieor image_index index int ior iparity is_iostat_end is_iostat_eor ishft ishftc kind lbound leadz len
    len_trim lge lgt lle llt log_gamma logical maskl maskr maxexponent maxloc merge_bits minexponent minloc
    minval mod modulo move_alloc mvbits nearest new_line nint norm2 not null num_images pack parity popcnt
    poppar precision present product radix random_number random_seed range rank repeat reshape rrspacing
    same_type_as scale scan selected_int_kind selected_real_kind set_exponent shape shifta shiftl shiftr sign
    sin sinh spacing spread storage_size system system_clock tan this_image tiny trailz transfer transpose trim
    ubound unpack verify
    """.split()
)
FUNCTIONS = {
    **{name: f"{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "abs", "erf")},
    "max": "max({0}, {1})", "min": "min({0}, {1})", "where": "merge({1}, {2}, {0})",
    "sum": "sum({0})", "largest": "maxval({0})", "each": "[({0}, {1} = 1, size(z))]",
}  # fmt: skip
IN_STATEMENT = 1_000
"""Numbers that one `data` statement holds: a statement may have 255 lines, and a line eight numbers and more."""
BEFORE = """\
module {name}_module
  use, intrinsic :: iso_fortran_env, only: sp => real32, dp => real64
  implicit none
  private
  public :: {names}

"""


def elemental(of: Routine) -> Lines:
    """Write a function of numbers."""
    names = [*(name for name, _ in of.lets), "a"]
    lines: Lines = [
        f"real(dp), intent(in) :: {', '.join(of.arguments)}",
        f"real(dp) :: {', '.join(names)}",
        *(f"{name} = {text}" for name, text in of.lets),
        f"a = {of.answer}",
    ]
    return [f"elemental function {of.name}({', '.join(of.arguments)}) result(a)", lines, "end function"]


def of_group(of: Routine) -> Lines:
    """Write a function of a group of numbers."""
    group, *others = of.arguments
    lines: Lines = [
        f"real(dp), intent(in) :: {', '.join([f'{group}(:)', *others])}",
        f"real(dp) :: a({of.size})",
    ]
    if of.lets:
        lines.append(f"real(dp) :: {', '.join(name for name, _ in of.lets)}")
    if of.indices:
        lines.append(f"integer :: {', '.join(of.indices)}")
    lines += [*(f"{name} = {text}" for name, text in of.lets), f"a = {of.answer}"]
    return [f"pure function {of.name}({', '.join(of.arguments)}) result(a)", lines, "end function"]


def tables(constants: list[Constant]) -> Lines:
    """Write arrays of numbers, column by column as they lie in memory."""
    return [line for constant in constants for line in _table(constant)]


def _table(constant: Constant) -> Lines:
    data = constant.data
    columns = rows(*_literals(data.T))
    shape = ", ".join(str(size) for size in data.shape)
    lines: Lines = [f"real(dp), save :: {constant.name}({shape})"]
    if data.size <= IN_STATEMENT:
        return [*lines, *_data(constant.name, ", ".join(columns))]
    for unit, column in enumerate(columns, start=1):
        parts = [column] if data.shape[0] <= IN_STATEMENT else list(_parts(column.split(", ")))
        for k, part in enumerate(parts):
            first = k * IN_STATEMENT
            place = f"{first + 1}:{min(first + IN_STATEMENT, data.shape[0])}" + (
                f", {unit}" if data.ndim == 2 else ""
            )
            lines += _data(f"{constant.name}({place})", part)
    return lines


def _parts(numbers: list[str]) -> Iterator[str]:
    """Yield as many numbers at a time as a statement takes."""
    for start in range(0, len(numbers), IN_STATEMENT):
        yield ", ".join(numbers[start : start + IN_STATEMENT])


def _literals(data: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Return numbers as they are to be written, and their kind: subnormal ones of float32 are none to gfortran."""
    size = np.abs(data)
    is_single = data.dtype == np.float32 and not np.any((size > 0) & (size < np.finfo(np.float32).tiny))
    return (data, "_sp") if is_single else (data.astype(np.float64), "_dp")


def coefficients(data: NDArray[Any]) -> list[str]:
    """Write the numbers of a vector, each as a term of a formula."""
    return rows(*_literals(data))[0].split(", ")


def _data(place: str, numbers: str) -> Lines:
    lines = broken(f"{numbers} /")
    return [f"data {place} / &", [*(f"{line} &" for line in lines[:-1]), lines[-1]]]


def result(array: str, shape: tuple[int, ...], rows: tuple[int, ...]) -> str:
    """Write an assignment to an array of the caller's: outputs by inputs, or all second derivatives in one row."""
    if len(shape) == 2 and not rows:
        return f"{array}({'1, :' if shape[0] == 1 else ':, 1'}) = {{0}}"
    if len(shape) == 3 and rows:
        return f"{array} = reshape(transpose({{0}}), [{math.prod(shape)}])"
    return f"{array} = {{0}}"


def of_stacks(of: Routine) -> Lines:
    """Write a function of stacked groups, for each of them."""
    first, *_ = of.arguments
    lines: Lines = [
        f"real(dp), intent(in) :: {', '.join(f'{name}(:, :)' for name in of.arguments)}",
        f"real(dp) :: {', '.join([f'slopes(size({first}, 1), {of.size})', *(name for name, _ in of.lets)])}",
        f"integer :: {', '.join(('r', *of.indices))}",
        f"do r = 1, size({first}, 1)",
        [*(f"{name} = {text}" for name, text in of.lets), f"slopes(r, :) = {of.answer}"],
        "end do",
    ]
    return [f"pure function {of.name}({', '.join(of.arguments)}) result(slopes)", lines, "end function"]


STACKS = Stacks(
    transposed="transpose({0})",
    flat="reshape({0}, [{1}])",
    sampled="{0}",
    across="spread({0}, 1, {1})",
    alone="{0}",
    repeated="spread({0}, 1, {1})",
    tiled="reshape(spread({0}, 2, {1}), [{1} * {2}, {3}])",
    stretched="reshape(spread({0}, 1, {1}), [{1} * {2}, {3}])",
    turned="transpose({0})",
    filled="spread(spread({0}, 1, {2}), 1, {1})",
    part="{0}(:, {1}:{2})",
    rows="{0}({1}:{2}, :)",
    routine=of_stacks,
    vector="reshape({0}, [{1}])",
    own="{0}(r, :)",
    unit="{1}(r, {0})",
    each="[({0}, {1} = 1, {2})]",
)
DIALECT = Dialect(
    name="fortran",
    suffix=".f90",
    comment="!",
    reserved=RESERVED,
    standing=STANDING,
    infix=Infix(FUNCTIONS, number=lambda value: f"{number(value)}_dp", sign=COMPARE),
    routine=elemental,
    let="{0} = {1}",
    set="{0} = {1}",
    item="{0}({1})",
    first=1,
    said="{answers} of {given}.",
    predict=(
        "pure function {name}({x}) result({y})",
        "real(dp), intent(in) :: {x}({inputs})",
        "real(dp) :: {y}({outputs})",
    ),
    returned="",
    layers=Arrays(
        product="matmul({0}, {1})",
        scaled="{0} * {1}",
        part="{0}({1}:{2})",
        into="{0}({1}:{2})",
        chosen="{0}([{1}])",
        empty="",
        routine=of_group,
        unit="{1}({0})",
        halves=("z(:size(z)/2)", "z(size(z)/2 + 1:)"),
        count="size(z)",
        constants=tables,
        declared="{0}({1})",
        stacks=STACKS,
        result=result,
    ),
    end="end function",
    before=BEFORE,
    between="contains",
    after="end module\n",
    inside=1,
    indent="  ",
    continuation=" &",
    helpers={"expm1": EXPM1, "log1p": LOG1P},
    numbers=coefficients,
    declared="real(dp) :: {0}",
    longest=24_000,
    caseless=True,
    several=Several(
        opening=("pure subroutine {name}({x}, {results})", "real(dp), intent(in) :: {x}({inputs})"),
        said="{results} of {given}.",
        result="{0}({2})",
        declared="real(dp), intent(out) :: {0}",
        place="{0}({1})",
        end="end subroutine",
    ),
)

EMITTER = emitter_of(DIALECT)
