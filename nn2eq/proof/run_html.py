"""A page read back: the mathematics in it, as any other <math>."""

from nn2eq.proof.run_mathml import latex as latex
from nn2eq.proof.run_mathml import run as run
