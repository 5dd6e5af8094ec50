"""A SavedModel folder: Keras' metadata say what the layers are, a TensorFlow checkpoint holds their weights.

The graph in it is never loaded, let alone run. TensorFlow is imported only to read the checkpoint.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.reading import config, files, protobuf
from nn2eq.reading.archive import CONFIG_NAMES, SAVED_MODEL, Archive, Array, Group
from nn2eq.reading.limits import FILE_LIMIT, MIB
from nn2eq.reading.names import quoted

GRAPH, METADATA, WEIGHTS = "saved_model.pb", "keras_metadata.pb", "variables"
PREFIX = "variables"

_MODELS = (b"_tf_keras_sequential", b"_tf_keras_network")
_LAYER = "layer_with_weights-"
_VARIABLE = b"VARIABLE_VALUE"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

NODES_LIMIT = 100_000
"""Objects that a checkpoint may list."""

DESCRIPTION_LIMIT = 16 * MIB
"""Bytes of the description, and of the checkpoint's list of objects."""


def read(folder: str, *, settle: Callable[[int], None] = lambda size: None) -> Archive:
    """Read the model's description and its weights.

    The sha256 is that of the files used, each preceded by its name and its size, in the order of their names.
    """
    if not os.path.isfile(os.path.join(folder, GRAPH)):
        raise DamagedFile(f"a folder, but not a SavedModel: it holds no {GRAPH}", code="not-a-model")
    told, sha256 = _description(folder), digest(folder)
    config.understand(told, CONFIG_NAMES[SAVED_MODEL])
    load_checkpoint = _tensorflow()
    settle(0)
    prefix = os.path.join(folder, WEIGHTS, PREFIX)
    try:
        checkpoint = load_checkpoint(prefix)
        groups = _groups(checkpoint, _stored_bytes(folder))
    except DamagedFile:
        raise
    except Exception as error:  # TensorFlow raises nearly every kind of error, its own among them
        raise DamagedFile(
            f"{WEIGHTS}/ is not a sound checkpoint",
            code="checkpoint",
            where=quoted(f"{type(error).__name__}: {error}"),
        ) from None
    return Archive(SAVED_MODEL, layout="graph", config=told, sha256=sha256, groups=groups)


# -------------------------------------------------------------------------------------------- the description


def _description(folder: str) -> bytes:
    """Return the JSON of the model: from keras_metadata.pb, before Keras 2.5 from the object graph."""
    has_metadata = os.path.isfile(os.path.join(folder, METADATA))
    name = METADATA if has_metadata else GRAPH
    message = files.read_bytes(os.path.join(folder, name), DESCRIPTION_LIMIT)
    found = _metadata(message) if has_metadata else _objects(message)
    kind, text = next(found, (b"", b""))
    if kind not in _MODELS or not text:
        raise UnsupportedModel(
            "the SavedModel does not say of which layers it consists",
            code="needs-config",
            way_out="nn2eq reads Sequential and functional models saved by Keras 2, not exported ones",
        )
    return text


def _metadata(message: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and metadata of the object with the number 0, the model."""
    for node in protobuf.messages(message, 1):
        if not protobuf.whole(node, 2):
            yield protobuf.data(node, 4), protobuf.data(node, 5)


def _objects(message: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and metadata of the objects in a SavedModel, the model first."""
    for meta_graph in protobuf.messages(message, 2):
        for node in protobuf.messages(protobuf.data(meta_graph, 7), 1):
            user_object = protobuf.data(node, 4)
            yield protobuf.data(user_object, 1), protobuf.data(user_object, 3)


def _files(folder: str) -> list[str]:
    """Name the files that are used, relative to the folder."""
    try:
        parts = sorted(
            name for name in os.listdir(os.path.join(folder, WEIGHTS)) if name.startswith(PREFIX + ".")
        )
    except OSError:
        raise DamagedFile(f"it has no folder {WEIGHTS}", code="checkpoint") from None
    described = METADATA if os.path.isfile(os.path.join(folder, METADATA)) else GRAPH
    return [described, *(f"{WEIGHTS}/{name}" for name in parts)]


def digest(folder: str) -> str:
    """Return the sha256 of the files that are used, each behind its name and its size."""
    found, left = hashlib.sha256(), FILE_LIMIT
    for name in _files(folder):
        content = files.read_bytes(os.path.join(folder, name), left)
        left -= len(content)
        found.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        found.update(content)
    return found.hexdigest()


def _stored_bytes(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(folder, name)) for name in _files(folder))


# --------------------------------------------------------------------------------------------- the checkpoint


def _tensorflow() -> Callable[[str], Any]:
    """Import TensorFlow, quietly and without a look for graphics cards."""
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TF_ENABLE_ONEDNN_OPTS="0")
    try:
        from tensorflow.train import load_checkpoint
    except ImportError:
        raise UnsupportedModel(
            "the weights of a SavedModel lie in a TensorFlow checkpoint, and TensorFlow is not installed",
            code="needs-tensorflow",
            way_out="pip install 'nn2eq[keras]'",
        ) from None
    found: Callable[[str], Any] = load_checkpoint
    return found


def _groups(checkpoint: Any, stored_bytes: int) -> tuple[Group, ...]:
    """Walk the checkpoint's objects along `layer_with_weights-0` and so on, which lead to the layers."""
    graph = checkpoint.get_tensor(_OBJECT_GRAPH)
    sound = isinstance(graph, bytes) and len(graph) <= DESCRIPTION_LIMIT
    nodes = list(protobuf.messages(graph, 1)) if sound else []
    if not 0 < len(nodes) <= NODES_LIMIT:
        raise DamagedFile("the checkpoint does not list its objects", code="checkpoint")
    groups = []
    places: deque[tuple[int, tuple[str, ...]]] = deque([(0, ())])
    reader = _Reader(checkpoint, nodes, stored_bytes)
    seen = {0}
    while places:
        node, path = places.popleft()
        for name, child in reader.children(node):
            if name.startswith(_LAYER) and child not in seen:
                seen.add(child)
                groups.append(Group((*path, name), reader.variables(child)))
                places.append((child, (*path, name)))
    return tuple(group for group in groups if group.weights)


class _Reader:
    """The objects of a checkpoint, and how many bytes may still be taken from it."""

    def __init__(self, checkpoint: Any, nodes: list[bytes], stored_bytes: int) -> None:
        self.checkpoint, self.nodes, self.left = checkpoint, nodes, stored_bytes
        self.shapes = checkpoint.get_variable_to_shape_map()
        self.types = checkpoint.get_variable_to_dtype_map()

    def children(self, node: int) -> Iterator[tuple[str, int]]:
        """Yield the names and numbers of an object's children."""
        for child in protobuf.messages(self.nodes[node], 1):
            number = protobuf.whole(child, 1)
            if number >= len(self.nodes):
                raise DamagedFile(
                    "the checkpoint's objects refer to one that is not there", code="checkpoint"
                )
            yield protobuf.data(child, 2).decode("utf-8", "replace"), number

    def variables(self, node: int) -> tuple[tuple[str, Array], ...]:
        """Read the variables that a layer has by name; a second name of one of them does not count."""
        found: dict[int, tuple[str, Array]] = {}
        for name, child in self.children(node):
            for attribute in protobuf.messages(self.nodes[child], 2):
                if protobuf.data(attribute, 1) == _VARIABLE and child not in found:
                    found[child] = (
                        name,
                        self._tensor(protobuf.data(attribute, 3).decode("utf-8", "replace")),
                    )
        return tuple(found.values())

    def _tensor(self, key: str) -> Array:
        """Read one tensor, after its declared size was held against the bytes stored."""
        if key not in self.shapes:
            raise DamagedFile(f"the checkpoint holds no {quoted(key)}", code="weight-missing")
        self.left -= int(np.prod(self.shapes[key], dtype=object)) * self.types[key].size
        if self.left < 0:
            raise DamagedFile(f"{quoted(key)} is larger than the checkpoint's files", code="too-large")
        found = np.asarray(self.checkpoint.get_tensor(key))
        if found.dtype.kind in "iu" and found.ndim == 0:
            return found.astype(np.int64)
        if self.types[key].is_floating:
            return found.astype(np.float64 if found.dtype.itemsize == 8 else np.float32)
        raise UnsupportedModel(f"{quoted(key)} has the dtype {found.dtype}", code="weight-dtype")
