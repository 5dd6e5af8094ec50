"""Run by test_training.py, in a process of its own: networks in float64 and what TensorFlow says of their slopes.

Saves each network into the folder that it is given, and writes inputs, targets, Jacobians, Hessians, losses and
gradients by the weights as JSON.
"""

import json
import os
import sys
from pathlib import Path


def networks():
    """Yield names, layers, losses and the shape of an input."""
    import keras
    from keras import layers

    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(1)
    dense, normal, of_layer = layers.Dense, layers.BatchNormalization, layers.LayerNormalization
    yield "classes", [dense(4, "tanh"), normal(), dense(2, "softmax")], "categorical_crossentropy", (3,)
    yield "chance", [dense(5), layers.PReLU(), of_layer(), dense(1, "sigmoid")], "binary_crossentropy", (3,)
    yield "curve", [layers.Normalization(mean=[0.125, 0.25, 0.375], variance=[1.0, 2.0, 0.5]), dense(4, "silu"),
                    layers.Dropout(0.5), dense(3, use_bias=False), layers.Activation("selu")], "mse", (3,)  # fmt: skip
    places = [
        dense(3, "tanh"),
        normal(),
        layers.PReLU(shared_axes=[1]),
        of_layer(),
        layers.Flatten(),
        dense(2),
    ]
    yield "places", places, "huber", (4, 3)
    yield "channels", [normal(axis=1), layers.PReLU(shared_axes=[2]), dense(3)], "mse", (3, 3)
    yield (
        "steps",
        [dense(2, "relu"), of_layer(axis=[1, 2]), dense(1, "sigmoid")],
        "binary_crossentropy",
        (3, 2),
    )
    yield "still", [dense(4, "tanh"), normal(name="still", epsilon=0.25), dense(1)], "mse", (3,)
    yield "labels", [dense(4, "softplus"), dense(3, "softmax")], "sparse_categorical_crossentropy", (3,)
    yield (
        "clipped",
        [dense(4, "tanh"), dense(2), layers.Activation("hard_sigmoid")],
        "binary_crossentropy",
        (3,),
    )
    yield "median", [dense(4, "elu"), dense(3, "softmax")], "mae", (3,)


def answers(loss, shape, random):
    """Return what a network should answer: numbers of classes, or rows of numbers."""
    import numpy as np

    if loss == "sparse_categorical_crossentropy":
        return random.integers(shape[-1], size=shape[0])
    if loss == "categorical_crossentropy":
        return random.dirichlet(np.ones(shape[-1]), shape[0])
    return random.uniform(size=shape)


def answer(name, parts, loss, shape, folder):
    """Save a network, and return what the tape says: of gradients by weights, and of a vector's derivatives too."""
    import keras
    import numpy as np
    import tensorflow as tf

    random = np.random.default_rng(2)
    model = keras.Sequential([keras.layers.Input(shape), *parts])
    model.set_weights([w + 0.3 * np.abs(random.normal(size=w.shape)) for w in model.get_weights()])
    for layer in model.layers:
        if layer.name == "still":
            layer.gamma.assign(tf.zeros_like(layer.gamma))
    model.compile("sgd", loss=loss)
    model.save(Path(folder) / f"{name}.keras")
    x = tf.constant((3 if name == "clipped" else 1) * random.normal(size=(6, *shape)))
    arrays = {"x": x, **(derivatives(model, x) if len(shape) == 1 else {})}
    target = answers(loss, model(x).shape, random)
    with tf.GradientTape() as tape:
        total = tf.reduce_mean(keras.losses.get(loss)(tf.constant(target), model(x, training=False)))
    trained = [layer for layer in model.layers if layer.trainable_weights]
    found = tape.gradient(total, [layer.trainable_weights for layer in trained])
    arrays |= {"target": target, "loss": total}
    numbers = {key: np.asarray(value).tolist() for key, value in arrays.items()}
    return {**numbers, "gradients": [[np.asarray(g).tolist() for g in layer] for layer in found]}


def derivatives(model, x):
    """Return the answers, and their first and second derivatives by the inputs."""
    import tensorflow as tf

    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x, training=False)
        slopes = tape.batch_jacobian(y, x)
    return {"y": y, "jacobian": slopes, "hessian": outer.batch_jacobian(slopes, x)}


if __name__ == "__main__":
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    json.dump(
        {name: answer(name, parts, loss, shape, sys.argv[1]) for name, parts, loss, shape in networks()},
        sys.stdout,
    )
