"""A page read back: the mathematics in it."""

from nn2eq.proof.run_mathml import run as run  # a page's <math> is read as any other
