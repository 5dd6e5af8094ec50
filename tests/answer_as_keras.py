"""Run by test_keras_activations.py, in a process of its own: what Keras 3 and tf_keras answer on activations.

Reads questions as JSON from standard input, each [generation, call, z], and writes names, answers and slopes.
"""

import inspect
import json
import os
import sys
from types import ModuleType

QUIETLY = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
ABOUT_NAMES = {"get", "serialize", "deserialize"}


def answer(library: ModuleType, call: str, z: list[list[float]]) -> dict[str, list[list[float]]]:
    """Evaluate a call of x in float64, and the slope of the sum of its answers."""
    import tensorflow as tf

    x = tf.Variable(tf.constant(z, dtype=tf.float64))
    with tf.GradientTape() as tape:
        y = eval(call, {"layers": library.layers, "get": library.activations.get, "x": x})
    return {"answers": y.numpy().tolist(), "slopes": tape.gradient(y, x).numpy().tolist()}


def main() -> None:
    """Answer every question."""
    os.environ |= QUIETLY
    import keras
    import tf_keras
    import tf_keras.src.activations

    libraries = {2: tf_keras, 3: keras}
    old = {name for name, _ in inspect.getmembers(tf_keras.src.activations, inspect.isfunction)}
    names = {2: sorted(old - ABOUT_NAMES), 3: sorted(keras.src.activations.ALL_OBJECTS_DICT)}
    asked = [answer(libraries[generation], call, z) for generation, call, z in json.load(sys.stdin)]
    json.dump({"names": names, "asked": asked}, sys.stdout)


if __name__ == "__main__":
    main()
