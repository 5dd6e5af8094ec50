"""Does a text emitted earlier, edited by hand, or written by someone else say what a network says?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit import emitter
from nn2eq.emit.header import Header, read_header
from nn2eq.emit.names import called
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest
from nn2eq.forms import EXACT, FORMS, STRAIGHT, SYMBOLS
from nn2eq.forms.arguments import read_arguments
from nn2eq.forms.linear import without_activations
from nn2eq.forms.program import Program
from nn2eq.forms.rounded import rounded
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.proof.agreement import Agreement
from nn2eq.proof.approximate import by_bound, expect_program
from nn2eq.proof.backward import check_backward, noted
from nn2eq.proof.check import compare_answer, expect, rounded_on_purpose
from nn2eq.proof.child import run_limited
from nn2eq.proof.derivatives import first, with_derivatives
from nn2eq.proof.expected import Expected
from nn2eq.proof.gradients import gradients_agree
from nn2eq.proof.runners import Answer, run, takes_another
from nn2eq.surroundings import as_told

Array = NDArray[np.float64]

SIGNS: Mapping[str, str] = {
    "json": r"\s*\{",
    "html": r"(?i)<!doctype html>",
    "mathml": r"<math[ >]",
    "markdown": r"(?m)^\$\$$",
    "excel": r"PK\x03\x04",
    "latex": r"\\(begin|frac|tanh|operatorname|left|times|sigma|documentclass)\b",
    "sympy": r"(?m)^(import|from) sympy\b",
    "casadi": r"(?m)^import casadi\b",
    "pyomo": r"(?m)^from pyomo\.environ import\b",
    "numpy": r"(?m)^(import|from) numpy\b",
    "python": r"(?m)^def \w+\(",
    "c": r"(?m)^#include <math\.h>$",
    "javascript": r"(?m)^export function \w+\(",
    "rust": r"(?m)^pub fn \w+\(",
    "java": r"(?m)^(public )?(final )?class \w+ \{",
    "go": r"(?m)^package \w+$",
    "fortran": r"(?im)^module \w+$",
    "octave": r"(?m)^function (\w+|\[[\w, ]+\]) = \w+\(",
    "r": r"(?m)^\w+ <- (local|function)\(",
    "smtlib": r"(?m)^\(set-logic \w+\)$",
    "sql": r"(?m)^WITH \w+ AS ",
    "excel-formula": r"(?m)^=[-+(\w]",
    "typst": r"(?m)^\$ .* &= ",
    "unicode": r"(?m)^ *\w[^\n]*[₀-₉·√][^\n]*= ?",
}
"""What a text without a header is recognised by, the first sign that is found."""


def judge(
    network: Network,
    text: str | bytes,
    *,
    language: str = "",
    name: str = "",
    data: Array | None = None,
    outside: bool = False,
) -> Agreement:
    """Compare a stranger's text with the network; it is looked at first, and run in a limited child.

    language, name (of its function): what the text's header says, if they are left out. Exact texts are
    judged by 1e-12, those that say they are approximate by what they say. outside: whether compilers and the
    like may run it, in its language and unlimited, if that is what it takes. Raises BadRequest if the text
    cannot be recognised, holds what our texts do not, or may not be run, Disagreement if it fails.
    """
    header = _header(text, language, outside)
    language = language or header.language
    network, around = as_told(network, header.around)
    network = without_activations(network) if header.linear else network
    if dict(header.told).get("symbols") != "only":
        network.require_numbers("judging numbers")
    program = _program(network, header)
    _require_allowed(language, text, outside)
    runner = partial(run if takes_another(language, text) else run_limited, language)
    name = name or header.name or "predict"
    if program.training is not None:
        function = called(program.training.function, Options(name=name))
        found = gradients_agree(network, str(text), program.training, function, runner)
    elif program.layout == "backprop":
        found = check_backward(network, str(text), language, program, runner, name, data)
    else:
        found = _judged(network, text, header, program, runner, (language, name), data)
    notes = filter(None, (found.note, around, _other_model(network, header)))
    return replace(found, note="; ".join(notes))


def _judged(
    network: Network,
    text: str | bytes,
    header: Header,
    program: Program,
    runner: Callable[[Any, Array, str], Answer],
    called: tuple[str, str],
    data: Array | None,
) -> Agreement:
    """Run a text of the network, and compare; called: the text's language, and its function."""
    language, name = called
    expected = _expected(network, header, data)
    if header.digits and header.form in ("", *EXACT, "symbolic") and header.proved is None:
        program = program if _is_in_symbols(header) else rounded(program, header.digits)
        expected = rounded_on_purpose(network, program, expected, header.digits)
    filled = emitter(language).fill(text, program) if isinstance(text, str) else text
    answer = runner(filled, expected.x, first(program, language, name))
    agreement = noted(
        compare_answer(expected, answer, program, language), network if filled != text else None
    )
    if agreement.holds and len(program.functions) > 1:
        return with_derivatives(
            agreement, network, program, language, lambda x, function: runner(text, x, function), expected.x,
            name=name, unit=expected.unit, exact=not header.digits,
        )  # fmt: skip
    return agreement


def _header(text: str | bytes, language: str, outside: bool) -> Header:
    """Return the header of a text, or of a file, which is opened only if it may be run too."""
    if isinstance(text, str):
        return read_header(text) or Header(language=language or recognised(text))
    language = language or recognised(text[:4].decode("latin-1"))
    _require_allowed(language, text, outside)
    from nn2eq.proof.run_excel import said

    return read_header(said(text)) or Header(language=language)


def _require_allowed(language: str, text: str | bytes, outside: bool) -> None:
    if takes_another(language, text) and not outside:
        what = f"a text in {language} is compiled and run only on request"
        raise BadRequest(what, code="not-run", way_out="read it, since nothing limits it, then give --run")


def recognised(text: str) -> str:
    """Return the language that a text without a header is in. Raises BadRequest if nothing tells."""
    for language, sign in SIGNS.items():
        if re.match(sign, text) or (language != "json" and re.search(sign, text)):
            return language
    raise BadRequest(
        "no nn2eq header, and the language is not recognised",
        code="text-unknown",
        way_out="give --format LANGUAGE",
    )


def _other_model(network: Network, header: Header) -> str:
    if header.sha256 in ("", network.source.sha256):
        return ""
    return f"its header names another model file (sha256 {header.sha256[:12]}...)"


def _expected(network: Network, header: Header, data: Array | None) -> Expected:
    """Return what a text must answer by what its header says: it is exact, within a bound, or a known form."""
    if header.domain and len(header.domain) != network.inputs:
        what = f"its header names a box of {len(header.domain)} inputs"
        raise BadRequest(what, code="text-domain", way_out=f"this network has {network.inputs}")
    bound = header.tolerance if header.proved is None else header.proved
    if bound is not None and header.domain:
        return by_bound(network, header.domain, bound, data)
    if header.told and header.form in FORMS and not (_is_in_symbols(header) or _has_functions(header)):
        return expect_program(network, _rebuilt(network, header), data)
    return expect(network, data, dtype=header.dtype, domain=header.domain)


def _is_in_symbols(header: Header) -> bool:
    """Whether a text is the network itself, exactly, in symbols that its form was told."""
    return header.form in FORMS and bool(set(SYMBOLS) & {name for name, _ in header.told})


def _program(network: Network, header: Header) -> Program:
    """Return what a text is to say: the network, with its derivatives or in the symbols that its header tells of."""
    if _is_in_symbols(header) or _has_functions(header) or _is_backward(header):
        return _rebuilt(network, header)
    if header.digits and header.form in set(EXACT) - set(STRAIGHT):  # rounded in that form, on that box
        return FORMS[header.form].build(network, domain=header.domain or None)
    return matrix(network, fold=header.fold)


def _has_functions(header: Header) -> bool:
    """Whether a text has functions beside the first."""
    row = FORMS.get(header.form)
    return row is not None and not row.layout and "at" not in dict(header.told)


def _is_backward(header: Header) -> bool:
    """Whether a text is of a backward pass."""
    return header.form in FORMS and FORMS[header.form].layout == "backprop"


def _rebuilt(network: Network, header: Header) -> Program:
    """Build the form again that a header says its text is; nothing but the form itself tells how exact it must be."""
    names = network.input_labels
    row = FORMS[header.form].for_people(emitter(header.language).for_people)
    takes = row.takes
    told = {name: text for name, text in header.told if name in takes}
    fold = {"fold": header.fold} if "fold" in takes else {}
    program = row.build(network, **read_arguments(told, names), **fold)
    return rounded(program, header.digits) if header.digits else program
