"""All faces behind many cuts at once, from the vertices alone, where the cuts lie in general position.

Every new face lies within one face that was there before, its carrier, and the cuts have one sign each
throughout it, 0 where it lies on them; carrier and signs together are its name. A face bounds those of one
dimension more within the same carrier that leave one of its cuts, to either side, and those with the same
signs in the carriers above. So the whole lattice is found from below, by telling names apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.faces import Faces, Ids, Incidence, Signs, grouped, members, places

Longs = NDArray[np.int64]
Order = NDArray[np.intp]
Flags = NDArray[np.bool_]
A_WORD = 32
"""Signs in one word of a name, two bits each; the first word begins with the carrier, and has at most half as many."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The faces there were before, of all dimensions in one numbering, the lowest first.

    first (dimension + 2,): where each dimension begins. Face f bounds above[start[f] : start[f + 1]]; side:
    of a cell's facet, the sign of the facet's plane within the cell, else 0.
    """

    first: Longs
    start: Order
    above: Longs
    side: Signs

    @classmethod
    def of(cls, faces: Faces) -> Ground:
        """Number the faces."""
        counts = [faces.count(k) for k in range(faces.dimension + 1)]
        first = np.cumsum([0, *counts])
        face = [np.repeat(np.arange(counts[1]), 2), *(level.face for level in faces.above)]
        sub = [faces.ends.ravel(), *(level.sub for level in faces.above)]
        above = np.concatenate([some + first[k + 1] for k, some in enumerate(face)])
        below = np.concatenate([some + first[k] for k, some in enumerate(sub)])
        side = np.zeros(len(above), dtype=np.int8)
        side[len(above) - len(faces.above[-1].side) :] = faces.above[-1].side
        order, start = grouped(below, int(first[-1]))
        return cls(first, start, above[order], side[order])


@dataclass(frozen=True, eq=False)
class Named:
    """Faces of one dimension by name: signs (faces, cuts), and words (words, faces) of carrier and signs."""

    signs: Signs
    words: Longs

    @classmethod
    def of(cls, carrier: Longs, signs: Signs) -> Named:
        """Write the words."""
        word, unit = _digits(signs.shape[1])
        digits = (signs + 1) * unit
        words = [digits[:, word == w].sum(axis=1) for w in range(word.max() + 1)]
        words[0] += carrier << _room(signs.shape[1])
        return cls(signs, np.stack(words))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.signs)

    @cached_property
    def carrier(self) -> Longs:
        """The face that each lies in."""
        carrier: Longs = self.words[0] >> _room(self.signs.shape[1])
        return carrier

    @cached_property
    def on(self) -> tuple[Order, Order]:
        """Rows and cuts where a face lies on a cut."""
        return places(self.signs == 0)


class Above(NamedTuple):
    """Faces of one dimension more, and what bounds them: pairs in order of the faces, with sides of facets."""

    faces: Named
    face: Ids
    sub: Ids
    side: Signs


def raised(below: Named, ground: Ground) -> Above | None:
    """Return the faces that those of one dimension bound; None if two names could not be told apart."""
    (on, cut), (up, place) = below.on, members(ground.start, below.carrier)
    sub = np.concatenate([on, on, up])
    words = below.words.take(sub, axis=1)
    word, unit = _digits(below.signs.shape[1])
    unit, leaving = unit[cut], np.arange(len(on))
    words[word[cut], leaving] += unit
    words[word[cut], leaving + len(on)] -= unit
    words[0, 2 * len(on) :] += ground.above[place] - below.carrier[up] << _room(below.signs.shape[1])
    side = np.concatenate([np.ones_like(on, np.int8), np.full_like(on, -1, np.int8), ground.side[place]])
    told = told_apart(words)
    if told is None:
        return None
    order, new = told
    first = order[new]
    signs = below.signs.take(sub[first], axis=0)
    for begin, sign in ((0, 1), (len(on), -1)):
        rows = np.flatnonzero((first >= begin) & (first < begin + len(on)))
        signs[rows, cut[first[rows] - begin]] = sign
    face = np.cumsum(new, dtype=np.int32) - np.int32(1)
    named = Named(signs, words.take(first, axis=1))
    return Above(named, face, sub.astype(np.int32).take(order), side.take(order))


def told_apart(words: Longs) -> tuple[Order, Flags] | None:
    """Return columns of words (words, names) in an order that puts equal ones together, and which begin another name.

    None if two names could not be told apart. What is sorted are numbers that end in their columns, which takes a
    part of the time of argsort.
    """
    bits = words.shape[1].bit_length()
    fits = len(words) == 1 and words.max(initial=0) >> (63 - bits) == 0
    keys = np.sort((words[0] if fits else mixed(words) >> bits) << bits | np.arange(words.shape[1]))
    order = keys & (1 << bits) - 1
    keys >>= bits
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    if not fits:
        names = words.take(order, axis=1)
        if ((names[:, 1:] != names[:, :-1]).any(axis=0) != new[1:]).any():
            return None
    return order, new


def mixed(words: Longs) -> Longs:
    """Return one number for each name; different names may share one, though hardly ever."""
    mixture: Longs = (words * _odd_numbers(len(words))[:, None]).sum(axis=0)
    return mixture


@cache
def _odd_numbers(count: int) -> Longs:
    """Return multipliers without pattern: the finaliser of SplitMix64."""
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return ((x ^ x >> np.uint64(31)) | np.uint64(1)).view(np.int64)


@cache
def _digits(cuts: int) -> tuple[Order, Longs]:
    """Return in which word the sign of each cut stands, and what 1 is there."""
    place = np.arange(cuts)
    place[A_WORD // 2 :] += A_WORD // 2
    return place // A_WORD, np.left_shift(np.int64(1), 2 * (place % A_WORD))


def _room(cuts: int) -> int:
    """Return how many bits of the first word signs take: the carrier begins behind them."""
    return min(2 * cuts, A_WORD)


def lattice(vertices: Named, ground: Ground) -> tuple[Faces, list[Named]] | None:
    """Return all faces over these vertices, and their names by dimension; None if it must be done otherwise."""
    levels: list[Above] = []
    named = [vertices]
    for _ in range(len(ground.first) - 2):
        level = raised(named[-1], ground)
        if level is None:
            return None
        levels.append(level)
        named.append(level.faces)
    edges, *upper = levels
    if not np.array_equal(edges.face, np.repeat(np.arange(edges.faces.count), 2)):
        return None
    none = np.zeros(0, dtype=np.int8)
    above = [Incidence(one.faces.count, one.face, one.sub, none) for one in upper]
    above[-1] = replace(above[-1], side=upper[-1].side)
    one, two = edges.sub[::2], edges.sub[1::2]
    ends = np.stack([np.minimum(one, two), np.maximum(one, two)], axis=1)
    return Faces(vertices.count, ends, tuple(above)), named
