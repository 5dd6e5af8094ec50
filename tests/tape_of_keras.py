"""Run by test_training.py, in a process of its own: networks in float64 and what TensorFlow says of their slopes.

Saves each network into the folder that it is given, and writes inputs, targets, Jacobians, Hessians, losses and
gradients by the weights as JSON.
"""

import json
import os
import sys
from pathlib import Path

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


def networks():
    """Yield names, networks and losses."""
    import keras
    from keras import layers

    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(1)
    dense = layers.Dense
    yield "classes", [dense(4, "tanh"), layers.BatchNormalization(), dense(2, "softmax")], "cce"
    yield "chance", [dense(5), layers.PReLU(), layers.LayerNormalization(), dense(1, "sigmoid")], "bce"
    yield "curve", [layers.Normalization(mean=[0.125, 0.25, 0.375], variance=[1.0, 2.0, 0.5]), dense(4, "silu"),
                    layers.Dropout(0.5), dense(3, use_bias=False), layers.Activation("selu")], "mse"  # fmt: skip


def answer(name, parts, loss, folder):
    """Save a network, and return what the tape says."""
    import keras
    import numpy as np
    import tensorflow as tf

    random = np.random.default_rng(2)
    model = keras.Sequential([keras.layers.Input((3,)), *parts])
    model.set_weights([w + 0.3 * np.abs(random.normal(size=w.shape)) for w in model.get_weights()])
    model.save(Path(folder) / f"{name}.keras")
    x = tf.constant(random.normal(size=(6, 3)))
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x, training=False)
        slopes = tape.batch_jacobian(y, x)
    curved = outer.batch_jacobian(slopes, x)
    target = random.dirichlet(np.ones(y.shape[1]), 6) if loss == "cce" else random.uniform(size=y.shape)
    with tf.GradientTape() as tape:
        kind = {"cce": "categorical_crossentropy", "bce": "binary_crossentropy", "mse": "mean_squared_error"}[
            loss
        ]
        total = tf.reduce_mean(keras.losses.get(kind)(tf.constant(target), model(x, training=False)))
    trained = [layer for layer in model.layers if layer.trainable_weights]
    found = tape.gradient(total, [layer.trainable_weights for layer in trained])
    arrays = {"x": x, "y": y, "jacobian": slopes, "hessian": curved, "target": target, "loss": total}
    numbers = {key: np.asarray(value).tolist() for key, value in arrays.items()}
    return {
        **numbers,
        "kind": loss,
        "gradients": [[np.asarray(g).tolist() for g in layer] for layer in found],
    }


if __name__ == "__main__":
    json.dump({name: answer(name, parts, loss, sys.argv[1]) for name, parts, loss in networks()}, sys.stdout)
