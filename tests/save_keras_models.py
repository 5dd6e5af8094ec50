"""Run by test_reading.py in a process of its own: save the cases of one generation of Keras, and its answers.

usage: save_keras_models.py GENERATION FOLDER
Writes FOLDER/NAME.keras, .h5, .json, .weights.h5, for Keras 2 .legacy.h5 and for some cases a SavedModel
folder NAME; and FOLDER/NAME.npz with inputs x, Keras' answers y, those of nn2eq on the live model, and how
many numbers Keras counts in it.
"""

import os
import sys
from pathlib import Path

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

import numpy as np
from keras_cases import CASES, Case

from nn2eq.reading import read

if sys.argv[1] == "2":
    import tf_keras as K
else:
    import keras as K

L = K.layers
GENERATION, FOLDER = int(sys.argv[1]), Path(sys.argv[2])


def nested(size: int):
    """A functional model to be put into another."""
    start = L.Input((size,))
    return K.Model(start, L.BatchNormalization()(L.Dense(3, activation="tanh")(start)))


def model(case: Case):
    """Build the model of a case."""
    layers = eval(f"[{case.layers}]", {"K": K, "L": L, "nested": nested})
    if not case.functional:
        return K.Sequential([L.Input(case.shape), *layers])
    start = end = L.Input(case.shape)
    for layer in layers:
        end = layer(end)
    return K.Model(start, end)


def shake(built, rng: np.random.Generator) -> None:
    """Give every layer new weights: variances positive, all others of both signs; counts stay."""
    for layer in built._flatten_layers(include_self=False):
        if hasattr(layer, "layers") or not layer.weights:
            continue
        names = [weight.name.split("/")[-1].split(":")[0] for weight in layer.weights]
        layer.set_weights(
            [shaken(name, np.asarray(a), rng) for name, a in zip(names, layer.get_weights(), strict=True)]
        )
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def shaken(name: str, array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other numbers of the same shape."""
    if name == "count":
        return array
    sign = 1 if "variance" in name else rng.choice([-1, 1], array.shape)
    return (rng.uniform(0.1, 1.0, array.shape) * sign).astype(array.dtype)


def save(name: str, case: Case) -> None:
    """Save one case in every container."""
    rng = np.random.default_rng(len(name))
    built = model(case)
    shake(built, rng)
    x = rng.normal(size=(7, *case.shape)).astype(np.float32)
    y = np.asarray(built(x, training=False)).astype(np.float64)
    live = read(built).evaluate(x.reshape(len(x), -1).astype(np.float64))
    np.savez(FOLDER / f"{name}.npz", x=x, y=y, live=live, parameters=built.count_params())
    built.save(FOLDER / f"{name}.keras")
    built.save(FOLDER / f"{name}.h5")
    built.save_weights(FOLDER / f"{name}.weights.h5")
    (FOLDER / f"{name}.json").write_text(built.to_json())
    if GENERATION == 2:
        built.save_weights(FOLDER / f"{name}.legacy.h5", save_format="h5")
        if case.saved_model:
            built.save(FOLDER / name, save_format="tf")


for name, case in CASES.items():
    if GENERATION in case.generations:
        save(name, case)
