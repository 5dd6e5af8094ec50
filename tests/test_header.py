"""Headers: what is written is read back, and nothing in a file's name gets out of its comment."""

from __future__ import annotations

import json
import re
import tokenize
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import dense

from nn2eq import __version__
from nn2eq.emit import LANGUAGES, emit, emitter
from nn2eq.emit.header import Header, escaped, lines, read_header, unescaped, with_header
from nn2eq.forms.straight import layered
from nn2eq.proof.runners import run

HEADER = Header(
    model="model.keras", sha256="9c" * 32, language="numpy", form="matrix", name="predict",
    checks=("text and network agree", "Keras and network agree"), notes=("numbers rounded to 4 digits",),
)  # fmt: skip
HOSTILE = (
    "a'b.h5", "*/ int x; /*", "--> <script>", "-- --", "a\nimport os\n#", "a\r\nb", "\u202egnp.h5", "\u2028x",
    "x\x00y", "?\u003f/", "end\\", "coding: utf-7", "coding=utf7", "vim: set ft=x", "'''", '"""', "]]>", "${x}",
    "\\input{/etc/passwd}", "^^Mx", "\udc80", "ſK", " leading and trailing ", "",
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_header_is_read_back(language: str) -> None:
    header = replace(
        HEADER, language=language, fold=False, digits=4, tolerance=1e-3, domain=((-1.0, 0.1), (0.0, 1e300))
    )
    text = with_header('{"nn2eq": 1}' if emitter(language).comment == "" else "text\n", header)
    assert read_header(text) == replace(header, version=__version__)


texts = st.text(st.characters(), max_size=60)


@given(texts, texts, st.lists(texts, max_size=3), st.sampled_from(sorted(LANGUAGES)))
def test_whatever_is_in_it(model: str, note: str, checks: list[str], language: str) -> None:
    header = replace(HEADER, model=model, language=language, notes=(note,), checks=tuple(checks))
    found = read_header(with_header('{"a": 1}' if emitter(language).comment == "" else "x", header))
    expected = model.rsplit("/", maxsplit=1)[-1]
    assert found == replace(header, model=expected, version=__version__)


@given(st.text(max_size=80))
def test_escaping_is_undone_and_is_one_line_of_ascii(text: str) -> None:
    found = escaped(text)
    assert unescaped(found) == text
    assert found.isascii()
    assert found == found.strip()
    assert not text or found.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_breaks_out_of_a_comment(text: str) -> None:
    for line in lines(replace(HEADER, model=text, notes=(text,), checks=(text,))):
        assert line.isascii()
        assert line.isprintable()
        assert not line.endswith("\\")
        for end in ("*/", "/*", "-->", "--", "?" + "?"):
            assert end not in line
        assert not re.search(r"coding[:=]", line)


@pytest.mark.parametrize("text", HOSTILE)
def test_python_with_a_hostile_header_is_still_utf8_and_runs(text: str) -> None:
    network = dense((2, 3, 1), ("tanh", "linear"))
    program = with_header(emit(layered(network), "numpy"), replace(HEADER, model=text, notes=(text,)))
    assert tokenize.detect_encoding(BytesIO(program.encode()).readline)[0] == "utf-8"
    x = samples_of_two()
    assert run("numpy", program, x).outputs.shape == (5, 1)


def samples_of_two():  # type: ignore[no-untyped-def]
    import numpy as np

    return np.ones((5, 2))


def test_in_json_it_is_the_first_member() -> None:
    text = with_header('{"nn2eq": 1, "steps": [2, 3]}', replace(HEADER, language="json"))
    found = json.loads(text)
    assert next(iter(found)) == "header"
    assert found["steps"] == [2, 3]
    assert found["header"][0].startswith("nn2eq ")
    assert json.loads(with_header("{}", replace(HEADER, language="json"))).keys() == {"header"}


def test_it_is_found_below_a_first_line_and_after_editing() -> None:
    text = with_header("x = 1\n", replace(HEADER, digits=4))
    assert read_header("#!/usr/bin/python\n" + text) is not None
    edited = text.replace("digits: 4", "digits: four").replace("# check", "# my own remark\n# check", 1)
    found = read_header(edited)
    assert found is not None
    assert found.digits == 0
    assert found.checks == HEADER.checks


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1",
        "# nn2eq",
        "# nn2eq 1: something else",
        "{",
        '{"header": 1}',
        '{"header": ["x"',
        "\x00" * 99,
    ],
)
def test_a_text_without_a_header_has_none(text: str) -> None:
    assert read_header(text) is None
