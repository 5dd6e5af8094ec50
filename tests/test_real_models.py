"""Real models by other people: what Keras itself answered, and what must be refused."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import CORPORA, OUTSIDE

from nn2eq.errors import Nn2eqError
from nn2eq.reading import read

FOLDER = CORPORA / "realmodels"
TABLE = FOLDER / "models.tsv"
ROWS = list(csv.DictReader(TABLE.read_text().splitlines(), delimiter="\t")) if TABLE.exists() else []
ABSENT = [
    pytest.param(
        {"local_file": "none"}, marks=pytest.mark.skip(f"../shared/realmodels {OUTSIDE} and is not here")
    )
]
MODELS = [row for row in ROWS if row["role"] == "MLP"] or ABSENT
NEGATIVES = [row for row in ROWS if row["role"].startswith("neg")] or ABSENT

KERAS_TOLERANCE = 2e-5
"""Of max(1, |y|): Keras computed in float32."""

ANSWERS = {3: (".npz",), 2: (".tfkeras.npz", ".sig.npz", ".numpy64.npz", ".npz")}
"""Whose answer counts: that of the generation which saved the file."""


def golden(row: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    base = str(FOLDER / "golden" / row["local_file"].replace("/", "__"))
    endings = ANSWERS[3 if row["keras_version"].startswith("3") else 2]
    found = np.load(next(base + ending for ending in endings if Path(base + ending).exists()))
    return found["x"], found["y"]


def architecture(weights: Path) -> Path:
    names = (
        weights.name.replace("_weights.h5", ending) for ending in (".json", "_config.json", "_model.json")
    )
    return next(path for path in map(weights.with_name, names) if path.exists())


def label(row: dict[str, str]) -> str:
    return row["local_file"].replace("/", " ")


@pytest.mark.parametrize("row", MODELS, ids=label)
def test_the_network_answers_as_keras_did(realmodels: Path, row: dict[str, str]) -> None:
    path = realmodels / row["local_file"]
    if row["format"] == "SavedModel" and find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed: pip install 'nn2eq[keras]'")
    network = read(architecture(path), weights=path) if "JSON" in row["format"] else read(path)
    x, y = golden(row)
    if network.one_for_all:  # the file leaves the axis open, and Keras was asked with one column
        x = np.repeat(x, network.inputs, axis=-1)
    answer = network.evaluate(x.reshape(-1, network.inputs).astype(np.float64)).reshape(y.shape)
    assert np.max(np.abs(answer - y) / np.maximum(1, np.abs(y))) < KERAS_TOLERANCE
    assert network.source.keras_version == row["keras_version"]


@pytest.mark.parametrize("row", NEGATIVES, ids=label)
def test_what_is_no_chain_of_dense_layers_is_refused(realmodels: Path, row: dict[str, str]) -> None:
    with pytest.raises(Nn2eqError) as told:
        read(realmodels / row["local_file"])
    assert told.value.code == "unsupported-layer"
    assert row["role"].removeprefix("neg: ") in str(told.value)


def test_the_corpus_is_here(realmodels: Path) -> None:
    assert (len(MODELS), len(NEGATIVES)) == (37, 3), f"of {realmodels}, which {OUTSIDE}"
