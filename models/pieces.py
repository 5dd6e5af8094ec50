"""The linear pieces of a ReLU network with one input and one output, in exact arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

# A function on an interval, unit by unit: (slope, offset).
Lines = tuple[tuple[Fraction, Fraction], ...]


@dataclass(frozen=True)
class AffineLayer:
    """A kernel (inputs, units) and a bias (units,) as fractions."""

    kernel: tuple[tuple[Fraction, ...], ...]
    bias: tuple[Fraction, ...]

    @classmethod
    def of(cls, kernel: Sequence[Sequence[float]], bias: Sequence[float]) -> "AffineLayer":
        """The layer with exactly these weights."""
        return cls(tuple(tuple(map(Fraction, row)) for row in kernel), tuple(map(Fraction, bias)))

    def apply(self, lines: Lines) -> Lines:
        """The pre-activations of the units, where the inputs are these lines."""
        columns = list(zip(*self.kernel, strict=True))
        return tuple(
            (
                sum((weight * slope for weight, (slope, _) in zip(column, lines, strict=True)), Fraction(0)),
                sum((weight * offset for weight, (_, offset) in zip(column, lines, strict=True)), bias),
            )
            for column, bias in zip(columns, self.bias, strict=True)
        )


@dataclass(frozen=True)
class Piece:
    """An interval on which all units are lines."""

    low: Fraction
    high: Fraction
    lines: Lines

    def relu(self) -> list["Piece"]:
        """The pieces of max(0, ·) of each line, cut where a line crosses zero."""
        roots = {-offset / slope for slope, offset in self.lines if slope}
        ends = [self.low, *sorted(root for root in roots if self.low < root < self.high), self.high]
        return [Piece(low, high, self.positive((low + high) / 2)) for low, high in pairwise(ends)]

    def positive(self, inside: Fraction) -> Lines:
        """The lines that are positive at a point, zero for the others."""
        nothing = (Fraction(0), Fraction(0))
        return tuple(line if line[0] * inside + line[1] > 0 else nothing for line in self.lines)


def linear_pieces(networks: Sequence[Sequence[AffineLayer]], low: float, high: float) -> list[Piece]:
    """The pieces on [low, high] of these networks one after the other, each ReLU but for its last layer."""
    pieces = [Piece(Fraction(low), Fraction(high), ((Fraction(1), Fraction(0)),))]
    for network in networks:
        for layer in network:
            pieces = [Piece(piece.low, piece.high, layer.apply(piece.lines)) for piece in pieces]
            if layer is not network[-1]:
                pieces = [part for piece in pieces for part in piece.relu()]
    return merged(pieces)


def merged(pieces: list[Piece]) -> list[Piece]:
    """Neighbours on the same line as one piece."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].lines == piece.lines:
            piece = Piece(joined.pop().low, piece.high, piece.lines)
        joined.append(piece)
    return joined
