"""Keras 3's weights store (`.weights.h5`, also inside a `.keras`): groups named by class and counter."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import h5py

from nn2eq.errors import DamagedFile, Nn2eqError
from nn2eq.reading import hdf5
from nn2eq.reading.archive import STORE, Archive, Array, Group
from nn2eq.reading.names import quoted

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""Where a model keeps its layers: Keras 3 and TensorFlow 2.14 on, and 2.12 to 2.13."""

DEPTH_LIMIT = 32
"""How deep models may be nested in models."""

PLACES_LIMIT = 20_000
"""How many layers there may be; hard links can make endlessly many of few."""

VARIABLES_LIMIT = 64
"""How many variables one layer may have."""


@dataclass(frozen=True)
class _Place:
    """A group that belongs to a layer or a model, and the path to it without the containers' names."""

    group: h5py.Group
    path: tuple[str, ...]


def is_store(root: h5py.Group) -> bool:
    """Whether this is how the store begins."""
    return hdf5.has(root, "vars") or any(hdf5.has(root, name) for name in CONTAINERS)


def read(file: hdf5.File) -> Archive:
    """Read the variables of every layer, model by model; nothing else in the file is looked at."""
    groups: list[Group] = []
    places, seen = deque([_Place(file.root, ())]), 0
    while places:
        place, seen = places.popleft(), seen + 1
        if len(place.path) > DEPTH_LIMIT or seen > PLACES_LIMIT:
            raise DamagedFile(f"models are nested deeper than {DEPTH_LIMIT} levels", code="too-large")
        variables = _variables(file, place)
        if variables:
            groups.append(Group(place.path, variables))
        places.extend(_children(place))
    return Archive(STORE, layout="classes", groups=tuple(groups))


def _children(place: _Place) -> list[_Place]:
    """Return the layers of a model, in no particular order."""
    for container in CONTAINERS:
        if hdf5.has(place.group, container):
            inside = hdf5.group_at(place.group, container)
            found = [
                _Place(hdf5.group_at(inside, name), (*place.path, name)) for name in hdf5.members(inside)
            ]
            if found:
                return found
    return [] if place.path else _windows_children(place.group)


def _windows_children(root: h5py.Group) -> list[_Place]:
    r"""Files saved on Windows by early versions have all their groups in the root, named `layers\dense_1`."""
    found = []
    for name in hdf5.members(root):
        steps = name.split("\\")
        if len(steps) > 1 and set(steps[::2]) <= set(CONTAINERS) and len(steps) % 2 == 0:
            found.append(_Place(hdf5.group_at(root, name), tuple(steps[1::2])))
    return found


def _variables(file: hdf5.File, place: _Place) -> tuple[tuple[str, Array], ...]:
    """Return a layer's variables by number: "0", "1" and so on, in the order in which Keras created them."""
    if not hdf5.has(place.group, "vars"):
        return ()
    group = hdf5.group_at(place.group, "vars")
    names, label = hdf5.members(group), "/".join(place.path)
    if len(names) > VARIABLES_LIMIT or sorted(names) != sorted(str(number) for number in range(len(names))):
        raise DamagedFile(
            f"the variables in {label}/vars are not numbered 0 to {len(names) - 1}", code="weight-names"
        )
    found = []
    for number in map(str, range(len(names))):
        try:
            found.append((number, file.weight(group, number)))
        except Nn2eqError as error:
            error.where = error.where or f"variable {number} of {quoted(label)}"
            raise
    return tuple(found)
