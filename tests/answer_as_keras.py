"""Run by test_keras_activations.py, in a process of its own: what Keras 3 and tf_keras answer on activations.

Reads questions as JSON from standard input, each [generation, call, z], and writes names, answers and slopes.
"""

import inspect
import json
import os
import sys

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

import keras
import tensorflow as tf
import tf_keras
import tf_keras.src.activations as tf_keras_activations

LIBRARIES = {2: tf_keras, 3: keras}
ABOUT_NAMES = {"get", "serialize", "deserialize"}


def answer(generation: int, call: str, z: list[list[float]]) -> dict[str, list[list[float]]]:
    """Evaluate a call of x in float64, and the slope of the sum of its answers."""
    library = LIBRARIES[generation]
    x = tf.Variable(tf.constant(z, dtype=tf.float64))
    with tf.GradientTape() as tape:
        y = eval(call, {"layers": library.layers, "get": library.activations.get, "x": x})
    return {"answers": y.numpy().tolist(), "slopes": tape.gradient(y, x).numpy().tolist()}


def main() -> None:
    """Answer every question."""
    old = {name for name, _ in inspect.getmembers(tf_keras_activations, inspect.isfunction)}
    json.dump(
        {
            "names": {2: sorted(old - ABOUT_NAMES), 3: sorted(keras.src.activations.ALL_OBJECTS_DICT)},
            "asked": [answer(*question) for question in json.load(sys.stdin)],
        },
        sys.stdout,
    )


main()
