"""The table against Keras itself: names, answers, and slopes on breakpoints, in both generations."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from activation_laws import close, derivative

from nn2eq.activations import Activation, activation
from nn2eq.activations.lookup import names

# Whatever it works in, TensorFlow has the slope of its leaky kernel and the constants of gelu in float32.
FLOAT32 = 2e-7
TOLERANCE = 1e-12
LIBRARIES = {2: "tf_keras", 3: "keras"}

Z = [-1000.0, -40.0, -7.0, -3.5, *np.linspace(-2.9, 2.9, 15), 1e-3, 6.5, 40.0, 1000.0]
COUPLED_Z = [
    [0.3, -1.2, 0.3, 2.0],
    [-9.0, 0.0, 4.0, 4.5],
    [0.1, 0.2, 0.3, 0.15],
    [-3.0, -3.0, -3.2, -5.0],
    [-100.0, 50.0, 49.0, 0.5],
]


@dataclass(frozen=True)
class Question:
    """What a file may say, the call by which Keras answers it, and how near the answers are."""

    generation: int
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    call: str = ""
    tolerance: float = TOLERANCE

    @property
    def asked(self) -> str:
        """The call in Python."""
        given = "".join(f", {key}={value!r}" for key, value in self.arguments.items())
        return self.call or f"get({self.name!r})(x{given})"

    @property
    def activation(self) -> Activation:
        """What nn2eq makes of it."""
        major, minor = (int(part) for part in version(LIBRARIES[self.generation]).split(".")[:2])
        return activation(self.name, self.arguments, keras_major=major, keras_minor=minor)

    @property
    def z(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """A batch; for a scalar row its breakpoints are among the numbers."""
        if self.activation.row.coupled:
            return np.array(COUPLED_Z)
        if self.activation.per_unit:
            return np.array([[-1.0, -2.0], [0.0, 0.0], [3.0, 0.5]])
        return np.append(Z, self.activation.breakpoints)[:, np.newaxis]

    def __str__(self) -> str:
        """Name the question in a test's id."""
        return f"{self.generation}-{self.asked}"


BARE = [
    Question(generation, name, tolerance=FLOAT32 if name in ("leaky_relu", "gelu") else TOLERANCE)
    for generation in (2, 3)
    for name in names(generation)
    if name != "threshold"
]
WITH_ARGUMENTS = [
    Question(3, "threshold", {"threshold": 0.5, "default_value": 2.0}),
    Question(3, "threshold", {"threshold": -0.5, "default_value": -2.0}),
    Question(3, "elu", {"alpha": 0.5}),
    Question(2, "elu", {"alpha": 1.5}),
    Question(3, "celu", {"alpha": 2.5}),
    Question(3, "gelu", {"approximate": True}, tolerance=FLOAT32),
    Question(2, "gelu", {"approximate": True}, tolerance=FLOAT32),
    Question(3, "squareplus", {"b": 0.5}),
    Question(3, "hard_shrink", {"threshold": 1.25}),
    Question(3, "soft_shrink", {"threshold": 1.25}),
    Question(3, "leaky_relu", {"negative_slope": 0.35}, tolerance=FLOAT32),
    Question(2, "leaky_relu", {"alpha": 0.35}, tolerance=FLOAT32),
    Question(2, "relu", {"alpha": 0.35}, tolerance=FLOAT32),
    Question(2, "relu", {"alpha": 0.35, "max_value": 4.0, "threshold": 1.0}),
    Question(3, "relu", {"negative_slope": 0.35}, tolerance=FLOAT32),
    Question(3, "relu", {"max_value": 6.0}),
    Question(3, "relu", {"max_value": 4.0}),
    Question(3, "relu", {"threshold": 1.5}),
    Question(3, "relu", {"threshold": -1.5}),
    Question(3, "relu", {"negative_slope": 0.35, "threshold": 1.5}),
    Question(3, "relu", {"negative_slope": 0.35, "threshold": -1.5}),
    Question(3, "relu", {"negative_slope": 0.35, "max_value": 4.0}),
    Question(3, "relu", {"negative_slope": 0.35, "max_value": 4.0, "threshold": 1.5}),
    Question(3, "relu", {"negative_slope": 0.35, "max_value": 1.0, "threshold": 1.5}),
]
OF_LAYERS = [
    Question(2, "thresholded_relu", {"theta": 1.5}, "layers.ThresholdedReLU(theta=1.5, dtype='float64')(x)"),
    *(
        Question(
            generation,
            "prelu",
            {"alpha": np.array([0.25, -0.5])},
            "layers.PReLU(alpha_initializer=lambda shape, dtype=None: [0.25, -0.5], dtype='float64')(x)",
        )
        for generation in (2, 3)
    ),
    *(
        Question(
            generation,
            "layer_normalization",
            {"epsilon": 0.01},
            "layers.LayerNormalization(epsilon=0.01, dtype='float64')(x)",
        )
        for generation in (2, 3)
    ),
    Question(
        3, "variance_scaling", {"epsilon": 0.01},
        "layers.LayerNormalization(epsilon=0.01, rms_scaling=True, dtype='float64')(x)",
    ),
    Question(
        3, "rms_normalization", {"epsilon": 0.01}, "layers.RMSNormalization(epsilon=0.01, dtype='float64')(x)"
    ),
]  # fmt: skip
QUESTIONS = [*BARE, *WITH_ARGUMENTS, *OF_LAYERS]
SCALAR = [place for place, question in enumerate(QUESTIONS) if not question.activation.row.coupled]

# Where TensorFlow's slope is not the function's: at 0, max(z, 0) and min(z, 0) both pass theirs on.
TENSORFLOW_ERRS = {("celu", 0.0): 2.0}

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def keras() -> dict[str, Any]:
    """Ask all questions at once, in a process of its own."""
    pytest.importorskip("tf_keras", reason="pip install nn2eq[keras]")
    asked = json.dumps([(question.generation, question.asked, question.z.tolist()) for question in QUESTIONS])
    script = Path(__file__).with_name("answer_as_keras.py")
    done = subprocess.run([sys.executable, script], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered


@pytest.mark.parametrize("generation", [2, 3])
def test_the_table_has_the_names_that_keras_has(keras: dict[str, Any], generation: int) -> None:
    assert list(names(generation)) == keras["names"][str(generation)]


@pytest.mark.parametrize("place", range(len(QUESTIONS)), ids=lambda place: str(QUESTIONS[place]))
def test_the_table_answers_as_keras(keras: dict[str, Any], place: int) -> None:
    question = QUESTIONS[place]
    a, expected = question.activation(question.z), np.array(keras["asked"][place]["answers"])
    close(a, expected, question.tolerance * np.maximum(1.0, np.abs(expected)), a)


@pytest.mark.parametrize("place", SCALAR, ids=lambda place: str(QUESTIONS[place]))
def test_the_slopes_are_tensorflows_on_breakpoints_too(keras: dict[str, Any], place: int) -> None:
    question = QUESTIONS[place]
    z, slopes = question.z, derivative(question.activation, question.z, question.activation(question.z))
    expected = np.array(keras["asked"][place]["slopes"])
    for (name, where), wrong in TENSORFLOW_ERRS.items():
        here = (z == where) & (question.activation.row.name == name)
        assert np.all(expected[here] == wrong)
        expected[here] = slopes[here]
    close(slopes, expected, 10 * question.tolerance * np.maximum(1.0, np.abs(expected)), z)
