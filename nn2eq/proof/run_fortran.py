"""Texts in Fortran, compiled by gfortran as Fortran 2008 with every warning an error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
program main
  use, intrinsic :: iso_fortran_env, only: real64
  use ${name}_module, only: $name
  implicit none
  real(real64) :: x($inputs)
  integer :: in, out, row
  open(newunit=in, file='x.bin', access='stream', form='unformatted', action='read')
  open(newunit=out, file='y.bin', access='stream', form='unformatted', action='write')
  do row = 1, $samples
    read(in) x
    write(out) $name(x)
  end do
end program
"""
# The text's function takes x even if its answer is the same everywhere.
STRICT = ("-std=f2008", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wno-unused-dummy-argument")
BUILD = ("gfortran", *STRICT, "text.f90", "main.f90", "-o", "main")
TOOLCHAIN = Toolchain("text.f90", {"main.f90": MAIN}, (BUILD, ("./main",)))


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Compile and run a text at x (n, inputs)."""
    return TOOLCHAIN.run(text, x, name)
