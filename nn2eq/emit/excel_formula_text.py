"""The formula of one spreadsheet cell for each output: `=` and what follows, of the cells that hold the inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nn2eq.emit import Emitter
from nn2eq.emit.excel_formulas import CELLS, DEEPEST, LONGEST, column, fits, literal, spelled, spelling_of
from nn2eq.emit.header import escaped
from nn2eq.emit.options import Options
from nn2eq.emit.printing import PRODUCT, SIGN, SUM, Text
from nn2eq.emit.scalars import Call, Formula, Sum, unrolled
from nn2eq.errors import CannotEmit, TooLarge
from nn2eq.forms.program import Program

_CELL = re.compile(r"\$?(?:[A-Z]{1,2}|[A-W][A-Z]{2}|X[A-E][A-Z]|XF[A-D])\$?[1-9][0-9]{0,6}")
_ROWS = 1_048_576


def write(program: Program, options: Options) -> str:
    """Write each output as the formula of a cell. Raises CannotEmit, TooLarge for what a cell cannot hold."""
    cells = cells_of(program.inputs)
    texts = {name: Text(cell) for name, cell in zip(program.inputs, cells, strict=True)}
    for _, lines in unrolled(program.predict, spelled):
        for line in lines:
            assert not isinstance(line, Call)  # every activation is written out
            texts[line.out] = text_of(line, texts)
            _require_short(line.out, texts[line.out].text)
    formulas = [f"={texts[name].text}" for name in program.outputs]
    said = f"' {escaped(', '.join(program.outputs))} of {', '.join(cells)}"
    return "\n".join([said, *formulas]) + "\n"


def _require_short(name: str, text: str) -> None:
    """Raise TooLarge as soon as a part of a formula is longer than a cell takes: what is nested grows by products."""
    if not fits(text):
        what = f"the formula of {name!a:.40} has {len(text):,} characters, and a cell takes {LONGEST:,}"
        what += f" and {DEEPEST} functions within functions"
        raise TooLarge(
            what, code="too-large", way_out="use --format excel, a workbook with a cell for each unit"
        )


def cells_of(inputs: Sequence[str]) -> list[str]:
    """Return the cells that inputs are called by, A2, B2 ... where they have no names. Raises CannotEmit."""
    count = len(inputs)
    if tuple(inputs) == (("x",) if count == 1 else tuple(f"x{k}" for k in range(1, count + 1))):
        return [f"{column(index)}2" for index in range(count)]
    for name in inputs:
        if not _CELL.fullmatch(name) or int(re.sub(r"\D", "", name)) > _ROWS:
            what = f"{name!a:.80} is not a cell of a spreadsheet"
            raise CannotEmit(
                what, code="bad-name", way_out="name the cells that hold the inputs: --inputs A2,B2"
            )
    if len({name.replace("$", "") for name in inputs}) < count:
        raise CannotEmit("two inputs are the same cell", code="name-clash", way_out="give each its own")
    return list(inputs)


def text_of(line: Sum | Formula, names: Mapping[str, Text]) -> Text:
    """Write a line, its names being texts."""
    return sum_text(line, names) if isinstance(line, Sum) else CELLS.write(line.node, names)


def sum_text(line: Sum, names: Mapping[str, Text]) -> Text:
    """Write a weighted sum."""
    terms = [
        f"{literal(float(weight))}*{names[name].within(PRODUCT)}"
        for weight, name in zip(line.coefficients, line.names, strict=True)
    ]
    if line.offset is not None or not terms:
        terms.append(literal(0.0 if line.offset is None else float(line.offset[0])))
    text = terms[0] + "".join(f" - {t[1:]}" if t[0] == "-" else f" + {t}" for t in terms[1:])
    return Text(text, SUM if len(terms) > 1 else SIGN if text[0] == "-" else PRODUCT)


EMITTER = Emitter(
    name="excel-formula",
    suffix=".txt",
    comment="'",
    layouts=("nested",),
    default="nested",
    write=write,
    spelling=spelling_of,
    options=frozenset({"digits"}),
    external=True,
)
