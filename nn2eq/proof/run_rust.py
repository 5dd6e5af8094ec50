"""Texts in Rust, compiled by rustc with every warning an error."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
${allow}mod text;

fn main() {
    let bytes = std::fs::read("x.bin").unwrap();
    let mut answers = Vec::new();
    for row in bytes.chunks_exact(8 * $inputs) {
        let mut x = [0.0_f64; $inputs];
        for (value, eight) in x.iter_mut().zip(row.chunks_exact(8)) {
            *value = f64::from_le_bytes(eight.try_into().unwrap());
        }
        $call
    }
    std::fs::write("y.bin", answers).unwrap();
}
"""
BUILD = ("rustc", "--edition", "2021", "-O", "-D", "warnings", "main.rs")
TOOLCHAIN = Toolchain("text.rs", {"main.rs": MAIN}, (BUILD, ("./main",)))


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Compile and run a text at x (n, inputs)."""
    several = re.search(rf"pub fn {re.escape(name)}\([^)]*\) -> \(", text)
    numbers = "y.iter().chain(jacobian.iter())" if several else "y.iter()"
    names = "(y, jacobian)" if several else "y"
    call = f"let {names} = text::{name}(&x); answers.extend({numbers}.flat_map(|value| value.to_le_bytes()));"
    # Only one of several functions is called.
    allow = "#[allow(dead_code)]\n" if text.count("pub fn ") > 1 else ""
    return TOOLCHAIN.run(text, x, name, call=call, allow=allow)
