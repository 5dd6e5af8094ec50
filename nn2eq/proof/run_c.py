"""Texts in C, compiled by gcc as C99 with every warning an error."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import Disagreement
from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = r"""
#include <stdio.h>
#include "text.c"

int main(void) {
    static double read[$inputs];
    static $real x[$inputs], y[${NAME}_OUTPUTS];
    FILE *in = fopen("x.bin", "rb"), *out = fopen("y.bin", "wb");
    if (!in || !out) return 1;
    while (fread(read, sizeof *read, $inputs, in) == $inputs) {
        for (int k = 0; k < $inputs; ++k) x[k] = ($real)read[k];
        $name(x, y);
        for (int k = 0; k < ${NAME}_OUTPUTS; ++k) {
            const double value = y[k];
            if (fwrite(&value, sizeof value, 1, out) != 1) return 1;
        }
    }
    return fclose(out) || fclose(in);
}
"""
STRICT = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
TOOLCHAIN = Toolchain(
    "text.c", {"main.c": MAIN}, (("gcc", *STRICT, "main.c", "-o", "main", "-lm"), ("./main",))
)


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Compile and run a text at x (n, inputs)."""
    signature = re.search(rf"\bvoid\s+{re.escape(name)}\s*\(\s*const\s+(double|float)\s*\*", text)
    if signature is None:
        raise Disagreement(f"the text defines no function {name}", code="text-fails")
    return TOOLCHAIN.run(text, x, name, real=signature[1], NAME=name.upper())
