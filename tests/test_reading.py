"""Every layer and option in every container, as both generations of Keras save them: do we agree?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from keras_cases import CASES

from nn2eq.network import Network
from nn2eq.reading import read, start

pytestmark = pytest.mark.keras

Folder = Callable[[int], Path]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The folder in which a generation of Keras has saved its cases; it is asked once."""
    folders: dict[int, Path] = {}

    def folder(generation: int) -> Path:
        if generation not in folders:
            if find_spec("keras" if generation == 3 else "tf_keras") is None:
                pytest.skip("Keras is not installed: pip install 'nn2eq[keras]'")
            folders[generation] = tmp_path_factory.mktemp(f"keras{generation}")
            script = Path(__file__).with_name("save_keras_models.py")
            command = [sys.executable, "-W", "ignore", script, str(generation), folders[generation]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
        return folders[generation]

    return folder


def agrees(network: Network, folder: Path, name: str, container: str) -> None:
    """Compare with Keras' answers, and with what was read of the model while it was alive."""
    case, told = CASES[name], np.load(folder / f"{name}.npz")
    x, y = told["x"], told["y"]
    assert (network.input_shape, network.output_shape) == (case.shape, y.shape[1:]), container
    found = network.evaluate(x.reshape(len(x), -1).astype(np.float64))
    assert np.max(np.abs(found.reshape(y.shape) - y) / np.maximum(1, np.abs(y))) < case.tolerance, container
    np.testing.assert_array_equal(found, told["live"], container)
    assert network.parameters == told["parameters"], container


EVERY = [(name, generation) for name, case in CASES.items() for generation in case.generations]
FOLDERS = [name for name, case in CASES.items() if case.saved_model]
CONTAINERS = {2: ((".keras", ""), (".h5", ""), (".json", ".weights.h5"), (".json", ".legacy.h5")),
              3: ((".keras", ""), (".h5", ""), (".json", ".weights.h5"), (".json", ".h5"))}  # fmt: skip
"""Endings of the model and of its weights, where they are apart."""


@pytest.mark.parametrize(("name", "generation"), EVERY)
def test_a_model_answers_as_keras_in_every_container(saved: Folder, name: str, generation: int) -> None:
    folder = saved(generation)
    begun = {}
    for model, weights in CONTAINERS[generation]:
        if name == "bfloat16" and ".h5" in (model, weights):
            continue  # Keras writes such a file without saying so in it, and cannot read it again itself
        beside = folder / f"{name}{weights}" if weights else None
        begun[model + weights] = start(folder / f"{name}{model}", weights=beside)
    for container, reading in begun.items():
        network = reading.finish()
        agrees(network, folder, name, container)
        assert network.source.keras_major == generation


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_a_saved_model_folder_answers_as_keras(saved: Folder, name: str) -> None:
    agrees(read(saved(2) / name), saved(2), name, "SavedModel")


@pytest.mark.slow
def test_a_saved_model_folder_without_tensorflow(saved: Folder, tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ImportError('blocked')")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        f"from nn2eq.reading import read; read({str(saved(2) / FOLDERS[0])!r})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "nn2eq[keras]" in done.stderr
    assert "[needs-tensorflow]" in done.stderr
