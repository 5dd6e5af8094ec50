"""The one table of activations: a row each, and the one look-up by which a file's names find their rows."""

from __future__ import annotations

from nn2eq.activations.lookup import ROWS, TRANSFORMS, activation, filled, transform
from nn2eq.activations.row import Activation, Piece, Row, Segment

__all__ = ["ROWS", "TRANSFORMS", "Activation", "Piece", "Row", "Segment", "activation", "filled", "transform"]
