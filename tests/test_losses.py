"""The table of losses: what is printed of a row, what is run, and Keras' own loss are the same."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nn2eq import formula as fm
from nn2eq.activations import activation
from nn2eq.forms.arguments import ARGUMENTS
from nn2eq.forms.losses import COMPILED, LOSSES

ROWS = tuple(LOSSES.values())
STEP = 1e-6


def samples(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums z, outputs y and targets t, (n, 3) each, as they come with a loss."""
    random = np.random.default_rng(0)
    row = LOSSES[name]
    z = 2.0 * random.normal(size=(40, 3))
    y = activation(row.natural)(z) if row.natural else z
    t = random.dirichlet(np.ones(3), 40) if row.classes else random.uniform(0.0, 1.0, (40, 3))
    return z, y, t


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_slope_is_the_difference(row) -> None:
    _, y, t = samples(row.name)
    up, down = (fm.evaluate(row.node, {"y": y + step, "t": t}) for step in (STEP, -STEP))
    np.testing.assert_allclose(
        np.broadcast_to(fm.evaluate(row.derivative, {"y": y, "t": t}), y.shape), (up - down) / (2 * STEP), rtol=1e-5,
        atol=1e-7,
    )  # fmt: skip


@pytest.mark.parametrize("row", [row for row in ROWS if row.natural], ids=lambda row: row.name)
def test_what_is_run_is_what_is_printed(row) -> None:
    z, y, t = samples(row.name)
    found = row.criterion(row.natural)
    assert found.of_sums
    run, printed = (
        np.sum(fm.evaluate(node, {"z": z, "y": y, "t": t}), axis=1) for node in (found.term, row.node)
    )
    np.testing.assert_allclose(run, printed, rtol=1e-12)
    for unit in range(3):
        move = STEP * np.eye(3)[unit]
        up, down = (
            np.sum(fm.evaluate(found.term, {"z": z + sign * move, "t": t}), axis=1) for sign in (1, -1)
        )
        slope = fm.evaluate(found.slope, {"y": y, "t": t})[:, unit]
        np.testing.assert_allclose(slope, (up - down) / (2 * STEP), rtol=1e-6, atol=1e-8)
    far = fm.evaluate(found.term, {"z": np.array([[800.0, -800.0, 0.0]]), "t": np.array([[0.0, 1.0, 0.0]])})
    assert np.isfinite(far).all()


def test_probabilities_are_kept_as_keras_keeps_them() -> None:
    found = LOSSES["bce"].criterion("tanh")
    y = np.array([[-0.5, 0.0, 0.25, 1.0]])
    t = np.full(y.shape, 0.75)
    kept = np.clip(y, 1e-7, 1 - 1e-7)
    wanted = -(t * np.log(kept) + (1 - t) * np.log(1 - kept))
    np.testing.assert_allclose(fm.evaluate(found.term, {"y": y, "t": t}), wanted, rtol=1e-12)
    slope = fm.evaluate(found.slope, {"y": y, "t": t})
    np.testing.assert_allclose(slope, [[0.0, 0.0, (0.25 - 0.75) / (0.25 * 0.75), 0.0]], rtol=1e-12)


@pytest.mark.keras
@pytest.mark.parametrize("row", [row for row in ROWS if row.keras], ids=lambda row: row.name)
def test_keras_calls_it_so(row) -> None:
    """Every name means this loss to Keras, the mean over a batch of what the row says."""
    import keras

    _, y, t = samples(row.name)
    terms = fm.evaluate(row.node, {"y": y, "t": t})
    for name in row.keras:
        if name.lower().startswith("sparse"):
            t = np.eye(3)[np.argmax(t, axis=1)]
            terms = fm.evaluate(row.node, {"y": y, "t": t})
        try:
            loss = keras.losses.get(name)
        except ValueError:  # a name of another generation
            assert name == "huber_loss"
            continue
        given = np.argmax(t, axis=1) if name.lower().startswith("sparse") else t
        found = np.mean(np.asarray(loss(given, y)))
        wanted = np.mean(terms.mean(axis=1) if row.mean else terms.sum(axis=1))
        assert found == pytest.approx(wanted, rel=1e-5), name


def test_the_command_line_knows_every_row_and_no_mathematics() -> None:
    assert ARGUMENTS["loss"].choices == (*LOSSES, COMPILED)
    code = "import sys, nn2eq.forms.losses; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
