"""Texts in Go, looked at by `go vet` and compiled."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
package main

import (
	"encoding/binary"
	"math"
	"os"
)

func main() {
	bytes, err := os.ReadFile("x.bin")
	if err != nil {
		panic(err)
	}
	var answers []byte
	for row := 0; row < $samples; row++ {
		var x [$inputs]float64
		for k := range x {
			x[k] = math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*(row*$inputs+k):]))
		}
		$call
		for _, value := range found {
			var eight [8]byte
			binary.LittleEndian.PutUint64(eight[:], math.Float64bits(value))
			answers = append(answers, eight[:]...)
		}
	}
	if err := os.WriteFile("y.bin", answers, 0o600); err != nil {
		panic(err)
	}
}
"""
COMMANDS = (
    ("go", "vet", "main.go", "text.go"),
    ("go", "build", "-o", "main", "main.go", "text.go"),
    ("./main",),
)
TOOLCHAIN = Toolchain("text.go", {"main.go": MAIN}, COMMANDS)


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Compile and run a text at x (n, inputs)."""
    several = re.search(rf"func {re.escape(name)}\([^)]*\) \(", text)
    call = f"found := {name}(x)"
    if several:
        call = f"y, jacobian := {name}(x)\n\t\tfound := append(y[:], jacobian[:]...)"
    return TOOLCHAIN.run(text, x, name, call=call)
