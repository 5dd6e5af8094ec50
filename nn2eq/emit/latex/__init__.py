"""LaTeX: equations for a paper, in numbers or in symbols, of which every digit can be read back."""

from __future__ import annotations

from nn2eq.emit import Emitter
from nn2eq.emit.latex.document import fill, write
from nn2eq.emit.latex.functions import by_options

EMITTER = Emitter(
    name="latex",
    suffix=".tex",
    comment="%",
    layouts=("nested", "layered", "matrix", "symbolic", "backprop"),
    write=write,
    spelling=by_options,
    options=frozenset({"name", "activations", "digits", "standalone", "numbers", "latex_names"}),
    for_people=True,
    fill=fill,
    fractions=True,
    derivatives=("layered",),
    merged=True,
)
