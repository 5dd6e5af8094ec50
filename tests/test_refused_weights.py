"""What a stranger's weights may try: links, sizes, types and counts; nothing is believed, each is refused by name."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import model_files as mf
import numpy as np
import pytest
from model_files import refused

KERNEL = "model_weights/dense/dense/kernel:0"


def put(path: str, make: Callable[[h5py.File, str], None]) -> mf.Edit:
    """Replace a data set."""

    def edit(file: h5py.File) -> None:
        del file[path]
        make(file, path)

    return edit


def external(file: h5py.File, path: str) -> None:
    file.create_dataset(path, (4, 3), "f4", external=[("/etc/hostname", 0, 48)])


def virtual(file: h5py.File, path: str) -> None:
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "kernel", (4, 3))
    file.create_virtual_dataset(path, layout)


def soft(file: h5py.File, path: str) -> None:
    file["elsewhere"] = mf.KERNELS[0]
    file[path] = h5py.SoftLink("/elsewhere")


def beyond(file: h5py.File, path: str) -> None:
    file[path] = h5py.ExternalLink("/etc/hostname", "/kernel")


@pytest.mark.parametrize(
    ("make", "code"), [(external, "storage"), (virtual, "storage"), (soft, "link"), (beyond, "link")]
)
def test_no_link_out_of_its_place_is_followed(tmp_path: Path, make: Callable[..., None], code: str) -> None:
    refused(mf.legacy(tmp_path / "a.h5", edit=put(KERNEL, make)), code, "kernel:0")
    data = mf.store(mf.plain_variables(), put("layers/dense/vars/0", make))
    refused(mf.keras(tmp_path / "a.keras", weights=data), code, "'dense'")


def test_a_link_in_the_middle_of_a_path(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file["elsewhere/kernel:0"] = mf.KERNELS[0]
        group = file["model_weights/dense"]
        group["sub"] = h5py.SoftLink("/elsewhere")
        group.attrs["weight_names"] = [b"sub/kernel:0", b"dense/bias:0"]

    refused(mf.legacy(tmp_path / "a.h5", edit=edit), "link", "sub/kernel:0")


@pytest.mark.parametrize("path", [b"/elsewhere/kernel:0", b"dense/kernel:0\0x"])
def test_paths_that_leave_their_group(tmp_path: Path, path: bytes) -> None:
    def edit(file: h5py.File) -> None:
        file["elsewhere/kernel:0"] = mf.KERNELS[0]
        file["model_weights/dense"].attrs["weight_names"] = np.array([path, b"dense/bias:0"], "S30")

    refused(mf.legacy(tmp_path / "a.h5", edit=edit), "link", "kernel:0", "'dense'")


def chunked(**how: Any) -> Callable[[h5py.File, str], None]:
    def make(file: h5py.File, path: str) -> None:
        file.create_dataset(path, dtype="f4", **how)

    return make


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (chunked(shape=(10**6, 10**6), chunks=(1000, 1000), compression="gzip"), "too-large"),
        (chunked(shape=(20000, 20000)), "storage"),
        (chunked(shape=(4, 3), chunks=(4, 3)), "storage"),
        (chunked(data=mf.KERNELS[0], chunks=(4, 3), compression="lzf"), "storage"),
    ],
    ids=("declared huge", "never written", "chunks never written", "an unusual filter"),
)
def test_no_size_is_believed(tmp_path: Path, make: Callable[..., None], code: str) -> None:
    refused(mf.legacy(tmp_path / "a.h5", edit=put(KERNEL, make)), code, "dense")


def test_a_chunk_that_explodes(tmp_path: Path) -> None:
    packed = zlib.compress(zlib.compress(bytes(100 << 20), 9), 9)

    def make(file: h5py.File, path: str) -> None:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((4, 3))
        plan.set_deflate(9)
        plan.set_deflate(9)
        space = h5py.h5s.create_simple((4, 3))
        place = file["model_weights/dense/dense"]
        made = h5py.h5d.create(place.id, b"kernel:0", h5py.h5t.IEEE_F32LE, space, dcpl=plan)
        made.write_direct_chunk((0, 0), packed)

    refused(mf.legacy(tmp_path / "a.h5", edit=put(KERNEL, make)), "storage", "compress")


@pytest.mark.parametrize(
    "array",
    [
        (mf.KERNELS[0] * 8).astype("i1"),
        np.full((4, 3), 2**63, "u8"),
        mf.KERNELS[0] > 0,
        mf.KERNELS[0] + 1j,
        np.zeros((4, 3), [("a", "f4")]),
        np.full((4, 3), b"0.5"),
        np.zeros((4, 3), "V4"),
        mf.KERNELS[0].astype(np.longdouble),
    ],
    ids=lambda array: str(array.dtype),
)
def test_weights_of_other_types(tmp_path: Path, array: Any) -> None:
    groups: dict[str, Any] = mf.plain_groups()
    groups["dense"]["dense/kernel:0"] = array
    refused(mf.legacy(tmp_path / "a.h5", groups=groups), "weight-dtype", "kernel", "'dense'")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    groups = mf.plain_groups()
    groups["dense_1"]["dense_1/bias:0"] = np.array([0.0, value], np.float32)
    refused(mf.legacy(tmp_path / "a.h5", groups=groups), "weight-value", "layer 2 'dense_1'", "bias")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("kernel", np.ones((4, 5))),
        ("kernel", mf.KERNELS[0].T.copy()),
        ("kernel", mf.KERNELS[0][:, :, None]),
        ("kernel", mf.KERNELS[0].ravel()),
        ("bias", np.ones(4)),
        ("bias", np.ones(1)),
        ("bias", np.float32(1)),
    ],
)
def test_weights_of_another_shape(tmp_path: Path, name: str, array: Any) -> None:
    groups: dict[str, Any] = mf.plain_groups()
    groups["dense"][f"dense/{name}:0"] = array
    refused(mf.legacy(tmp_path / "a.h5", groups=groups), "weight-shape", "layer 1 'dense'", name)
    variables = mf.plain_variables()
    variables["layers/dense"][name == "bias"] = array
    refused(
        mf.keras(tmp_path / "a.keras", weights=mf.store(variables)), "weight-shape", "layer 1 'dense'", name
    )


def test_weights_too_many_or_too_few(tmp_path: Path) -> None:
    impostor: dict[str, Any] = mf.plain_groups()
    impostor["dense"]["dense/mask:0"] = mf.KERNELS[0]
    renamed: dict[str, Any] = mf.plain_groups()
    renamed["dense"] = {"dense/kernel:0": mf.KERNELS[0], "dense/mask:0": mf.BIASES[0]}
    short: dict[str, Any] = mf.plain_groups()
    del short["dense"]["dense/bias:0"]
    missing = {"dense": mf.plain_groups()["dense"]}
    for groups, code in ((impostor, "weight-count"), (renamed, "weight-names"), (short, "weight-count"),
                         (missing, "weight-count")):  # fmt: skip
        refused(mf.legacy(tmp_path / "a.h5", groups=groups), code, "dense")
    for variables in (
        {**mf.plain_variables(), "layers/dense_2": [mf.BIASES[0]]},
        {**mf.plain_variables(), "layers/quantizer": [mf.BIASES[0]]},
        {**mf.plain_variables(), "layers/dense_01": [mf.BIASES[0]]},
        {**mf.plain_variables(), ".": [mf.BIASES[0]]},
        {"layers/dense": mf.plain_variables()["layers/dense"]},
        {
            "layers/dense": [*mf.plain_variables()["layers/dense"], mf.KERNELS[0]],
            "layers/dense_1": [mf.KERNELS[1]],
        },
    ):
        refused(mf.keras(tmp_path / "a.keras", weights=mf.store(variables)), "weight-count")


def test_weights_named_but_not_stored(tmp_path: Path) -> None:
    def remove(file: h5py.File) -> None:
        del file[KERNEL]

    refused(mf.legacy(tmp_path / "a.h5", edit=remove), "weight-missing", "kernel", "'dense'")


def test_a_root_of_a_negative_variance(tmp_path: Path) -> None:
    config = mf.sequential(mf.layer("BatchNormalization", name="bn", batch_input_shape=[None, 2]))
    weights = {f"bn/{name}:0": np.ones(2) for name in ("gamma", "beta", "moving_mean")}
    weights["bn/moving_variance:0"] = np.array([1.0, -1.0])
    refused(mf.legacy(tmp_path / "a.h5", config, {"bn": weights}), "weight-value", "'bn'", "moving_variance")
