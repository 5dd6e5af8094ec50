"""Texts in Octave, which are MATLAB too, run by Octave."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
file = fopen('x.bin');
x = fread(file, [$inputs, $samples], 'double', 0, 'ieee-le')';
fclose(file);
$call
file = fopen('y.bin', 'w');
fwrite(file, y', 'double', 0, 'ieee-le');
fclose(file);
"""
COMMANDS = (("octave-cli", "--norc", "--silent", "--no-history", "run_text.m"),)
TOOLCHAIN = Toolchain("$name.m", {"run_text.m": MAIN}, COMMANDS)


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Run a text at x (n, inputs)."""
    found = re.search(rf"^function \[([\w, ]+)\] = {re.escape(name)}\(", text, re.MULTILINE)
    call = f"y = {name}(x);"
    if found:
        pages = {"jacobian": "[1, 3, 2]", "hessian": "[1, 4, 3, 2]"}
        rows = (f"reshape(permute({one}, {pages[one]}), rows(x), [])" for one in pages if one in found[1])
        call = f"[{found[1]}] = {name}(x);\ny = [y, {', '.join(rows)}];"
    return TOOLCHAIN.run(text, x, name, call=call)
