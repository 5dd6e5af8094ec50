"""Legacy HDF5 files (Keras 1, 2, 3 and tf.keras): a JSON attribute, and a group of named weights a layer."""

from __future__ import annotations

import h5py

from nn2eq.errors import DamagedFile, Nn2eqError
from nn2eq.reading import config, hdf5, json_text
from nn2eq.reading.archive import CONFIG_NAMES, HDF5, Archive, Group
from nn2eq.reading.losses import compiled_with
from nn2eq.reading.names import quoted


def is_legacy(root: h5py.Group) -> bool:
    """Whether this is how Keras' legacy format begins, the whole model or the weights alone."""
    return any(name in root.attrs for name in ("model_config", "layer_names", "layer_names0")) or hdf5.has(
        root, "model_weights"
    )


def read(file: hdf5.File) -> Archive:
    """Read the config, if it is there, and every layer's weights, in the order of `layer_names`."""
    root = file.root
    told = (hdf5.text(root, "model_config") or "").encode("utf-8", "surrogateescape")
    if told or "model_config" in root.attrs:
        config.understand(told, CONFIG_NAMES[HDF5])
    place = hdf5.group_at(root, "model_weights") if hdf5.has(root, "model_weights") else root
    version = hdf5.text(root, "keras_version") or hdf5.text(place, "keras_version") or ""
    return Archive(HDF5, "order", told, version, groups=_groups(file, place), loss=_loss(root))


def _loss(root: h5py.Group) -> str:
    """Return the loss of `training_config`, "" where there is none that can be read."""
    text = hdf5.text(root, "training_config")
    try:
        return (
            compiled_with({"training_config": json_text.parse(text.encode(), "training_config")})
            if text
            else ""
        )
    except (Nn2eqError, UnicodeError):
        return ""


def _groups(file: hdf5.File, place: h5py.Group) -> tuple[Group, ...]:
    """List groups as `layer_names` does; h5py goes by the alphabet, where dense_10 precedes dense_2."""
    names = hdf5.texts(place, "layer_names")
    if len(set(names)) < len(names):
        raise DamagedFile("layer_names lists a layer twice", code="duplicate-name")
    groups = [_group(file, place, name) for name in names]
    if hdf5.has(place, "top_level_model_weights"):
        groups.append(_group(file, place, "top_level_model_weights"))
    return tuple(group for group in groups if group.weights)


def _group(file: hdf5.File, place: h5py.Group, name: str) -> Group:
    try:
        group = hdf5.group_at(place, name)
        return Group(
            (name,), tuple((path, file.weight(group, path)) for path in hdf5.texts(group, "weight_names"))
        )
    except Nn2eqError as error:
        error.where = error.where or f"layer {quoted(name)}"
        raise
