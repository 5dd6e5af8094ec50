"""An HDF5 file by itself: a legacy model or its weights, or Keras 3's weights store."""

from __future__ import annotations

from nn2eq.errors import DamagedFile
from nn2eq.reading import hdf5, legacy, store
from nn2eq.reading.archive import Archive


def read(data: bytes) -> Archive:
    """Read whichever of the formats it is."""
    file = hdf5.File(data, "the file")
    with hdf5.damage("it cannot be read"):
        if legacy.is_legacy(file.root):
            return legacy.read(file)
        if store.is_store(file.root):
            return store.read(file)
    raise DamagedFile(
        "an HDF5 file, but not of a Keras model: it has no model_config and no layer_names",
        code="not-a-model",
    )
