"""Judging a stranger's text: what is not allowed does not run, what runs is limited, what differs is named."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import dense, row

import nn2eq
from nn2eq.activations import ROWS
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit, emitter
from nn2eq.emit.header import Header, with_header
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, Disagreement, Nn2eqError
from nn2eq.forms.rounded import rounded
from nn2eq.forms.size import require_at_most
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.forms.taylor import taylor
from nn2eq.network import Source
from nn2eq.proof.allow import DIALECTS, require_allowed
from nn2eq.proof.check import check
from nn2eq.proof.child import run_limited
from nn2eq.proof.judge import judge, recognised
from nn2eq.reading.limits import Limits

NETWORK = replace(dense((2, 4, 2), ("tanh", "linear")), source=Source("m.h5", "ab" * 32))
X = np.random.default_rng(0).normal(size=(4, 2))
SHORT = Limits(wall=30.0, cpu=2, memory=1 << 30)


def header(language: str, **more: object) -> Header:
    return replace(Header("m.h5", "ab" * 32, language, "layered", "predict"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["numpy", "python", "sympy", "json", "latex"])
def test_our_own_texts_are_judged_by_their_headers(language: str) -> None:
    agreement = judge(NETWORK, with_header(emit(layered(NETWORK), language), header(language)))
    assert agreement.holds, agreement.line()
    assert agreement.note == ""


@pytest.mark.parametrize("language", ["numpy", "python", "sympy", "latex"])
def test_a_text_without_a_header_is_recognised(language: str) -> None:
    text = emit(layered(NETWORK), language)
    assert recognised(text) == language
    assert judge(NETWORK, text).holds
    with pytest.raises(BadRequest, match="text-unknown"):
        recognised("to be or not to be")


def test_the_library_judges_as_the_command_does() -> None:
    short = convert(NETWORK, Request("numpy", "taylor", shape={"order": "3", "domain": "-1:1"})).text
    assert nn2eq.check(NETWORK, short).holds
    assert not nn2eq.check(
        NETWORK, emit(taylor(NETWORK, 3, at=(0.0, 0.0)), "numpy")
    ).holds  # it has no header
    with pytest.raises(BadRequest, match="not-run"):
        nn2eq.check(NETWORK, emit(layered(NETWORK), "c"))
    with pytest.raises(BadRequest, match="whose language is said"):
        nn2eq.check(NETWORK, short, digits=3)


def test_the_library_starts_a_program_if_asked(tool: Callable[[str], str]) -> None:
    tool("Rscript")
    assert nn2eq.check(NETWORK, emit(layered(NETWORK), "r"), run=True).holds


def test_what_a_network_and_a_program_are_is_said_in_a_line() -> None:
    assert repr(NETWORK) == "<Network 'm.h5': 2 -> 2, 2 layers, 0 parameters>"
    assert repr(layered(NETWORK)) == "<Program of 'm.h5': layered form, 2 -> 2>"


def test_another_model_in_the_header_is_said_and_not_fatal() -> None:
    agreement = judge(
        NETWORK, with_header(emit(layered(NETWORK), "numpy"), header("numpy", sha256="cd" * 32))
    )
    assert agreement.holds
    assert "another model" in agreement.line()


def test_an_edited_digit_is_found_and_its_unit_named() -> None:
    text = with_header(emit(layered(NETWORK), "numpy"), header("numpy"))
    line = next(line for line in text.splitlines() if line.strip().startswith("z1_3 ="))
    agreement = judge(NETWORK, text.replace(line, line + " + 1e-7"))
    assert not agreement.holds
    assert agreement.unit.startswith("z1_3")
    assert "z1_3" in agreement.where()


def test_another_name_of_the_function() -> None:
    text = emit(layered(NETWORK), "numpy", Options(name="f"))
    assert judge(NETWORK, text, name="f").holds
    assert judge(NETWORK, with_header(text, header("numpy", name="f"))).holds
    with pytest.raises(Disagreement, match="predict"):
        judge(NETWORK, text)


def test_rounded_texts_are_judged_by_their_digits() -> None:
    text = emit(rounded(layered(NETWORK), 4), "numpy")
    agreement = judge(NETWORK, with_header(text, header("numpy", digits=4)))
    assert agreement.holds
    assert agreement.cost is not None
    assert agreement.cost > 0
    assert not judge(NETWORK, with_header(text, header("numpy", digits=5))).holds
    assert not judge(NETWORK, text).holds


def test_a_taylor_text_without_a_box_is_held_to_its_form() -> None:
    program = taylor(NETWORK, 3, at=(0.5, -1.0))
    told = header("numpy", form="taylor", told=(("order", "3"), ("at", "0.5, -1.0")))
    text = emit(program, "numpy")
    assert judge(NETWORK, with_header(text, told)).holds
    other = header("numpy", form="taylor", told=(("order", "3"), ("at", "0.5, -0.9")))
    assert not judge(NETWORK, with_header(text, other)).holds


def test_a_bound_that_does_not_hold_is_caught() -> None:
    program = taylor(NETWORK, 2, domain=(-1.0, 1.0), seconds=1.0)
    assert program.observed <= program.proved
    assert check(NETWORK, emit(program, "numpy"), "numpy", program=program).holds
    planted = replace(program, proved=program.observed / 2)
    with pytest.raises(Disagreement, match="was said to be proved"):
        check(NETWORK, emit(planted, "numpy"), "numpy", program=planted)
    text = emit(program, "numpy")
    honest = header("numpy", form="taylor", domain=program.domain, proved=program.proved)
    assert judge(NETWORK, with_header(text, honest)).holds
    assert not judge(NETWORK, with_header(text, replace(honest, proved=program.observed / 2))).holds


def test_approximate_texts_are_judged_on_their_box_by_their_tolerance() -> None:
    text = emit(layered(NETWORK), "numpy").replace("return y if", "y = y + 1e-4\n    return y if")
    box = ((-1.0, 1.0), (-2.0, 2.0))
    assert judge(NETWORK, with_header(text, header("numpy", tolerance=2e-4, domain=box))).holds
    assert not judge(NETWORK, with_header(text, header("numpy", tolerance=5e-5, domain=box))).holds
    with pytest.raises(BadRequest, match="text-domain"):
        judge(NETWORK, with_header(text, header("numpy", tolerance=2e-4, domain=box[:1])))


# ---------------------------------------------------------------------------------------------- what may be done


@pytest.mark.parametrize("name", [name for name, kind in sorted(ROWS.items()) if not kind.transform])
@pytest.mark.parametrize("language", sorted(DIALECTS))
def test_the_list_allows_all_that_we_write(name: str, language: str) -> None:
    network = (
        dense((2, 4, 4, 2), (name, name, "linear"))
        if not row(name).row.halves
        else dense((2, 4, 2), (name, "linear"))
    )
    written = 0
    for form in (matrix, layered, nested):
        for options in (Options(), Options(activations="explicit")):
            try:
                program = form(network)
                require_at_most(program, 10_000, emitter(language).spelling(options))
                text = emit(program, language, options)
            except Nn2eqError:  # too large, or a form or an option that the language cannot say
                continue
            require_allowed(text, language)
            written += 1
    assert written


def body(line: str) -> str:
    return f"import numpy as np\n\n\ndef predict(x):\n    {line}\n"


NASTY = {
    "import": "import os",
    "import of a part": "from numpy import load",
    "import of another's part": "from numpy.lib import format",
    "import from here": "from . import secret",
    "import under another name": "from numpy import abs as load",
    "open": "return open(__file__)",
    "eval": "return eval('1')",
    "exec": "exec('import os')",
    "compile": "return compile('1', '', 'eval')",
    "getattr": "return getattr(x, 'T')",
    "dunder attribute": "return x.__class__.__base__.__subclasses__()",
    "dunder name": "return __import__('os')",
    "builtins": "return __builtins__",
    "globals": "return globals()",
    "file of numpy": "return np.load('/etc/passwd')",
    "saving": "np.save('CANARY', x)",
    "method that writes": "x.tofile('CANARY')",
    "method that dumps": "x.dump('CANARY')",
    "memory map": "return np.memmap('CANARY', mode='w+')",
    "module by another name": "m = np\n    return m.load('x')",
    "module handed on": "return list(map(len, [np]))",
    "submodule": "return np.lib.format.read_array",
    "frompyfunc": "return np.frompyfunc(abs, 1, 1)",
    "lambda": "return (lambda: x)()",
    "while": "while True:\n        x = x",
    "class": "class A:\n        y = 1",
    "with another thing": "with open('x') as f:\n        return f",
    "try": "try:\n        return x\n    except ValueError:\n        return 0",
    "global": "global np",
    "del": "del x",
    "yield": "yield x",
    "walrus": "return (y := x)",
    "dictionary": "return {'a': x}",
    "star-star": "return np.sum(x, **y)",
    "bytes": "return b'abc'",
    "text": "return 'abc'",
    "text into a function": "return np.abs('abc')",
    "f-string": "return f'{x}'",
    "format": "raise ValueError(f'{x:>1000000000}')",
    "huge integer": "return 10000000000000000000000000000",
    "redefined builtin": "float = x\n    return float('1')",
    "redefined module": "np = x\n    return np",
    "async": "async def f():\n        return 1",
    "decorator": "def f():\n        return 1\n    f.attribute = 1",
    "annotation": "def f(y: open):\n        return 1",
}


@pytest.mark.parametrize("what", NASTY)
def test_the_list_refuses(what: str) -> None:
    with pytest.raises(BadRequest, match=r"text-refused|text-syntax"):
        require_allowed(body(NASTY[what]), "numpy")


CODE = "__import__('os').mkdir('CANARY')"


@pytest.mark.parametrize(
    "line",
    [
        f'y = sp.exp("{CODE}")', f'y = sp.Symbol("{CODE}").subs("{CODE}", 1)', f'y = sp.symbols("{CODE}", cls=sp.exp)',
        f'def Symbol(t):\n    return sp.exp(t)\ny = Symbol("{CODE}")', f'y = sp.S("{CODE}")',
        f'y = sp.sympify("{CODE}")',
        f'def f(Symbol):\n    return Symbol("{CODE}")\ny = f(sp.exp)', f'y = sp.exp(ValueError("{CODE}"))',
        f'y = sp.lambdify([], "{CODE}")', f'from sympy import exp as Symbol\ny = Symbol("{CODE}")',
        f'y = sp.Matrix("{CODE}")', f'y = sp.exp(f"{CODE}")', f'y = [t("{CODE}") for t in [sp.exp]]',
    ],
)  # fmt: skip
def test_no_text_reaches_what_takes_it_for_code(line: str) -> None:
    with pytest.raises(BadRequest, match="text-refused"):
        require_allowed(f"import sympy as sp\n{line}\n", "sympy")


def test_what_is_refused_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line in ("np.save('CANARY', x)", "x.tofile('CANARY')", "open('CANARY', 'w')"):
        with pytest.raises(BadRequest):
            judge(NETWORK, body(line))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("return 9 ** 9 ** 9 ** 9", "too much time"),
        ("return sum([1 for i in range(10 ** 12)])", "too much time"),
        ("return [0] * 10 ** 11", "MemoryError"),
        ("return np.zeros((10 ** 6, 10 ** 6))", "MemoryError"),
        ("return predict(x)", "RecursionError"),
        ("return y", "NameError"),
        ("return np.fromstring('1,2', sep=',') @ x", "ValueError"),
    ],
)
def test_the_child_is_limited(line: str, said: str) -> None:
    text = body(line) + "y = 1\ndel_ = 1\n" if "y" not in line else body(line)
    with pytest.raises((Disagreement, BadRequest), match=f"{said}|text-refused"):
        run_limited("numpy", text, X, limits=SHORT)


def test_the_clock_is_a_limit_too() -> None:
    with pytest.raises(Disagreement, match="takes longer than"):
        run_limited("numpy", body("return 9 ** 9 ** 9 ** 9"), X, limits=replace(SHORT, wall=0.05))


def test_the_child_can_neither_read_nor_write_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even what slipped through the list: the list is switched off here."""
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "sitecustomize.py"
    script.write_text("import nn2eq.proof.allow as a\na.require_allowed = lambda text, language: None\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run_limited("numpy", body("return (lambda: x)()"), X, limits=SHORT).outputs.shape == X.shape
    for line in (
        "np.save('CANARY', x)",
        "open('CANARY', 'w').write('x')",
        "return np.loadtxt('/etc/hostname')",
    ):
        with pytest.raises(Disagreement, match="text-fails"):
            run_limited("numpy", body(line), X, limits=SHORT)
    assert not (tmp_path / "CANARY").exists() or (tmp_path / "CANARY").stat().st_size == 0
    assert not (tmp_path / "CANARY.npy").exists()


def test_a_limited_answer_is_the_answer() -> None:
    answer = run_limited("numpy", emit(layered(NETWORK), "numpy"), X)
    np.testing.assert_allclose(answer.outputs, NETWORK.evaluate(X), rtol=1e-13)
    assert answer.values["z1_1"].shape == (4,)


def test_deep_nesting_is_refused_and_long_sums_are_not() -> None:
    with pytest.raises((BadRequest, Disagreement)):
        run_limited("numpy", body("return " + "(" * 100_000 + "x" + ")" * 100_000), X)
    assert run_limited("numpy", body("return x" + " + 0.0" * 900), X).outputs.shape == X.shape
