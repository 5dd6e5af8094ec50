"""What models/ says of itself: one network in two containers, recorded answers, scalers, samples, a table."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

MODELS = Path(__file__).resolve().parent.parent / "models"
NAMES = sorted(path.stem for path in MODELS.glob("*.keras"))
FLOAT32_NOISE = 2e-5  # of max(1, |y|): another machine may sum in another order


def recorded(name: str) -> tuple[np.ndarray, np.ndarray]:
    held = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
    return np.array(held["inputs"]), np.array(held["outputs"])


@pytest.mark.keras
@pytest.mark.slow
def test_keras_still_answers_what_is_recorded(shipped_model: Path) -> None:
    keras = pytest.importorskip("keras")
    inputs, outputs = recorded(shipped_model.stem)
    answers = keras.models.load_model(shipped_model, compile=False).predict(
        inputs.astype(np.float32), verbose=0
    )
    np.testing.assert_allclose(answers, outputs, rtol=FLOAT32_NOISE, atol=FLOAT32_NOISE)


def test_every_model_is_there_in_both_containers_with_its_answers(shipped_models: tuple[Path, ...]) -> None:
    assert sorted(path.name for path in shipped_models) == sorted(
        f"{n}{s}" for n in NAMES for s in (".keras", ".h5")
    )
    assert all(len(recorded(name)[0]) == len(recorded(name)[1]) == 32 for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_recorded_inputs_are_exact_and_answers_are_short(name: str) -> None:
    inputs, outputs = recorded(name)
    assert np.array_equal(inputs, inputs.astype(np.float32))
    assert all(float(str(np.float32(answer))) == answer for answer in outputs.ravel())


@pytest.mark.parametrize("name", NAMES)
def test_scalers_and_samples_have_a_column_for_each_input_and_output(name: str) -> None:
    inputs, outputs = recorded(name)
    columns = {"input": inputs.shape[1], "output": outputs.shape[1]}
    for path in MODELS.glob(f"{name}.*-scale.json"):
        scale = json.loads(path.read_text())
        ends = {"minmax": ("low", "high"), "standard": ("mean", "sd")}[scale["kind"]]
        assert {len(scale[end]) for end in ends} == {columns[path.name.split(".")[1].removesuffix("-scale")]}
    for path in MODELS.glob(f"{name}.data.csv"):
        with path.open(newline="") as file:
            assert {len(row) for row in csv.reader(file)} == {sum(columns.values())}


def test_the_table_names_every_model() -> None:
    readme = (MODELS / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in readme for name in NAMES)


@pytest.mark.keras
@pytest.mark.slow
def test_verify_finds_a_formula_that_was_changed(tmp_path: Path) -> None:
    for name in NAMES:
        outputs = recorded(name)[1].shape[1]
        (tmp_path / f"{name}.numpy.py").write_text(
            f"def predict(x): return x[:, :1].repeat({outputs}, axis=1)\n"
        )
    command = [sys.executable, str(MODELS / "verify.py"), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stdout.count("DIFFERS") == len(NAMES)
