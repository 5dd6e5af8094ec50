"""A Program in JSON comes back as it was, and a damaged one does not come back at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from latex_networks import dense, renamed, special

from nn2eq.emit import emit
from nn2eq.emit.header import Header, with_header
from nn2eq.errors import DamagedFile
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.proof.program_json import read_program
from nn2eq.proof.runners import run

SPECIAL = special() | {"named": renamed(dense(3, 2, 2), ("T_in", "x", "e"), ("p_out", "eta"))}


@pytest.mark.parametrize("layout", [nested, layered, matrix])
@pytest.mark.parametrize("case", SPECIAL)
def test_a_program_comes_back(case: str, layout: Callable[..., Any]) -> None:
    program = layout(SPECIAL[case], fold=False)
    read = read_program(emit(program, "json").encode())
    x = np.random.default_rng(0).normal(size=(20, len(program.inputs)))
    assert np.allclose(read.evaluate(x), program.evaluate(x), rtol=1e-14, atol=1e-14)
    assert emit(read, "json") == emit(program, "json")
    assert emit(read, "numpy") == emit(program, "numpy")


def test_it_is_json_that_any_reader_reads() -> None:
    found = json.loads(emit(matrix(dense(2, 3, 1)), "json"))
    assert (found["format"], found["version"]) == ("nn2eq-program", 1)
    (function,) = found["functions"]
    first = function["steps"][0]
    kernel = np.array(first["terms"][0]["matrix"]["data"], dtype=first["terms"][0]["matrix"]["dtype"])
    assert kernel.shape == (2, 3)
    assert function["steps"][1]["formula"] == "tanh(z)"


def test_a_header_comes_first() -> None:
    text = emit(matrix(dense(2, 3, 1)), "json")
    headed = with_header(text, Header(model="m.h5", language="json", form="matrix"))
    assert next(iter(json.loads(headed))) == "header"
    assert emit(read_program(headed), "json") == text


def test_the_formula_in_the_text_is_what_is_evaluated() -> None:
    text = emit(matrix(dense(2, 3, 1)), "json")
    x = np.ones((1, 2))
    changed = run("json", text.replace('"tanh(z)"', '"tanh(z) + 0.001"'), x).outputs
    assert np.abs(changed - run("json", text, x).outputs).max() > 1e-6


Change = Callable[[dict[str, Any]], None]


def steps(found: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = found["functions"][0]["steps"]
    return listed


def put(value: Any, *path: str | int) -> Change:
    """Return the change that puts a value at a place below the steps."""

    def change(found: dict[str, Any]) -> None:
        target: Any = steps(found)
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return change


def top(key: str, value: Any) -> Change:
    return lambda found: found.update({key: value})


DATA = (0, "terms", 0, "matrix", "data")
CHANGES: dict[str, Change] = {
    "another format": top("format", "nn2eq-network"),
    "a higher version": top("version", 2),
    "version as text": top("version", "1"),
    "another layout": top("layout", "spiral"),
    "something more": top("surprise", 1),
    "no functions": top("functions", []),
    "functions as object": top("functions", {}),
    "notes that are numbers": top("notes", [1]),
    "nothing less": lambda found: found.pop("notes"),
    "no steps": lambda found: steps(found).clear(),
    "an unknown step": put("reduce", 0, "step"),
    "a step that is a list": put([], 0, "step"),
    "a missing member": lambda found: steps(found)[0].pop("offset"),
    "a value used before": put("a1", 0, "terms", 0, "arg"),
    "a value that is a number": put(3, 0, "terms", 0, "arg"),
    "no terms": put([], 0, "terms"),
    "a value twice": put("x", 0, "out", "name"),
    "a part twice": put(["z1_1", "z1_1", "z1_3"], 0, "out", "parts"),
    "a part less": put(["z1_1", "z1_2"], 0, "out", "parts"),
    "a name that is none": put("z 1", 0, "out", "name"),
    "a matrix of another shape": put([[1.0, 2.0, 3.0]], *DATA),
    "a ragged matrix": put([[1.0], [2.0, 3.0]], *DATA),
    "a matrix of words": put([["a", "b", "c"]] * 2, *DATA),
    "a matrix of truths": put([[True, True, True]] * 2, *DATA),
    "a number that is too large": put([[1e39, 0.0, 0.0]] * 2, *DATA),
    "nothing for a number": put([[None, 0.0, 0.0]] * 2, *DATA),
    "no matrix at all": put([], *DATA),
    "another dtype": put("float16", 0, "terms", 0, "matrix", "dtype"),
    "an offset of another size": put([1.0], 0, "offset", "data"),
    "an unknown activation": put("tangent", 1, "activation"),
    "a formula with names": put("open(z)", 1, "formula"),
    "a formula with other names": put("z + w", 1, "formula"),
    "a formula that is code": put("__import__('os').abort()", 1, "formula"),
    "no formula": put("", 1, "formula"),
    "an endless formula": put("-" * 10_000 + "z", 1, "formula"),
    "parameters it does not have": put({"alpha": 1.0}, 1, "parameters"),
    "a parameter as text": put({"alpha": "1"}, 1, "parameters"),
    "units it does not have": put([7], 1, "units"),
    "units twice": put([0, 0], 1, "units"),
    "groups that do not fit": put(2, 1, "groups"),
    "no groups": put(0, 1, "groups"),
    "groups as truth": put(True, 1, "groups"),
    "an unknown result": lambda found: found["functions"][0].update(results=["q"]),
    "two results": lambda found: found["functions"][0].update(results=["y", "y"]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_damaged_program_is_refused(case: str) -> None:
    found = json.loads(emit(matrix(dense(2, 3, 1)), "json"))
    CHANGES[case](found)
    with pytest.raises(DamagedFile, match=r"^the program cannot be read: .*\[program-json\]$"):
        read_program(json.dumps(found))


@pytest.mark.parametrize("text", ["", "[]", "3", "{", '{"format": "nn2eq-program"}', "[" * 100_000, "\x00"])
def test_what_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(DamagedFile, match=r"\[program-json\]"):
        read_program(text)
