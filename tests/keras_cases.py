"""Small Keras models as texts, for both generations: save_keras_models.py saves them, test_reading.py reads.

A case is a list of layers as Python text, in which `L` is keras.layers and `K` keras itself.
"""

from __future__ import annotations

from dataclasses import dataclass

BOTH = (2, 3)


@dataclass(frozen=True)
class Case:
    """One model: its layers, its input's shape, the generations that have it, and what it is saved as."""

    layers: str
    shape: tuple[int, ...] = (4,)
    generations: tuple[int, ...] = BOTH
    functional: bool = False
    saved_model: bool = False
    tolerance: float = 2e-5


CASES = {
    "dense": Case("L.Dense(3, activation='tanh'), L.Dense(2)"),
    "dense_without_bias": Case("L.Dense(3, use_bias=False), L.Dense(2, activation='sigmoid')"),
    "dense_on_last_axis": Case("L.Dense(3, activation='softmax'), L.Dense(2)", (5, 4)),
    "dense_on_rank_4": Case("L.Dense(3, activation='tanh')", (2, 3, 4), functional=True),
    "twelve_layers": Case(", ".join(["L.Dense(4, activation='tanh')"] * 12)),
    "functional": Case("L.Dense(3, activation='elu'), L.Dropout(0.5), L.Dense(2)", functional=True),
    "layer_as_activation": Case(
        "L.Dense(3, activation=L.LeakyReLU(0.25)), L.Dense(2, activation=L.Softmax())"
    ),
    "function_as_activation": Case("L.Dense(3, activation=K.activations.relu), L.Dense(2)"),
    "activations": Case(
        ", ".join(
            f"L.Dense(4, activation={name!r})"
            for name in ("relu", "elu", "selu", "softplus", "softsign", "gelu", "swish", "mish", "sigmoid")
        ),
    ),
    "activation_layer": Case("L.Activation('softsign'), L.Dense(3), L.Activation('exponential')"),
    "hard_sigmoid": Case("L.Dense(3, activation='hard_sigmoid')"),
    "leaky_relu_function": Case("L.Dense(3), L.Activation('leaky_relu')", generations=(3,)),
    "glu": Case("L.Dense(3), L.Dense(6, activation='glu')", generations=(3,)),
    "log_softmax_on_last_axis": Case("L.Dense(3), L.Activation('log_softmax')", (5, 4), (3,)),
    "relu_layer": Case("L.Dense(3), L.ReLU()"),
    "relu_layer_with_all": Case("L.Dense(30), L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.25)"),
    "relu_layer_capped": Case("L.Dense(30), L.ReLU(max_value=0.5)"),
    "leaky_relu_layer": Case("L.Dense(3), L.LeakyReLU()"),
    "leaky_relu_2": Case("L.Dense(3), L.LeakyReLU(alpha=0.1)", generations=(2,)),
    "leaky_relu_3": Case("L.Dense(3), L.LeakyReLU(negative_slope=0.1)", generations=(3,)),
    "elu_layer": Case("L.Dense(3), L.ELU(alpha=0.7)"),
    "thresholded_relu": Case("L.Dense(30), L.ThresholdedReLU(theta=0.3)", generations=(2,)),
    "prelu": Case("L.Dense(3), L.PReLU()"),
    "prelu_shared": Case("L.Dense(3), L.PReLU(shared_axes=[1])", (5, 4)),
    "prelu_shared_last": Case("L.Dense(3), L.PReLU(shared_axes=[2])", (5, 4)),
    "prelu_on_rank_3": Case("L.Dense(3), L.PReLU()", (5, 4)),
    "softmax_layer": Case("L.Dense(3), L.Softmax()"),
    "softmax_on_last_axis": Case("L.Dense(3), L.Softmax(axis=2)", (5, 4)),
    "softmax_on_two_axes": Case("L.Dense(3), L.Softmax(axis=[1, 2])", (5, 4)),
    "batch_normalization": Case("L.Dense(3), L.BatchNormalization(), L.Dense(2)", functional=True),
    "batch_normalization_first": Case("L.BatchNormalization(epsilon=0.1), L.Dense(2)"),
    "batch_normalization_bare": Case("L.BatchNormalization(center=False, scale=False), L.Dense(2)"),
    "batch_normalization_unscaled": Case(
        "L.BatchNormalization(scale=False), L.BatchNormalization(center=False)"
    ),
    "batch_normalization_last_axis": Case("L.BatchNormalization()", (5, 4)),
    "batch_normalization_other_axis": Case("L.BatchNormalization(axis=1), L.Flatten(), L.Dense(2)", (5, 4)),
    "batch_normalization_frozen": Case(
        "L.Dense(3), L.BatchNormalization(trainable=False), L.Dense(2, trainable=False)"
    ),
    "layer_normalization": Case("L.Dense(5), L.LayerNormalization(), L.Dense(2)"),
    "layer_normalization_bare": Case(
        "L.Dense(5), L.LayerNormalization(center=False, scale=False, epsilon=0.01)"
    ),
    "layer_normalization_mixed": Case(
        "L.LayerNormalization(scale=False), L.LayerNormalization(center=False, scale=False), "
        "L.LayerNormalization(center=False)"
    ),
    "layer_normalization_last_axis": Case("L.LayerNormalization()", (5, 4)),
    "layer_normalization_two_axes": Case("L.LayerNormalization(axis=[1, 2])", (5, 4)),
    "normalization": Case("L.Normalization(), L.Dense(3)"),
    "normalization_inverted": Case("L.Dense(3), L.Normalization(invert=True)"),
    "normalization_given": Case(
        "L.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[0.5, 1.0, 0.0, 2.0]), L.Dense(3)"
    ),
    "normalization_given_scalar": Case("L.Normalization(mean=0.1, variance=0.3), L.Dense(3)"),
    "normalization_of_all": Case("L.Normalization(axis=None), L.Dense(3)"),
    "layer_normalization_rms": Case(
        "L.Dense(5), L.LayerNormalization(rms_scaling=True, scale=False), L.Dense(2)", generations=(3,)
    ),
    "rms_normalization": Case("L.Dense(5), L.RMSNormalization(epsilon=0.01), L.Dense(2)", generations=(3,)),
    "rms_normalization_two_axes": Case("L.RMSNormalization(axis=[1, 2]), L.Dense(2)", (5, 4), (3,)),
    "normalization_other_axis": Case("L.Normalization(axis=1)", (5, 4)),
    "normalization_two_axes": Case("L.Normalization(axis=(1, 2)), L.Dense(2)", (5, 4)),
    "rescaling": Case("L.Rescaling(1 / 255, offset=-0.5), L.Dense(3)"),
    "rescaling_by_axis": Case("L.Rescaling([1.0, 2.0, 0.5, 3.0], offset=[0.0, 1.0, 0.0, -1.0]), L.Dense(3)"),
    "flatten": Case("L.Flatten(), L.Dense(3)", (2, 3, 4)),
    "flatten_vector": Case("L.Flatten(), L.Dense(3)"),
    "reshape": Case("L.Reshape((2, 6)), L.Dense(3), L.Reshape((-1,)), L.Dense(2)", (12,)),
    "reshape_inferred": Case("L.Reshape((-1, 3)), L.Dense(2), L.Flatten()", (12,)),
    "dropouts": Case(
        "L.Dropout(0.2), L.Dense(6), L.GaussianDropout(0.1), L.GaussianNoise(0.1), L.AlphaDropout(0.1), "
        "L.ActivityRegularization(l2=0.01), L.Reshape((2, 3)), L.SpatialDropout1D(0.2), L.Flatten(), "
        "L.Dense(2)",
    ),
    "spatial_dropouts": Case(
        "L.SpatialDropout3D(0.1), L.Reshape((2, 3, 4)), L.SpatialDropout2D(0.1), L.Flatten(), L.Dense(2)",
        (1, 2, 3, 4),
    ),
    "identity": Case("L.Identity(), L.Dense(3)"),
    "nested": Case(
        "L.Dense(3), "
        "K.Sequential([L.Dense(4), L.BatchNormalization(), L.Dense(3, activation='tanh')]), L.Dense(2)",
        functional=True,
    ),
    "nested_twice": Case(
        "K.Sequential([K.Sequential([L.Dense(3), L.PReLU()]), L.BatchNormalization()]), L.Dense(2)"
    ),
    "nested_frozen": Case(
        "K.Sequential([L.Dense(4, trainable=False), L.BatchNormalization(trainable=False), L.Dense(3), "
        "L.BatchNormalization()]), L.Dense(2)",
    ),
    "nested_functional": Case(
        "L.Dense(3), nested(3), L.Dense(4), nested(4), L.Dense(2)", (3,), functional=True
    ),
    "names": Case("L.Dense(3, name='a.b-c'), L.Dense(3, name='dense_10'), L.Dense(2, name='dense_2')"),
    "names_with_spaces": Case(
        "L.Dense(3, name='a b, c'), L.Dense(2, name='d (e) \\'f\\'')", generations=(3,)
    ),
    "names_with_slashes": Case(
        "L.Dense(3, name='block/dense'), L.Dense(2, name='block/out')", generations=(2,)
    ),
    "everything": Case(
        "L.Normalization(), L.Rescaling(0.5, offset=1.0), L.Dense(6), L.LeakyReLU(), L.BatchNormalization(), "
        "L.Dropout(0.5), L.PReLU(), L.LayerNormalization(), L.Reshape((2, 3)), "
        "L.Dense(3, activation='tanh'), "
        "L.Flatten(), L.Activation('softsign'), "
        "K.Sequential([L.Dense(4), L.BatchNormalization(), L.Dense(3)]), L.Softmax()",
        saved_model=True,
    ),
    "everything_functional": Case(
        "L.Flatten(), L.Dense(4, activation='elu'), L.GaussianNoise(0.1), nested(4), L.Dense(2), L.ReLU()",
        (3, 2),
        functional=True,
        saved_model=True,
    ),
    "float64": Case("L.Dense(3, dtype='float64'), L.Dense(2, dtype='float64')"),
    "float16": Case("L.Dense(3, dtype='float16'), L.Dense(2, dtype='float16')", tolerance=2e-2),
    "bfloat16": Case(
        "L.Dense(3, dtype='bfloat16'), L.Dense(2, dtype='bfloat16')", generations=(3,), tolerance=1e-1
    ),
    "mixed_float16": Case(
        "L.Dense(3, dtype='mixed_float16'), L.Dense(2, dtype='mixed_float16')", tolerance=2e-2
    ),
}
