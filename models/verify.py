"""Hold each shipped model's emitted NumPy against ``model.predict``: ``python models/verify.py [FOLDER]``.

FOLDER holds the texts, models/formulas if omitted. Nothing of nn2eq is imported: Keras answers for the model,
the text for itself, and the scalers between them are those of samples.py. Both are asked what is recorded,
large inputs and usual ones, and every sample, and random points.
"""

import json
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from numpy.typing import NDArray
from records import HERE, USUAL
from samples import Scale

TOLERANCE = 2e-5  # of max(1, |y|): float32 in Keras, float64 in the text

Array = NDArray[np.float64]


def scaler(name: str, end: str) -> Scale | None:
    """The scaler at this end of a model, where it has one."""
    path = HERE / f"{name}.{end}-scale.json"
    return Scale.read(path.read_text()) if path.exists() else None


def questions(name: str, scale: Scale | None) -> Array:
    """Inputs (samples, inputs) in the network's units, rounded to float32 so that both are asked the same."""
    recorded = np.array(json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))["inputs"])
    usual = recorded[:USUAL]
    random = np.random.default_rng(0).uniform(usual.min(axis=0), usual.max(axis=0), (100, usual.shape[1]))
    rows = [recorded, random]
    data = HERE / f"{name}.data.csv"
    if data.exists():
        samples = np.loadtxt(data, delimiter=",", skiprows=1, ndmin=2)[:, : recorded.shape[1]]
        rows.append(scale.apply(samples) if scale else samples)
    return np.concatenate(rows).astype(np.float32).astype(np.float64)


def said(predict: Callable[[Array], Array], asked: Array, before: Scale | None, after: Scale | None) -> Array:
    """What the text answers, taken back from original units to the network's."""
    answers = predict(before.undo(asked) if before else asked).reshape(len(asked), -1)
    return after.apply(answers) if after else answers


def worst(name: str, folder: Path) -> float:
    """The largest difference between text and Keras, relative to max(1, |y|)."""
    before, after = scaler(name, "input"), scaler(name, "output")
    asked = questions(name, before)
    truth = keras.models.load_model(HERE / f"{name}.keras").predict(asked.astype(np.float32), verbose=0)
    answers = said(runpy.run_path(str(folder / f"{name}.numpy.py"))["predict"], asked, before, after)
    return float(np.max(np.abs(answers - truth) / np.maximum(1, np.abs(truth))))


def main() -> int:
    """Say how far each text is from Keras; the exit code says whether all are near enough."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "formulas"
    names = sorted(path.stem for path in HERE.glob("*.keras"))
    errors = {name: worst(name, folder) for name in names}
    for name, error in errors.items():
        verdict = "agrees" if error <= TOLERANCE else "DIFFERS"
        print(f"{name}: NumPy {verdict} with Keras, worst error {error:.2g} of {TOLERANCE:g}")
    return 0 if max(errors.values(), default=np.inf) <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
