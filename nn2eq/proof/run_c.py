"""Texts in C, compiled by gcc as C99 with every warning an error."""

from __future__ import annotations

import math
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
    static $real x[$inputs], y[$count];
    FILE *in = fopen("x.bin", "rb"), *out = fopen("y.bin", "wb");
    if (!in || !out) return 1;
    while (fread(read, sizeof *read, $inputs, in) == $inputs) {
        for (int k = 0; k < $inputs; ++k) x[k] = ($real)read[k];
        $call;
        for (int k = 0; k < $count; ++k) {
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


def _sizes(text: str, name: str) -> list[int]:
    """Return how many numbers each array of a function takes, as the comment above it says."""
    said = re.search(rf"^// (.*)\nvoid {re.escape(name)}\(", text, re.MULTILINE)
    shapes = re.findall(r"\btakes (\d+(?: x \d+)*)", said[1]) if said else []
    return [math.prod(map(int, shape.split(" x "))) for shape in shapes]


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Compile and run a text at x (n, inputs)."""
    signature = re.search(
        rf"\bvoid\s+{re.escape(name)}\s*\(\s*const\s+(double|float)\s*\*\s*\w+\s*((?:,\s*\w+\s*\*\s*\w+\s*)*)\)",
        text,
    )
    if signature is None:
        raise Disagreement(f"the text defines no function {name}", code="text-fails")
    outputs = re.search(r"^#define \w+_OUTPUTS (\d+)$", text, re.MULTILINE)
    if outputs is None:
        raise Disagreement("the text does not say how many outputs it has", code="text-fails")
    first = int(outputs[1])
    several = signature[2].count("*") > 1
    count = sum(_sizes(text, name)) or (first * (1 + x.shape[1]) if several else first)
    call = f"{name}(x, y, y + {first})" if several else f"{name}(x, y)"
    return TOOLCHAIN.run(text, x, name, real=signature[1], call=call, count=str(count))
