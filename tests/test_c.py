"""What is particular about C: it is C++ too, needs libm alone, tests itself, computes in float, and is fast."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from language_programs import everything, odd, scale
from latex_networks import dense

from nn2eq.conversion import Request, convert
from nn2eq.description import info
from nn2eq.emit import emit
from nn2eq.emit.code.helpers import FLOAT_TANH, TANH_ERROR
from nn2eq.emit.options import Options
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Program
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Affine as Map
from nn2eq.network import Layer
from nn2eq.proof.check import check
from nn2eq.proof.rounding import SAFETY, SINGLE
from nn2eq.proof.run_c import STRICT
from nn2eq.proof.runners import run
from nn2eq.reading import read

FLOAT = Options(dtype="float32")
CPLUSPLUS = ("-x", "c++", "-std=c++11", *STRICT[1:])


@pytest.fixture
def gcc(tool: Callable[[str], str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Compile text.c in a folder of its own with these options, by `gcc` or by `g++`."""
    compilers = {name: tool(name) for name in ("gcc", "g++")}

    def compiled(text: str, *options: str, by: str = "gcc") -> subprocess.CompletedProcess[str]:
        (tmp_path / "text.c").write_text(text)
        command = [compilers[by], *options, "text.c", "-lm"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return compiled


@pytest.mark.parametrize("layout", ["nested", "layered", "matrix"])
@pytest.mark.parametrize("options", [Options(), FLOAT], ids=lambda options: options.dtype)
@pytest.mark.parametrize("make", [everything, odd])
def test_it_is_cplusplus_without_a_warning(
    make: Callable[[str], Program],
    layout: str,
    options: Options,
    gcc: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = gcc(emit(make(layout), "c", options), "-c", *CPLUSPLUS, by="g++")
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_global_but_the_function(
    gcc: Callable[..., subprocess.CompletedProcess[str]], tool: Callable[[str], str], tmp_path: Path
) -> None:
    gcc(emit(everything("matrix"), "c"), "-c", "-O2")
    said = subprocess.run(
        [tool("nm"), "text.o"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    kinds = [line.split()[-2:] for line in said.splitlines()]
    assert [name for kind, name in kinds if kind in "TDBC"] == [
        "predict"
    ]  # functions, and numbers that can change
    assert not any(kind in "db" for kind, _ in kinds)
    needed = {name for kind, name in kinds if kind == "U"}
    assert needed <= {"exp", "expm1", "log", "log1p", "log10", "tanh", "erf", "sqrt", "memcpy", "memset"} | {
        "_GLOBAL_OFFSET_TABLE_"
    }


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_info_tells_what_its_constants_take(
    dtype: str,
    gcc: Callable[..., subprocess.CompletedProcess[str]],
    tool: Callable[[str], str],
    tmp_path: Path,
) -> None:
    network = dense(40, 30, 20, 3, dtype=dtype)
    assert gcc(emit(matrix(network), "c"), "-c", *STRICT, "-O0").returncode == 0
    said = subprocess.run(
        [tool("nm"), "-S", "text.o"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    symbols = [line.split() for line in said.stdout.splitlines()]
    sizes = {symbol[3]: int(symbol[1], 16) for symbol in symbols if len(symbol) == 4 and symbol[2] == "r"}
    assert len(sizes) == 6
    assert sum(sizes.values()) == info(network).constant_bytes


def test_a_header_declares_it(
    gcc: Callable[..., subprocess.CompletedProcess[str]], tool: Callable[[str], str], tmp_path: Path
) -> None:
    network = replace(dense(2, 3, 1), input_names=("*/ int x;", "class"), output_names=("\\\n",))
    conversion = convert(network, Request("c", "gradient", options=Options(name="answer")))
    (tmp_path / "answer.h").write_text(conversion.header)
    assert gcc(conversion.text, "-c", *STRICT).returncode == 0
    use = (
        '#include "answer.h"\n'
        "int main() { double x[ANSWER_INPUTS] = {1, 2}, y[ANSWER_OUTPUTS]; answer(x, y); return !(y[0] == y[0]); }\n"
    )
    (tmp_path / "use.cpp").write_text(use)
    linked = [tool("g++"), "-Wall", "-Werror", "use.cpp", "text.o", "-o", "use", "-lm"]
    subprocess.run(linked, cwd=tmp_path, check=True)
    subprocess.run(["./use"], cwd=tmp_path, check=True)


# ------------------------------------------------------------------------------------------------ its own test


@pytest.mark.parametrize("form", ["", "gradient"])
@pytest.mark.parametrize("options", [Options(), FLOAT, Options(digits=3)], ids=str)
def test_it_tests_itself(
    options: Options, form: str, gcc: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    text = convert(dense(3, 4, 2), Request("c", form, options=options)).text
    for by, flags in (("gcc", STRICT), ("g++", CPLUSPLUS)):
        assert gcc(text, "-DNN2EQ_TEST", *flags, by=by).stderr == ""
        done = subprocess.run(["./a.out"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, "0 of 32 answers too far off" in done.stdout) == (0, True), done.stdout


def test_its_test_finds_a_wrong_number(
    gcc: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    text = convert(dense(3, 4, 2), Request("c")).text
    assert gcc(text.replace("y[j] = b2[j]", "y[j] = 1e-9 + b2[j]"), "-DNN2EQ_TEST").returncode == 0
    done = subprocess.run(["./a.out"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "32 of 32" in done.stdout) == (1, True)


@pytest.mark.keras
def test_what_keras_answered_is_recorded(
    gcc: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, shipped_models: tuple[Path, ...]
) -> None:
    from nn2eq.proof.ask_keras import answers_of_keras
    from nn2eq.scaling import in_original_units

    path = next(path for path in shipped_models if path.suffix == ".keras")
    network = in_original_units(read(str(path)), scale_input="minmax:0:10", scale_output="standard:5:2")
    text = convert(network, Request("c"), asked=answers_of_keras(network, path)).text
    assert "// Compare with keras" in text
    assert gcc(text, "-DNN2EQ_TEST", *STRICT).stderr == ""
    done = subprocess.run(["./a.out"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "0 of" in done.stdout) == (0, True), done.stdout


# ------------------------------------------------------------------------------------------------------ float


@pytest.mark.parametrize("build", [nested, layered, matrix], ids=lambda build: build.__name__)
def test_float32_is_within_its_bound(
    build: Callable[..., Program], shipped_model: Path, tool: Callable[[str], str]
) -> None:
    tool("gcc")
    network = read(str(shipped_model))
    program = build(network)
    if build is nested and len(network.layers) > 4:
        pytest.skip("a nested text of four layers is megabytes; is not part of the project's promises")
    agreement = check(network, emit(program, "c", FLOAT), "c", program=program, dtype="float32")
    assert agreement.holds, agreement.line()
    assert agreement.tolerance < 1e-3


def test_the_bound_of_float32_is_no_excuse(tool: Callable[[str], str]) -> None:
    tool("gcc")
    network = dense(3, 4, 2)
    text = emit(matrix(network), "c", FLOAT).replace("y[j] = b2[j]", "y[j] = 1e-4f + b2[j]")
    assert not check(network, text, "c", dtype="float32").holds


def test_what_float32_never_holds_is_refused() -> None:
    network = dense(3, 4, 2)
    kernel = np.full((2, 1), 1e30, np.float32)
    large = replace(network, layers=(*network.layers, Layer("large", "Dense", (1,), (Map(kernel),))))
    with pytest.raises(CannotEmit, match="leave out --dtype float32"):
        check(large, emit(matrix(large), "c", FLOAT), "c", dtype="float32")


@pytest.mark.parametrize("layout", ["layered", "matrix"])
def test_every_activation_in_float32(layout: str, tool: Callable[[str], str]) -> None:
    tool("gcc")
    program, random = everything(layout), np.random.default_rng(5)
    x = 3.0 * random.standard_normal((60, len(program.inputs)))
    x[:6] = np.array([[30.0], [-30.0], [200.0], [-200.0], [1000.0], [-1000.0]])
    x[:, x.shape[1] // 2 :] = random.uniform(1e-3, 20.0, (60, x.shape[1] // 2))
    x = x.astype(np.float32).astype(np.float64)
    found = run("c", emit(program, "c", FLOAT), x).outputs
    # What a formula costs, and what cancels in it: its answer and its argument, each a few roundings.
    size = scale(program, x) + 4 * np.abs(x).max(axis=1, keepdims=True)
    assert (np.abs(found - program.evaluate(x)) / size).max() <= 2 * SAFETY * SINGLE


def test_layers_become_vectors(gcc: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    text = emit(matrix(dense(64, 64, 64, 1)), "c", FLOAT)
    said = gcc(text, "-O3", "-std=c99", "-c", "-fopt-info-vec").stderr
    assert said.count("loop vectorized") >= 4  # the sums of both layers, and what is done to them


TANH = """
#include <math.h>
#include <stdio.h>
#include <string.h>
{text}

int main(void) {{
    double worst = 0.0;
    float x[1], y[1];
    for (unsigned bits = 0; bits <= 0x41200000u; ++bits) {{ /* up to 10; the function is odd */
        memcpy(x, &bits, sizeof x);
        predict(x, y);
        const double exact = tanh((double)x[0]), error = fabs((double)y[0] - exact);
        if (error > worst * exact) worst = error / exact;
        if (!(y[0] <= 1.0f)) return 1;
    }}
    printf("%.9g\\n", worst);
    return 0;
}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("flags", ["-ffp-contract=off", "-mfma -ffp-contract=fast"])
def test_tanh_in_float32_at_every_number(
    flags: str, gcc: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    from language_programs import Apply, Value, activation, program

    x, y = Value("x", ("x",)), Value("y", ("y",))
    text = emit(program("matrix", x, y, Apply(y, activation("tanh"), x)), "c", FLOAT)
    assert FLOAT_TANH.name in text
    done = gcc(TANH.format(text=text), "-O2", "-std=c99", *flags.split())
    assert done.returncode == 0, done.stderr
    ran = subprocess.run(["./a.out"], cwd=tmp_path, capture_output=True, text=True, check=False)
    if ran.returncode < 0:
        pytest.skip("this processor has no fused multiply-add, which is not part of the project")
    assert ran.returncode == 0
    assert 1e-7 < float(ran.stdout) <= TANH_ERROR


def test_tanh_in_float32_keeps_its_sign_and_its_ends(tool: Callable[[str], str]) -> None:
    tool("gcc")
    from language_programs import Apply, Value, activation, program

    x, y = Value("x", ("x",)), Value("y", ("y",))
    text = emit(program("nested", x, y, Apply(y, activation("tanh"), x)), "c", FLOAT)
    z = np.array([0.0, 1e-40, 1e-30, 0.5, 9.01, 9.03, 1e30, 3.4e38, np.inf])
    above = run("c", text, z[:, None]).outputs[:, 0]
    below = run("c", text, -z[:, None]).outputs[:, 0]
    assert np.array_equal(above, -below)
    assert np.signbit(below).all()
    assert np.allclose(above, np.tanh(z.astype(np.float32).astype(np.float64)), rtol=TANH_ERROR, atol=0)
    assert (above[-4:] == 1.0).all()
    assert np.isnan(run("c", text, np.array([[np.nan]])).outputs).all()
