"""All faces behind many cuts at once, from the vertices alone, where the cuts lie in general position.

Every new face lies within one face that was there before, its carrier, and the cuts have one sign each
throughout it, 0 where it lies on them; carrier and signs together are its name. A face bounds those of one
dimension more within the same carrier that leave one of its cuts, to either side, and those with the same
signs in the carriers above. So the whole lattice is found from below, by telling names apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.faces import Faces, Ids, Incidence, Signs

Longs = NDArray[np.int64]
A_WORD = 32
"""Signs in one word of a name, two bits each."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The faces there were before, of all dimensions in one numbering, the lowest first.

    first (dimension + 2,): where each dimension begins. Face f bounds above[start[f] : start[f + 1]]; side:
    of a cell's facet, the sign of the facet's plane within the cell, else 0.
    """

    first: Longs
    start: Longs
    above: Longs
    side: Signs

    @classmethod
    def of(cls, faces: Faces) -> Ground:
        """Number the faces."""
        counts = [faces.count(k) for k in range(faces.dimension + 1)]
        first = np.concatenate([[0], np.cumsum(counts)])
        edges = np.repeat(np.arange(counts[1]), 2)
        face = [edges, *(level.face for level in faces.above)]
        sub = [faces.ends.ravel(), *(level.sub for level in faces.above)]
        above = np.concatenate([some + first[k + 1] for k, some in enumerate(face)])
        below = np.concatenate([some + first[k] for k, some in enumerate(sub)])
        side = np.zeros(len(above), dtype=np.int8)
        if faces.above:
            side[len(above) - len(faces.above[-1].side) :] = faces.above[-1].side
        order = np.argsort(below)
        start = np.concatenate([[0], np.cumsum(np.bincount(below, minlength=first[-1]))])
        return cls(first, start, above[order], side[order])

    def over(self, faces: Longs) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return pairs of a row of `faces` and a place in `above`."""
        starts = self.start[faces]
        counts = self.start[faces + 1] - starts
        rows = np.repeat(np.arange(len(faces)), counts)
        return rows, np.arange(len(rows)) + (starts - np.cumsum(counts) + counts)[rows]


class Named(NamedTuple):
    """Faces of one dimension by name: carriers (faces,), signs (faces, cuts), and those as words (words, faces)."""

    carrier: Longs
    signs: Signs
    words: Longs

    @classmethod
    def of(cls, carrier: Longs, signs: Signs) -> Named:
        """Write signs as words."""
        word, unit = _digits(signs.shape[1])
        words = [((signs[:, word == w] + 1) * unit[word == w]).sum(axis=1) for w in range(int(word[-1]) + 1)]
        return cls(carrier, signs, np.stack(words))


class Above(NamedTuple):
    """Faces of one dimension more, and what bounds them: pairs in order of the faces, with sides."""

    faces: Named
    face: Ids
    sub: Ids
    side: Signs


def raised(below: Named, ground: Ground) -> Above | None:
    """Return the faces that those of one dimension bound; None if two names could not be told apart."""
    on, cut = np.nonzero(below.signs == 0)
    up, place = ground.over(below.carrier)
    sub = np.concatenate([on, on, up])
    carrier, words = below.carrier[sub], below.words[:, sub]
    carrier[2 * len(on) :] = ground.above[place]
    word, unit = _digits(below.signs.shape[1])
    leaves = np.arange(len(on))
    words[word[cut], leaves] += unit[cut]
    words[word[cut], leaves + len(on)] -= unit[cut]
    side = np.concatenate([np.repeat(np.array([1, -1], dtype=np.int8), len(on)), ground.side[place]])
    order, face, first = _alike(carrier, words)
    named = Named(carrier[first], _signs(below.signs[sub[first]], first, cut), words[:, first])
    if (named.carrier[face] != carrier[order]).any() or (named.words[:, face] != words[:, order]).any():
        return None
    return Above(named, face, sub[order].astype(np.int32), side[order])


def _alike(carrier: Longs, words: Longs) -> tuple[NDArray[np.intp], Ids, NDArray[np.intp]]:
    """Return pairs sorted by name, the number of each one's name, and the first of each."""
    keys = mixed(carrier, words)
    order = np.argsort(keys)
    keys = keys[order]
    new = np.concatenate([[True], keys[1:] != keys[:-1]])
    return order, np.cumsum(new, dtype=np.int32) - np.int32(1), order[new]


def _signs(signs: Signs, first: NDArray[np.intp], cut: NDArray[np.intp]) -> Signs:
    """Put in the sign of the cut that a face has left: the pairs begin with those to its positive side."""
    for begin, sign in ((0, 1), (len(cut), -1)):
        rows = np.flatnonzero((first >= begin) & (first < begin + len(cut)))
        signs[rows, cut[first[rows] - begin]] = sign
    return signs


def mixed(carrier: Longs, words: Longs) -> Longs:
    """Return one number for each name; different names may have the same, though hardly ever."""
    odd = _odd_numbers(len(words) + 1)
    keys: Longs = carrier * odd[0]
    for word, factor in zip(words, odd[1:], strict=True):
        keys += word * factor
    return keys


@cache
def _odd_numbers(count: int) -> Longs:
    """Return multipliers without pattern: the finaliser of SplitMix64."""
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return ((x ^ x >> np.uint64(31)) | np.uint64(1)).view(np.int64)


@cache
def _digits(cuts: int) -> tuple[NDArray[np.intp], Longs]:
    """Return in which word the sign of each cut stands, and what one stands for there."""
    cut = np.arange(cuts)
    return cut // A_WORD, np.left_shift(np.int64(1), 2 * (cut % A_WORD))


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
    if not np.array_equal(edges.face, np.repeat(np.arange(len(edges.faces.carrier)), 2)):
        return None
    none = np.zeros(0, dtype=np.int8)
    above = [Incidence(len(one.faces.carrier), one.face, one.sub, none) for one in upper]
    above[-1] = Incidence(above[-1].count, above[-1].face, above[-1].sub, upper[-1].side)
    return Faces(len(vertices.carrier), edges.sub.reshape(-1, 2), tuple(above)), named
