"""Worked examples hold as they are printed, and a person's own answer is told from a mistake, by name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from networks import dense

from nn2eq.cli.terminal import table
from nn2eq.errors import BadRequest
from nn2eq.network import Network
from nn2eq.proof.expectation import expect, read_answers
from nn2eq.proof.mistakes import MISTAKES, mistakes
from nn2eq.proof.trace import trace
from nn2eq.reading import read
from nn2eq.scaling import in_original_units
from nn2eq.show import worked

MODELS = Path(__file__).parent.parent / "models"
CIRCLES = str(MODELS / "dense_2-3-1_sigmoid.keras")
X = np.array([0.3, -1.2])


def networks() -> list[Network]:
    return [
        dense((2, 3, 3, 1), ("tanh", "sigmoid", "linear"), seed=1),
        dense((2, 2, 2, 1), ("tanh", "sigmoid", "linear"), seed=3),
        dense((2, 4, 3), ("relu", "softmax"), seed=2),
        dense((2, 2, 2, 1), ("tanh", "tanh", "linear"), seed=4),
        in_original_units(
            dense((2, 3, 1), ("tanh", "linear")), scale_input="minmax:-3:5", scale_output="standard:4:2"
        ),
    ]


@pytest.mark.parametrize("network", networks())
@pytest.mark.parametrize("digits", [4, 17])
def test_every_sum_holds_as_it_is_printed(network: Network, digits: int) -> None:
    rows = trace(network, X, fold=False)
    for row in rows:
        if row.factors:
            value = eval(worked.text(row, digits))  # numbers, + - * and brackets alone
            size = sum(abs(f.coefficient * f.number) for f in row.factors) + abs(row.offset or 0.0)
            assert abs(value - row.number) <= 3 * size * 10.0 ** (1 - min(digits, 16)), row.name
    answers = [row.number for row in rows[-network.outputs :]]
    assert np.allclose(answers, network.evaluate(X[None])[0], rtol=1e-12)


@pytest.mark.parametrize("network", networks())
def test_latex_says_the_same_numbers(network: Network) -> None:
    rows = trace(network, X)
    text = worked.latex(network, rows, 12)
    whole = text.replace(" \\\\\n&\\quad ", " ")  # a long sum goes on in the next line
    lines = [line for line in whole.splitlines() if "&" in line]
    results = [re.split(r" = | \\approx |&= ", line.removesuffix(r" \\"))[-1] for line in lines]
    numbers = [float(re.sub(r"(?: \\times )?10\^\{(-?\d+)\}", r"e\1", number)) for number in results]
    assert len(numbers) == len(rows)
    assert np.allclose(numbers, [row.number for row in rows], rtol=1e-11)


def test_long_sums_are_cut_in_the_terminal_and_broken_in_latex() -> None:
    rows = trace(dense((30, 2), ("tanh",)), np.ones(30))
    assert worked.text(rows[-4]).count("*") == 4
    assert "..." in worked.text(rows[-4])
    assert worked.latex(dense((30, 2), ("tanh",)), rows).count(r"\cdot") == 60


def test_wide_lines_are_wrapped_on_a_terminal_and_whole_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("z1_1", "-1.5", " + ".join(["0.25*(-0.125)"] * 9), "dense"), ("y", "2", "tanh(1)", "dense")]
    table(("value", "", "filled in", "of"), rows, wrapped=2)
    whole = capsys.readouterr().out
    assert len(whole.splitlines()) == 3
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    table(("value", "", "filled in", "of"), rows, wrapped=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 80
    assert sorted(" ".join(lines).split()) == sorted(whole.split())


def test_hostile_names_stay_words() -> None:
    network = dense((1, 2), ("tanh",))
    rows = [row.__class__("y", "$x$ **b** <script>", 1.0) for row in trace(network, np.ones(1))]
    text = worked.markdown(network, rows)
    assert "<script>" not in text
    assert "**b**" not in text


@pytest.mark.parametrize("style", worked.STYLES)
def test_it_compiles(style: str, tmp_path: Path, tool: Callable[[str], str]) -> None:
    network = networks()[1]
    body = worked.STYLES[style](network, trace(network, X), 6)
    if style == "markdown":
        body = "\n".join(part for part in body.split("$$") if "aligned" in part)
        body = body.replace("{aligned}", "{align*}")
    page = (
        f"\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\begin{{document}}\n{body}\\end{{document}}\n"
    )
    (tmp_path / "page.tex").write_text(page)
    command = [tool("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:]


# ------------------------------------------------------------------------------------------- one's own answer


@pytest.mark.parametrize("make", MISTAKES, ids=lambda make: make.__name__)
def test_every_mistake_is_named(make: Callable[[Network], list[object]]) -> None:
    made = 0
    for network in networks():
        for mistake in make(network):
            wrong = mistake.network.evaluate(X[None])[0]  # type: ignore[attr-defined]
            if np.allclose(wrong, network.evaluate(X[None])[0], rtol=1e-3):
                continue
            made += 1
            verdict = expect(network, X, ",".join(f"{value:.6g}" for value in wrong))
            assert verdict.kind == "error"
            assert mistake.what in verdict.explanations, verdict  # type: ignore[attr-defined]
    assert made


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"first": "sigmoid", "second": "sigmoid"}, "sigmoid is taken for tanh in all layers"),
        ({"first": "none", "second": "none"}, "the activation tanh is forgotten in all layers"),
        ({"last": "tanh"}, "tanh is applied in layer 'dense_2' too, which has no activation"),
        ({"biases": 0.0}, "all biases are forgotten"),
        ({"turned": True}, "all square kernels are transposed"),
        ({"unit": "sigmoid"}, "sigmoid is taken for tanh at unit 2 (z1_2) of layer 'dense_0'"),
    ],
)
def test_what_is_done_wrong_throughout_is_named(wrong: dict[str, object], said: str) -> None:
    """The wrong answers are calculated here by hand, in NumPy."""
    network = dense((2, 2, 2, 1), ("tanh", "tanh", "linear"), seed=6)
    functions = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "none": lambda z: z}
    value = X
    for number, place in enumerate(("first", "second", "last")):
        affine = network.layers[number].maps[0]
        kernel = affine.kernel.T if "turned" in wrong and number < 2 else affine.kernel
        z = value @ kernel + affine.bias * wrong.get("biases", 1.0)
        value = functions[wrong.get(place, "none" if place == "last" else "tanh")](z)
        if place == "first" and "unit" in wrong:
            value[1] = functions["sigmoid"](z[1])
    verdict = expect(network, X, f"{value[0]:.7g}")
    assert verdict.kind == "error"
    assert said in verdict.explanations, verdict


def test_what_no_mistake_explains_is_said() -> None:
    network = networks()[0]
    verdict = expect(network, X, "123.456")
    assert (verdict.kind, verdict.explanations) == ("error", ())
    assert verdict.tried == len(list(mistakes(network)))
    assert "none of" in verdict.lines()[1]


def test_the_same_digits_and_rounding() -> None:
    network = networks()[0]
    number = float(network.evaluate(X[None])[0, 0])
    assert expect(network, X, f"{number:.3f}").kind == "same"
    single = float(np.nextafter(np.float32(number), np.float32(9.0)))
    verdict = expect(network, X, repr(single))
    assert verdict.kind == "rounding"
    assert 0.5 <= verdict.ulps <= 1.5
    assert expect(network, X, repr(number * (1 + 1e-4))).kind == "error"


@pytest.mark.parametrize("text", ["", "a", "nan", "1,2", "q=1", "inf"])
def test_an_answer_that_is_none(text: str) -> None:
    with pytest.raises(BadRequest, match="expect"):
        read_answers(text, ("y",))


def test_on_the_command_line() -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nn2eq", "trace", CIRCLES, "--at", "0.5,1", *args]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run("--expect", "0.0193").returncode == 0
    wrong = run("--expect", "-3.928521")
    assert wrong.returncode == 1
    assert "explained if the activation sigmoid of layer 'dense_1' is forgotten" in wrong.stdout
    found = json.loads(run("--json", "--expect", "-3.928521").stdout)
    assert found["expected"]["kind"] == "error"
    assert {"name", "origin", "value", "sum", "offset"} == set(found["values"][2])
    answer = json.loads(run("--format", "json").stdout)[-1]
    assert np.isclose(answer["value"], read(CIRCLES).evaluate(np.array([[0.5, 1.0]]))[0, 0], rtol=1e-14)
    assert run("-f", "latex").stdout.count(r"\\") == 9
