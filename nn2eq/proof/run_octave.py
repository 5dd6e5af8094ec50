"""Texts in Octave, which are MATLAB too, run by Octave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
file = fopen('x.bin');
x = fread(file, [$inputs, $samples], 'double', 0, 'ieee-le')';
fclose(file);
y = $name(x);
file = fopen('y.bin', 'w');
fwrite(file, y', 'double', 0, 'ieee-le');
fclose(file);
"""
COMMANDS = (("octave-cli", "--norc", "--silent", "--no-history", "run_text.m"),)
TOOLCHAIN = Toolchain("$name.m", {"run_text.m": MAIN}, COMMANDS)


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Run a text at x (n, inputs)."""
    return TOOLCHAIN.run(text, x, name)
