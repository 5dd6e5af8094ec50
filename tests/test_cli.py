"""The command line keeps its contract: streams, exit codes, atomic files, one clear line for each mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nn2eq.cli.terminal import printable, write
from nn2eq.emit import LANGUAGES, emitter
from nn2eq.forms import FORMS, STRAIGHT

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "models"
TINY = str(MODELS / "dense_1-3-2-1_tanh.keras")
CIRCLES = str(MODELS / "dense_2-3-1_sigmoid.h5")
IRIS = str(MODELS / "dense_4-6-3_tanh_softmax_normalization.keras")
RELU = str(MODELS / "dense_1-3-3-1_relu.h5")


def nn2eq(
    *args: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    command = [sys.executable, "-c", "from nn2eq.cli import main; main()", *args]
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=environment, check=False, timeout=300
    )


def predicted(text: str, x: list[list[float]]) -> np.ndarray:
    scope: dict[str, object] = {}
    exec(text, scope)
    return np.asarray(scope["predict"](np.array(x)))  # type: ignore[operator]


def test_the_result_alone_is_on_standard_output() -> None:
    done = nn2eq(CIRCLES, "-f", "numpy")
    assert done.returncode == 0
    assert done.stdout.startswith("# nn2eq ")
    assert predicted(done.stdout, [[0.0, 0.0]]).shape == (1, 1)
    assert "text and network agree" in done.stderr
    assert "form: matrix" in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        [CIRCLES, "--format", "numpy"],
        ["--format", "numpy", CIRCLES],
        ["convert", CIRCLES, "-f", "numpy"],
        ["-f", "numpy", "convert", CIRCLES],
        ["-fnumpy", CIRCLES],
        ["--format=numpy", "--", CIRCLES],
    ],
)
def test_convert_is_meant_wherever_the_options_stand(args: list[str]) -> None:
    done = nn2eq(*args)
    assert (done.returncode, "def predict(x)" in done.stdout) == (0, True), done.stderr


def test_a_file_called_as_a_command_is_reached_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "info").write_bytes(Path(CIRCLES).read_bytes())
    assert nn2eq("./info", "-f", "numpy", cwd=tmp_path).returncode == 0


def asking(form: str, language: str = "") -> tuple[str, ...]:
    """Return a model that has this form in this language, and what the form must be told; CIRCLES alone for most."""
    forms = {
        "bigm": (RELU, "--domain=-1:1"),
        "polynomial": (TINY, "--domain=-1:1", "--degree=3"),
        "pieces": (RELU,),
    }
    affine = {**forms, "polynomial": (TINY, "--domain=-1:1", "--degree=1")}
    return affine.get(form, (RELU,)) if language in AFFINE_IN_PIECES else forms.get(form, (CIRCLES,))


AFFINE_IN_PIECES = ("smtlib",)
"""The languages that say networks of affine pieces alone."""


@pytest.mark.parametrize("form", FORMS)
def test_a_form_as_format_is_latex_in_that_form(form: str) -> None:
    said = nn2eq(*asking(form), "--format", form)
    if emitter("latex").says(FORMS[form].layout):
        assert f"as latex, {form} form" in said.stdout
    else:
        assert f"latex cannot say the {form} form" in said.stderr


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_every_format_says_every_form_it_promises(language: str, form: str, tmp_path: Path) -> None:
    promised = json.loads(nn2eq("formats", "--json").stdout)
    file = ("-o", str(tmp_path / "file")) if emitter(language).binary else ()
    done = nn2eq(*asking(form, language), "-f", language, "--form", form, *file)
    if form in promised[language]:
        assert done.returncode == 0, done.stderr
        assert ("was not run" if emitter(language).external else "agree") in done.stderr
    else:
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{language} cannot say the {form} form" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing.h5"], "nothing.h5"),
        ([TINY, "-f", "cobol"], "unknown format 'cobol'"),
        ([TINY, "--form", "round"], "unknown form 'round'"),
        ([TINY, "--order", "3"], "--order does not apply to an exact form"),
        ([TINY, "--form", "matrix", "--at", "0"], "--at does not apply to the matrix form"),
        ([TINY, "--form", "taylor", "--no-fold"], "--no-fold does not apply to the taylor form"),
        ([TINY, "--form", "taylor", "--order", "-1"], "--order: '-1'"),
        ([TINY, "--form", "taylor", "--order="], "--order: ''"),
        ([TINY, "--form", "taylor", "--order", "100000"], "take a lower --order"),
        ([TINY, "--form", "taylor", "--at="], "--at: ''"),
        ([TINY, "--form", "taylor", "--domain", "wide"], "'wide' is not an interval"),
        ([TINY, "--format", "nested", "--form", "matrix"], "two forms"),
        ([TINY, "--form", "pieces"], "tanh"),
        ([RELU, "--form", "pieces", "--max-regions", "7"], "more than 7 pieces"),
        ([RELU, "--form", "pieces", "--order", "2"], "--order does not apply to the pieces form"),
        ([RELU, "--form", "pieces", "-f", "c", "--exact"], "c has no exact fractions"),
        ([RELU, "--form", "pieces", "--exact", "--digits", "3"], "exclude each other"),
        ([RELU, "--exact"], "--exact does not apply to an exact form"),
        ([TINY, "--wrong"], "--wrong"),
        ([TINY, "--digits", "0"], "--digits"),
        ([TINY, "-f", "numpy", "--standalone"], "--standalone does not apply to numpy"),
        ([TINY, "-f", "numpy", "--dtype", "float32"], "--dtype does not apply to numpy"),
        ([TINY, "-f", "numpy", "--header", "f.h"], "--header does not apply to numpy"),
        ([TINY, "--inputs", "a,b"], "2 names"),
        ([CIRCLES, "--inputs", "a,a"], "appears twice"),
        ([CIRCLES, "-f", "python", "--inputs", "lambda,b"], "lambda"),
        ([TINY, "--scale-input", "minmax:3:1"], "LO < HI"),
        ([TINY, "--transform-input", "x=fourier"], "fourier"),
        ([TINY, "--latex-names", "x"], "--latex-names"),
        ([TINY, "--latex-names", "z=p"], "no input or output is called 'z'"),
        ([TINY, "--scale-input", "nothing.json"], "nothing.json: No such file or directory;"),
        ([TINY, "--data", TINY], "it is not UTF-8 text;"),
        ([TINY, "--data", "nothing.csv"], "nothing.csv"),
        (
            [str(MODELS / "dense_4-16-16-16-1_tanh.h5"), "--form", "nested", "--limit", "100"],
            "--form layered",
        ),
        (["trace", TINY, "--at", "1,2"], "2 numbers"),
        (["trace", TINY, "--at", "one"], "not a number"),
        (["trace", TINY], "--at"),
        (["check", TINY], "FILE"),
        (["check", TINY, "nothing.py"], "nothing.py"),
        ([], "MODEL"),
    ],
)
def test_a_mistake_is_one_or_two_lines_and_exit_2(args: list[str], said: str) -> None:
    done = nn2eq(*args)
    told = done.stderr if done.returncode else done.stdout
    assert said in (told or done.stdout)
    if args:
        assert done.returncode == 2
        assert done.stdout == "" or args[0] == "check"
        assert len(done.stderr.splitlines()) <= 2
        assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback() -> None:
    assert "Traceback" in nn2eq("nothing.h5", "--debug").stderr


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "f.py"
    target.write_text("as it was")
    assert nn2eq("nothing.h5", "-f", "numpy", "-o", str(target)).returncode == 2
    assert target.read_text() == "as it was"
    done = nn2eq(CIRCLES, "-f", "numpy", "-o", str(target))
    assert (done.returncode, done.stdout) == (0, "")
    assert "def predict" in target.read_text()
    assert os.listdir(tmp_path) == ["f.py"]


def test_output_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = nn2eq(CIRCLES, "-o", str(tmp_path / "no" / "f.tex"))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_a_device_is_written_to_and_not_replaced() -> None:
    write("text", os.devnull)
    assert not os.path.isfile(os.devnull)


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -c 'from nn2eq.cli import main; main()' {IRIS} -f json | head -c 10"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("shut", "exit_code", "said"),
    [
        (">/dev/full", 2, "standard output: No space left"),
        (">&-", 2, "standard output: Bad file descriptor"),
        ("2>/dev/full", 0, ""),
        ("2>&-", 0, ""),
        ("<&- >&- 2>&-", 2, ""),
    ],
)
def test_streams_that_are_full_or_closed(shut: str, exit_code: int, said: str) -> None:
    command = f"{sys.executable} -c 'from nn2eq.cli import main; main()' {CIRCLES} -f numpy {shut}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == exit_code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 1
    if not exit_code:  # nothing of what is said on standard error comes to stand in the text
        assert predicted(done.stdout, [[0.0, 0.0]]).shape == (1, 1)


def test_names_are_used_everywhere() -> None:
    done = nn2eq(
        CIRCLES, "-f", "python", "--inputs", "width,height", "--outputs", "inside", "--form", "layered"
    )
    assert done.returncode == 0
    assert "width" in done.stdout and "inside" in done.stdout  # noqa: PT018 - one thing


def test_original_units_are_folded_in_or_shown() -> None:
    scale = ["--scale-input", "minmax:0:10", "--scale-output", "standard:5:2"]
    folded, shown = (nn2eq(TINY, "-f", "numpy", *scale, *more) for more in ([], ["--no-fold"]))
    assert folded.stdout.count("@") < shown.stdout.count("@") + shown.stdout.count(" * ")
    x = [[3.0], [7.0]]
    assert predicted(folded.stdout, x) == pytest.approx(predicted(shown.stdout, x), rel=1e-12)
    plain = predicted(nn2eq(TINY, "-f", "numpy").stdout, [[0.3], [0.7]])
    assert predicted(folded.stdout, x) == pytest.approx(plain * 2 + 5, rel=1e-12)


def test_data_are_checked_on(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("b,a,more\n1,2,x\n3,4,y\n")
    done = nn2eq(CIRCLES, "--inputs", "a,b", "--data", str(tmp_path / "data.csv"))
    assert done.returncode == 0, done.stderr
    (tmp_path / "data.csv").write_text("a,b\n1,two\n")
    done = nn2eq(CIRCLES, "--inputs", "a,b", "--data", str(tmp_path / "data.csv"))
    assert (done.returncode, "line 2" in done.stderr) == (2, True)


def test_check_judges_what_was_emitted(tmp_path: Path) -> None:
    for language in LANGUAGES:
        file = tmp_path / f"text.{language}"
        (model,) = asking("", language)
        assert nn2eq(model, "-f", language, "-o", str(file)).returncode == 0
        needed = (
            2 if emitter(language).external else 0
        )  # what starts other programs is not run unless asked for
        assert nn2eq("check", model, str(file)).returncode == needed


def test_check_names_the_unit_that_was_changed(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    nn2eq(CIRCLES, "-f", "python", "--form", "layered", "-o", str(file))
    lines = file.read_text().splitlines()
    spot = next(number for number, line in enumerate(lines) if line.strip().startswith("z1_2 ="))
    lines[spot] += " + 0.001"
    file.write_text("\n".join(lines))
    done = nn2eq("check", CIRCLES, str(file))
    assert done.returncode == 1
    assert "z1_2" in done.stdout
    verdict = json.loads(nn2eq("check", CIRCLES, str(file), "--json").stdout)
    assert verdict[0]["holds"] is False


def test_info_and_trace_as_json() -> None:
    found = json.loads(nn2eq("info", IRIS, "--json").stdout)
    assert found["parameters"] == sum(layer["parameters"] for layer in found["layers"])
    assert set(found["forms"]) == set(STRAIGHT)
    rows = json.loads(nn2eq("trace", TINY, "--at", "0.25", "--json").stdout)
    assert rows[0] == {"name": "x", "origin": "the inputs", "value": 0.25}
    assert rows[-1]["value"] == pytest.approx(predicted(nn2eq(TINY, "-f", "numpy").stdout, [[0.25]])[0, 0])


def test_nn2eq_check_takes_one_word() -> None:
    done = nn2eq(TINY, env={"NN2EQ_CHECK": "torch"})
    assert (done.returncode, "NN2EQ_CHECK=torch" in done.stderr) == (2, True)


def test_digits_say_what_they_cost() -> None:
    done = nn2eq(TINY, "--digits", "3")
    assert done.returncode == 0
    assert "rounded to 3" in done.stdout
    assert "cost" in done.stdout


def test_printable_lets_nothing_drive_the_terminal() -> None:
    assert printable("a\x1b[31m\n\u202eb\udcff") == "a\\x1b[31m\\n\\u202eb\\udcff"
