"""Run by test_keras.py, in a process of its own: ask Keras about many files, and load TensorFlow once.

usage: ask_keras_of_many.py [FILE | FILE=LAYERS]...
What is told by its layers, as Python text in which `L` is keras.layers, is first made and saved.
Writes JSON, for each file [name, whether they agree, the line that says so, samples, what was left out].
Everything but the process is what `ask_keras` does.
"""

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from nn2eq import read
from nn2eq.proof import ask_keras as asking
from nn2eq.proof import keras_child, pipe


def spoken(said: bytes, folder: str) -> tuple[dict[str, Any], list[Any]]:
    """Answer here what is otherwise asked of a child."""
    import keras

    asked, (x, *weights) = pipe.unframed(io.BytesIO(said))
    header, arrays = keras_child.answers(keras, asked, x, weights)
    return {"version": keras.__version__, **header}, arrays


def saved(told: str) -> str:
    """Return a model file, made first if its layers are told; its biases are no zeros."""
    import keras

    path, _, layers = told.partition("=")
    if layers:
        keras.utils.set_random_seed(0)
        model = keras.Sequential(eval(f"[{layers}]", {"L": keras.layers}))
        model.set_weights([array + 0.25 for array in model.get_weights()])
        model.save(path)
    return path


def main() -> None:
    """Ask about each, and write what came of it."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    asking.ask_child = spoken
    agreements = [(Path(path).name, asking.ask_keras(read(path), path)) for path in map(saved, sys.argv[1:])]
    json.dump([(name, a.holds, a.line(), a.samples, a.left_out) for name, a in agreements], sys.stdout)


if __name__ == "__main__":  # pytest imports every module for its doctests
    main()
