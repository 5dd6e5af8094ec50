"""Texts in JavaScript, run by Node."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
import { readFileSync, writeFileSync } from "node:fs";
import { $name } from "./text.mjs";

const bytes = readFileSync("x.bin");
const x = new Float64Array(bytes.buffer, bytes.byteOffset, $samples * $inputs);
const answers = [];
for (let row = 0; row < $samples; row++)
  answers.push(...$name(Array.from(x.subarray(row * $inputs, (row + 1) * $inputs))).flat());
writeFileSync("y.bin", new Uint8Array(Float64Array.from(answers).buffer));
"""
TOOLCHAIN = Toolchain("text.mjs", {"main.mjs": MAIN}, (("node", "main.mjs"),))


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Run a text at x (n, inputs)."""
    return TOOLCHAIN.run(text, x, name)
