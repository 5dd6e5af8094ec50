"""What the shipped models are fitted to: samples in original units with named columns, and their scalers."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Samples:
    """Inputs (samples, inputs), targets (samples, outputs) and the names of all their columns."""

    inputs: Array
    targets: Array
    names: tuple[str, ...]

    def csv(self) -> str:
        """A header of names, then a row a sample."""
        rows = np.hstack([self.inputs, self.targets])
        lines = (",".join(f"{value:.6g}" for value in row) for row in rows)
        return "\n".join([",".join(self.names), *lines]) + "\n"


@dataclass(frozen=True)
class Scale:
    """A scaler, column by column: scaled = base + (value - origin) / unit.

    It is written as the two kinds that people fit: minmax (low, high onto -1, 1) and standard (mean, sd).
    """

    kind: str
    origin: Array
    unit: Array
    base: float

    @classmethod
    def of(cls, kind: str, values: Array) -> "Scale":
        """The scaler of this kind fitted to values (samples, columns)."""
        if kind == "minmax":
            low, high = values.min(axis=0), values.max(axis=0)
            return cls(kind, low, (high - low) / 2, -1.0)
        return cls(kind, values.mean(axis=0), values.std(axis=0), 0.0)

    @classmethod
    def read(cls, text: str) -> "Scale":
        """The scaler that ``json`` wrote."""
        held = json.loads(text)
        if held["kind"] == "minmax":
            return cls.of("minmax", np.array([held["low"], held["high"]]))
        return cls("standard", np.array(held["mean"]), np.array(held["sd"]), 0.0)

    def apply(self, values: Array) -> Array:
        """From original units to the network's."""
        return self.base + (values - self.origin) / self.unit

    def undo(self, scaled: Array) -> Array:
        """From the network's units to the original ones."""
        return self.origin + (scaled - self.base) * self.unit

    def json(self) -> str:
        """The text that --scale-input and --scale-output read."""
        if self.kind == "minmax":
            ends = {"low": self.origin.tolist(), "high": (self.origin + 2 * self.unit).tolist()}
            return json.dumps({"kind": "minmax", **ends, "range": [-1, 1]})
        return json.dumps({"kind": "standard", "mean": self.origin.tolist(), "sd": self.unit.tolist()})


def rounded(inputs: Array, targets: Array, *names: str) -> Samples:
    """Samples with the six digits that the CSV file holds, so that file and fit have the same numbers."""
    six = np.vectorize(lambda value: float(f"{value:.6g}"), otypes=[np.float64])
    return Samples(six(inputs), six(targets), names)


def wavy_quadratic() -> Samples:
    """A parabola with a wave on it, y = x² + 10 sin x."""
    x = np.linspace(-5, 5, 201)[:, None]
    return rounded(x, x**2 + 10 * np.sin(x), "x", "y")


def vapour_pressure() -> Samples:
    """The vapour pressure of water by Antoine's equation: p in kPa at T between 1 and 100 °C."""
    celsius = np.linspace(1, 100, 100)[:, None]
    mmhg = 10 ** (8.07131 - 1730.63 / (233.426 + celsius))
    return rounded(celsius, 0.133322 * mmhg, "T", "p")


def circles() -> Samples:
    """Two concentric circles with noise; the target is 1 on the inner one."""
    points, inner = datasets.make_circles(n_samples=300, factor=0.45, noise=0.08, random_state=1)
    return rounded(points, inner[:, None].astype(np.float64), "x1", "x2", "inner")


def diabetes() -> Samples:
    """442 patients, ten measurements, the progression of the disease a year later."""
    table = datasets.load_diabetes(scaled=False)
    return rounded(table.data, table.target[:, None], *table.feature_names, "progression")


def iris() -> Samples:
    """150 flowers, four lengths in cm, three species."""
    table = datasets.load_iris()
    lengths = [name.removesuffix(" (cm)").replace(" ", "_") for name in table.feature_names]
    return rounded(table.data, np.eye(3)[table.target], *lengths, *map(str, table.target_names))


def four_inputs() -> Samples:
    """The function y = sin πx₁ + x₂x₃ + exp(−x₄²) at random points of the cube [-1, 1]⁴."""
    x = np.random.default_rng(4).uniform(-1, 1, (500, 4))
    y = np.sin(np.pi * x[:, :1]) + x[:, 1:2] * x[:, 2:3] + np.exp(-(x[:, 3:] ** 2))
    return rounded(x, y, "x1", "x2", "x3", "x4", "y")
