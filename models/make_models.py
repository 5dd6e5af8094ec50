"""Make the shipped models again: ``python models/make_models.py [--check] [NAME...]``.

Each recipe is a row of ``RECIPES``: layers in Keras, and either samples to fit or weights set by hand. A fit
is made in float64 by L-BFGS from a few seeded starts (a small network needs a good minimum more than many
steps) and saved in float32; records.py says what is written. ``--check`` writes nothing and says whether what
it makes answers like the committed model.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras.layers import Dense, Normalization
from numpy.typing import NDArray
from pieces import AffineLayer, linear_pieces
from records import HERE, USUAL, Made, save, write_table
from samples import Samples, Scale, circles, diabetes, four_inputs, iris, vapour_pressure, wavy_quadratic
from scipy.optimize import minimize

STARTS = 4
TOLERANCE = 0.01  # of the span of the usual answers: L-BFGS follows the last bits of the machine's sums

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """How one model is made.

    layers builds fresh Keras layers from the samples; scale names the scaler of both ends (none: ""); decay
    is the L2 penalty on the trainable weights; weights are those of the layers, where they are set by hand.
    """

    about: str
    inputs: int
    layers: Callable[[Samples | None], list[keras.Layer]]
    samples: Callable[[], Samples] | None = None
    scale: str = ""
    loss: str = "mean_squared_error"
    decay: float = 1e-7
    weights: tuple[list[object], ...] = ()


def dense(*units: int, activation: str, last: str = "linear") -> list[keras.Layer]:
    """Dense layers of these sizes: all with one activation but the last."""
    return [*(Dense(size, activation=activation) for size in units[:-1]), Dense(units[-1], activation=last)]


def between_normalizations(samples: Samples | None) -> list[keras.Layer]:
    """10-8-1 softplus in original units: a Normalization adapted on the inputs, one inverted at the end."""
    assert samples is not None
    mean, variance = samples.targets.mean(axis=0), samples.targets.var(axis=0)
    back = Normalization(mean=mean.tolist(), variance=variance.tolist(), invert=True)
    return [adapted(samples), *dense(8, 1, activation="softplus"), back]


def adapted(samples: Samples | None) -> keras.Layer:
    """A Normalization layer that has seen the inputs."""
    assert samples is not None
    layer = Normalization()
    layer.adapt(samples.inputs)
    return layer


# Each of the pair maps [-1, 1] onto itself three times: first through (-1, -1), (-½, 1), (½, -1), (1, 1),
# second through (-1, -1), (0, 1), (½, -1), (1, 1).
FIRST = ([[1.0, 2.0, 2.0]], [2.0, 1.0, -1.0], [[4.0], [-3.0], [3.0]], [-5.0])
SECOND = ([[1.0, 2.0, 2.0]], [2.0, 0.0, -1.0], [[2.0], [-3.0], [4.0]], [-3.0])
TEXTBOOK = (
    [[-1.5, 1.0, 1.0]],
    [0.75, -0.5, -1.25],
    [[2.0, -2.0, 0.25], [0.5, -0.75, -0.5], [-0.75, -2.0, 1.5]],
    [-0.25, 1.0, 1.25],
    [[1.75], [-1.0], [0.75]],
    [-1.5],
)

RECIPES = {
    "dense_1-3-2-1_tanh": Recipe(
        "wavy quadratic y = x² + 10 sin x",
        1,
        lambda _: dense(3, 2, 1, activation="tanh"),
        samples=wavy_quadratic,
        scale="minmax",
    ),
    "dense_1-10-2-1_tanh": Recipe(
        "the same wavy quadratic, more units",
        1,
        lambda _: dense(10, 2, 1, activation="tanh"),
        samples=wavy_quadratic,
        scale="minmax",
        decay=1e-6,
    ),
    "dense_1-5-1_sigmoid": Recipe(
        "vapour pressure of water p in kPa at T in °C",
        1,
        lambda _: dense(5, 1, activation="sigmoid"),
        samples=vapour_pressure,
        scale="standard",
    ),
    "dense_1-3-3-1_relu": Recipe(
        "the textbook's deep network, weights set by hand: eight linear pieces on [0, 2]",
        1,
        lambda _: dense(3, 3, 1, activation="relu"),
        weights=TEXTBOOK,
    ),
    "dense_1-3-1_relu_first": Recipe(
        "first of a pair to compose, weights set by hand",
        1,
        lambda _: dense(3, 1, activation="relu"),
        weights=FIRST,
    ),
    "dense_1-3-1_relu_second": Recipe(
        "second of the pair: second(first(x)) has nine linear pieces on [-1, 1]",
        1,
        lambda _: dense(3, 1, activation="relu"),
        weights=SECOND,
    ),
    "dense_2-3-1_sigmoid": Recipe(
        "is a point on the inner of two concentric circles?",
        2,
        lambda _: dense(3, 1, activation="sigmoid", last="sigmoid"),
        samples=circles,
        loss="binary_crossentropy",
        decay=1e-4,
    ),
    "dense_10-8-1_softplus_normalization": Recipe(
        "progression of diabetes from ten measurements, Normalization at both ends",
        10,
        between_normalizations,
        samples=diabetes,
        decay=10.0,
    ),
    "dense_4-6-3_tanh_softmax_normalization": Recipe(
        "species of iris from four lengths in cm, Normalization in front",
        4,
        lambda samples: [adapted(samples), *dense(6, 3, activation="tanh", last="softmax")],
        samples=iris,
        loss="categorical_crossentropy",
        decay=1e-3,
    ),
    "dense_4-16-16-16-1_tanh": Recipe(
        "a smooth function of four inputs, for sizes and speed",
        4,
        lambda _: dense(16, 16, 16, 1, activation="tanh"),
        samples=four_inputs,
        decay=1e-5,
    ),
}


def build(name: str, recipe: Recipe, samples: Samples | None, dtype: str, seed: int) -> keras.Model:
    """The network of the recipe with fresh weights, in float64 to be fitted or in float32 to be saved."""
    keras.backend.clear_session()  # layers are then named dense, dense_1, … in every model
    keras.config.set_floatx(dtype)
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((recipe.inputs,)), *recipe.layers(samples)], name=name)


def objective(
    model: keras.Model, recipe: Recipe, x: Array, y: Array
) -> Callable[[Array], tuple[float, Array]]:
    """Loss and its gradient as a function of all trainable weights in one vector."""
    variables = [variable.value for variable in model.trainable_variables]
    loss = keras.losses.get(recipe.loss)

    @tf.function
    def evaluate() -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            squares = tf.add_n([tf.reduce_sum(variable**2) for variable in variables])
            value = tf.reduce_mean(loss(y, model(x))) + recipe.decay * squares
        return value, tape.gradient(value, variables)

    def at(weights: Array) -> tuple[float, Array]:
        spread(weights, model)
        value, slopes = evaluate()
        return float(value), np.concatenate([slope.numpy().ravel() for slope in slopes])

    return at


def spread(weights: Array, model: keras.Model) -> None:
    """Give each trainable variable its part of the vector."""
    start = 0
    for variable in model.trainable_variables:
        size = int(np.prod(variable.shape))
        variable.assign(weights[start : start + size].reshape(variable.shape))
        start += size


def fitted_weights(name: str, recipe: Recipe, samples: Samples, x: Array, y: Array) -> list[Array]:
    """The weights of the best of a few seeded starts."""
    best: tuple[float, list[Array]] | None = None
    for seed in range(STARTS):
        model = build(name, recipe, samples, "float64", seed)
        start = np.concatenate([variable.numpy().ravel() for variable in model.trainable_variables])
        options = {"maxiter": 4000, "maxfun": 6000, "maxcor": 30, "ftol": 1e-15, "gtol": 1e-9}
        found = minimize(objective(model, recipe, x, y), start, jac=True, method="L-BFGS-B", options=options)
        print(f"{name}: start {seed}: loss {found.fun:.3g} after {found.nit} steps", file=sys.stderr)
        if best is None or found.fun < best[0]:
            spread(found.x, model)
            best = found.fun, model.get_weights()
    assert best is not None
    return best[1]


def make(name: str) -> Made:
    """Fit one model, or set its weights, and measure it in the units of its samples."""
    recipe = RECIPES[name]
    if recipe.samples is None:
        model = build(name, recipe, None, "float32", 0)
        model.set_weights([np.array(weight, np.float32) for weight in recipe.weights])
        return Made(recipe.about, model)
    samples = recipe.samples()
    ends = [
        Scale.of(recipe.scale, values) if recipe.scale else None
        for values in (samples.inputs, samples.targets)
    ]
    x = ends[0].apply(samples.inputs) if ends[0] else samples.inputs
    y = ends[1].apply(samples.targets) if ends[1] else samples.targets
    weights = fitted_weights(name, recipe, samples, x, y)
    model = build(name, recipe, samples, "float32", 0)
    model.set_weights(weights)
    answers = model.predict(x, verbose=0).astype(np.float64)
    fit = quality(recipe, samples.targets, ends[1].undo(answers) if ends[1] else answers)
    return Made(recipe.about, model, samples, ends[0], ends[1], fit)


def quality(recipe: Recipe, targets: Array, answers: Array) -> str:
    """The error of a fit in a few words: root mean square and largest, or the share of right answers."""
    if recipe.loss == "binary_crossentropy":
        return f"{np.mean((answers > 0.5) == (targets > 0.5)):.1%} right"
    if recipe.loss == "categorical_crossentropy":
        return f"{np.mean(answers.argmax(axis=1) == targets.argmax(axis=1)):.1%} right"
    error = np.abs(answers - targets)
    root_mean_square, span = np.sqrt(np.mean(error**2)), np.ptp(targets)
    return f"RMSE {root_mean_square:.3g}, largest {error.max():.3g}, targets span {span:.3g}"


def agrees(name: str, made: Made) -> bool:
    """Whether the model made now answers the usual inputs like the committed one, within TOLERANCE."""
    recorded = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    before = np.array(recorded["outputs"][:USUAL])
    now = made.model.predict(np.array(recorded["inputs"][:USUAL], np.float32), verbose=0)
    worst = float(np.abs(now - before).max() / np.ptp(before))
    print(f"{name}: differs by {worst:.2g} of the span, {TOLERANCE:g} is allowed", file=sys.stderr)
    return worst <= TOLERANCE


def affine(*weights: list[object]) -> list[AffineLayer]:
    """The layers of a network whose weights are set by hand."""
    return [AffineLayer.of(kernel, bias) for kernel, bias in zip(weights[::2], weights[1::2], strict=True)]


def assert_pieces() -> None:
    """Hold what is said of the networks made by hand, in exact arithmetic."""
    for one in (FIRST, SECOND):
        assert len(linear_pieces([affine(*one)], -1, 1)) == 3
    assert len(linear_pieces([affine(*FIRST), affine(*SECOND)], -1, 1)) == 9
    assert len(linear_pieces([affine(*TEXTBOOK)], 0, 2)) == 8


def main() -> int:
    """Make all models or those named; the exit code says whether a checked one differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(RECIPES)}; all if omitted"
    )
    parser.add_argument("--check", action="store_true", help="write nothing, compare with what is committed")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(RECIPES):
        parser.error(f"no recipe makes {', '.join(sorted(unknown))}; there are {', '.join(RECIPES)}")
    for name in ("absl", "tensorflow"):  # HDF5 is legacy, functions are traced again: both on purpose
        logging.getLogger(name).setLevel(logging.ERROR)
    tf.config.experimental.enable_op_determinism()
    assert_pieces()
    same = True
    for name in asked.names or RECIPES:
        made = make(name)
        print(f"{name}: {made.fit or 'weights set by hand'}", file=sys.stderr)
        if asked.check:
            same &= agrees(name, made)
        else:
            save(made)
    if not asked.check:
        write_table(RECIPES)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
