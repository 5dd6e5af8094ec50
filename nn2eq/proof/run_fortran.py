"""Texts in Fortran, compiled by gfortran as Fortran 2008 with every warning an error."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import Answer

MAIN = """
program main
  use, intrinsic :: iso_fortran_env, only: real64
  use $module, only: $name
  implicit none
  real(real64) :: x($inputs)$declared
  integer :: in, out, row
  open(newunit=in, file='x.bin', access='stream', form='unformatted', action='read')
  open(newunit=out, file='y.bin', access='stream', form='unformatted', action='write')
  do row = 1, $samples
    read(in) x
    $call
  end do
end program
"""
# The text's function takes x even if its answer is the same everywhere.
STRICT = ("-std=f2008", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wno-unused-dummy-argument")
BUILD = ("gfortran", *STRICT, "text.f90", "main.f90", "-o", "main")
TOOLCHAIN = Toolchain("text.f90", {"main.f90": MAIN}, (BUILD, ("./main",)))


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Compile and run a text at x (n, inputs)."""
    found = re.search(rf"subroutine {re.escape(name)}\(\w+, (\w+), (\w+)\)", text)
    sizes = re.findall(r"intent\(out\) :: \w+\(([\d, ]+)\)", text)
    if found and len(sizes) == 2:
        declared = f", y({sizes[0]}), jacobian({sizes[1]})"
        call = f"call {name}(x, y, jacobian); write(out) y, transpose(jacobian)"
    else:
        declared, call = "", f"write(out) {name}(x)"
    module = re.search(r"^\s*module (\w+)", text, re.MULTILINE | re.IGNORECASE)
    home = module[1] if module else f"{name}_module"
    return TOOLCHAIN.run(text, x, name, declared=declared, call=call, module=home)
