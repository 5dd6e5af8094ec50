"""Texts in R, run with every warning an error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
options(warn = 2)
source("text.R")
x <- matrix(readBin("x.bin", "double", $samples * $inputs, endian = "little"), ncol = $inputs, byrow = TRUE)
flat <- function(a) matrix(aperm(a, c(1, rev(seq_along(dim(a))[-1]))), nrow = nrow(x))
y <- $name(x)
if (is.list(y)) y <- do.call(cbind, lapply(y, flat))
writeBin(as.vector(t(y)), "y.bin", endian = "little")
"""
TOOLCHAIN = Toolchain("text.R", {"main.R": MAIN}, (("Rscript", "--vanilla", "main.R"),))


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Run a text at x (n, inputs)."""
    return TOOLCHAIN.run(text, x, name)
