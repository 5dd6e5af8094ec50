"""The exact affine pieces of a network of ReLU and its kind, as a complex of cells.

The domain is one cell. Every layer's units are affine on every cell, and where one of them passes a
breakpoint it cuts all cells at once: a cut is its sign at every vertex, so dividing cells is counting, never
geometry (`faces`). Signs are found in floating point with a bound on the error, and in whole numbers where
that cannot tell (`functions`, `exact`): nothing is perturbed, and nothing is too thin to be seen.

A layer's cuts are made together where they lie in general position (`arrangement`, `lattice`; `line` with one
input, always), else one by one (`layer`).
"""

from nn2eq.cells.explore import Progress
from nn2eq.cells.find import regions
from nn2eq.cells.region import Region
from nn2eq.cells.result import Chapter, Joint, Regions
from nn2eq.cells.sewing import Completeness

__all__ = ["Chapter", "Completeness", "Joint", "Progress", "Region", "Regions", "regions"]
