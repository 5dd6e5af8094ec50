"""Networks for measuring: random weights in files as Keras would write them, made without Keras."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np


def write_h5(path: Path, sizes: Sequence[int], activation: str, *, seed: int = 0) -> Path:
    """Write a Sequential of Dense layers in the legacy HDF5 layout; the last layer is linear."""
    generator = np.random.default_rng(seed)
    layers = [{"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, sizes[0]]}}]
    with h5py.File(path, "w") as file:
        weights = file.create_group("model_weights")
        names = []
        for number, (inputs, units) in enumerate(pairwise(sizes), start=1):
            name = f"dense_{number}"
            names.append(name)
            function = "linear" if number == len(sizes) - 1 else activation
            config = {"name": name, "units": units, "activation": function, "use_bias": True}
            layers.append({"class_name": "Dense", "config": config})
            group = weights.create_group(name)
            kernel = generator.normal(0, inputs**-0.5, (inputs, units)).astype(np.float32)
            group[f"{name}/kernel:0"] = kernel
            group[f"{name}/bias:0"] = generator.normal(0, 0.1, units).astype(np.float32)
            group.attrs["weight_names"] = np.array([f"{name}/kernel:0", f"{name}/bias:0"], dtype="S")
        weights.attrs["layer_names"] = np.array(names, dtype="S")
        config = {"class_name": "Sequential", "config": {"name": "network", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["backend"] = "tensorflow"
    return path
