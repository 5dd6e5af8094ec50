"""What real files do, one oddity at a time; each was seen in a file that somebody published."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import h5py
import model_files as mf
import numpy as np
import pytest
from model_files import agrees, refusal

from nn2eq.reading import read


def test_a_plain_file_of_each_container(tmp_path: Path) -> None:
    agrees(read(mf.legacy(tmp_path / "a.h5")))
    agrees(read(mf.keras(tmp_path / "a.keras")))


def test_the_bytes_decide_not_the_suffix(tmp_path: Path) -> None:
    found = read(mf.legacy(tmp_path / "a.keras"))
    agrees(found)
    assert found.source.container == "HDF5"
    assert read(mf.keras(tmp_path / "a.h5")).source.container == "keras zip"


def test_a_user_block_before_hdf5(tmp_path: Path) -> None:
    data = mf.legacy(tmp_path / "a.h5").read_bytes()
    with h5py.File(tmp_path / "b.h5", "w", userblock_size=1024) as file:
        source = h5py.File(io.BytesIO(data))
        file.attrs.update(source.attrs)
        source.copy("model_weights", file)
    agrees(read(tmp_path / "b.h5"))


def test_a_zip_in_which_hdf5_begins_where_a_user_block_would_end(tmp_path: Path) -> None:
    for size in range(1300, 2048):
        path = mf.keras(
            tmp_path / "a.keras", members={"config.json": json.dumps(mf.plain_config()).encode().ljust(size)}
        )
        if path.read_bytes().startswith(b"\x89HDF", 2048):
            break
    else:
        pytest.fail("no file was made in which it does")
    agrees(read(path))


def test_the_sha256_is_that_of_the_file(tmp_path: Path) -> None:
    from hashlib import sha256

    path = mf.legacy(tmp_path / "a.h5")
    assert read(path).source.sha256 == sha256(path.read_bytes()).hexdigest()


def test_a_config_that_is_a_bare_list(tmp_path: Path) -> None:
    config = {"class_name": "Sequential", "config": mf.plain_config()["config"]["layers"]}
    agrees(read(mf.legacy(tmp_path / "a.h5", config, version="2.1.3")))


def test_keras_1(tmp_path: Path) -> None:
    layers = [
        mf.layer("Dense", name="dense_1", output_dim=3, bias=True, activation="relu", input_dim=4),
        mf.layer("Dropout", name="dropout_1", p=0.5),
        mf.layer("Dense", name="dense_2", output_dim=2, activation="linear"),
    ]
    groups = {
        f"dense_{n}": {f"dense_{n}_W": kernel, f"dense_{n}_b": bias}
        for n, (kernel, bias) in enumerate(zip(mf.KERNELS, mf.BIASES, strict=True), start=1)
    }
    found = read(
        mf.legacy(tmp_path / "a.h5", {"class_name": "Sequential", "config": layers}, groups, version="")
    )
    agrees(found)
    assert found.source.keras_major == 1


def test_keras_1_batch_normalization_keeps_the_variance_in_running_std(tmp_path: Path) -> None:
    values = {"gamma": [2.0, 3.0], "beta": [0.5, 0.0], "running_mean": [1.0, 2.0], "running_std": [4.0, 9.0]}
    arrays = {f"bn_{name}": np.array(value, np.float32) for name, value in values.items()}
    config = mf.sequential(
        mf.layer("BatchNormalization", name="bn", mode=0, epsilon=0.0, batch_input_shape=[None, 2])
    )
    found = read(mf.legacy(tmp_path / "a.h5", config, {"bn": arrays}, version="1.2.2"))
    np.testing.assert_allclose(found.evaluate(np.array([[5.0, 5.0]])), [[2 * 4 / 2 + 0.5, 3 * 3 / 3]])
    config["config"]["layers"][0]["config"]["mode"] = 1
    assert refusal(mf.legacy(tmp_path / "b.h5", config, {"bn": arrays})).code == "unsupported-layer"


@pytest.mark.parametrize(
    "names",
    [
        ("scope/deep/dense/kernel:0", "scope/deep/dense/bias:0"),
        ("dense_7_1/kernel_2:0", "dense_7_1/bias_2:0"),
        ("sequential/dense/kernel", "sequential/dense/bias"),
        ("param_0", "param_1"),
    ],
)
def test_names_with_scopes(tmp_path: Path, names: tuple[str, str]) -> None:
    groups: dict[str, Any] = mf.plain_groups()
    groups["dense"] = dict(zip(names, (mf.KERNELS[0], mf.BIASES[0]), strict=True))
    agrees(read(mf.legacy(tmp_path / "a.h5", groups=groups)))


def test_a_layer_name_with_slashes_is_a_path(tmp_path: Path) -> None:
    config = mf.sequential(
        mf.dense("a/b/dense", 3, "relu", batch_input_shape=[None, 4]), mf.dense("a/b/out", 2)
    )
    groups = dict(zip(("a/b/dense", "a/b/out"), mf.plain_groups().values(), strict=True))
    agrees(read(mf.legacy(tmp_path / "a.h5", config, groups)))


def test_twelve_layers_are_not_in_alphabetical_order(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kernels = [rng.normal(size=(4, 4)) for _ in range(12)]
    config = mf.sequential(
        *(mf.layer("Dense", name=f"dense_{n}", units=4, use_bias=False, activation="tanh") for n in range(12))
    )
    groups = {f"dense_{n}": {f"dense_{n}/kernel:0": kernel} for n, kernel in enumerate(kernels)}
    y = mf.X
    for kernel in kernels:
        y = np.tanh(y @ kernel)
    np.testing.assert_allclose(
        read(mf.legacy(tmp_path / "a.h5", config, groups)).evaluate(mf.X), y, rtol=1e-12
    )


def test_long_lists_of_names_are_split_over_attributes(tmp_path: Path) -> None:
    def split(file: h5py.File) -> None:
        place = file["model_weights"]
        del place.attrs["layer_names"]
        place.attrs["layer_names0"], place.attrs["layer_names1"] = [b"dense"], [b"dense_1"]

    agrees(read(mf.legacy(tmp_path / "a.h5", edit=split)))


def test_a_file_that_does_not_say_its_version(tmp_path: Path) -> None:
    assert read(mf.legacy(tmp_path / "a.h5", version="")).source.keras_major == 2


@pytest.mark.parametrize(("version", "at_2"), [("2.15.0", 0.9), ("3.1.0", 5 / 6)])
def test_a_name_means_what_it_meant_in_the_version_that_saved_it(
    tmp_path: Path, version: str, at_2: float
) -> None:
    config = mf.sequential(
        mf.layer("Activation", name="a", activation="hard_sigmoid", batch_input_shape=[None, 1])
    )
    found = read(mf.legacy(tmp_path / "a.h5", config, {}, version=version))
    np.testing.assert_allclose(found.evaluate(np.array([[2.0]])), [[at_2]])


def test_softmax_of_tensorflow_2_0(tmp_path: Path) -> None:
    config = mf.sequential(
        mf.layer("Activation", name="a", activation="softmax_v2", batch_input_shape=[None, 2])
    )
    found = read(mf.legacy(tmp_path / "a.h5", config, {}, version="2.2.4-tf"))
    np.testing.assert_allclose(found.evaluate(np.zeros((1, 2))), [[0.5, 0.5]])


@pytest.mark.parametrize(
    "names",
    [
        ("layers/dense", "layers/dense_1"),
        ("_layer_checkpoint_dependencies/dense", "_layer_checkpoint_dependencies/dense_2"),
        ("layers\\dense", "layers\\dense_1"),
    ],
    ids=("keras 3", "keras 2.13 skips counters", "early versions on Windows"),
)
def test_groups_of_a_keras_file_are_named_by_class_and_counter(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    config = mf.sequential(
        mf.layer("InputLayer", name="in", batch_shape=[None, 4]),
        mf.dense("output", 3, "relu"),
        mf.layer("Dropout", name="dense_1", rate=0.5),
        mf.dense("hidden", 2),
    )
    agrees(read(mf.keras(tmp_path / "a.keras", config, mf.store(mf.plain_variables(names)))))


def test_a_model_in_a_model_in_a_keras_file(tmp_path: Path) -> None:
    inner = mf.sequential(mf.dense("dense", 3, "relu", batch_input_shape=[None, 4]))
    config = mf.sequential(inner, mf.dense("dense", 2))
    data = mf.store(mf.plain_variables(("layers/sequential/layers/dense", "layers/dense")))
    agrees(read(mf.keras(tmp_path / "a.keras", config, data)))


def test_all_weights_of_a_nested_model_are_in_one_group_what_is_trained_first(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    gamma, beta, mean = rng.normal(size=(3, 3))
    variance = rng.uniform(1, 2, 3)
    inner = mf.sequential(
        mf.dense("dense", 3, batch_input_shape=[None, 4]),
        mf.layer("BatchNormalization", name="bn", epsilon=0.0),
        mf.dense("last", 2),
    )
    arrays = {
        "dense/kernel:0": mf.KERNELS[0],
        "dense/bias:0": mf.BIASES[0],
        "bn/gamma:0": gamma,
        "bn/beta:0": beta,
        "last/kernel:0": mf.KERNELS[1],
        "last/bias:0": mf.BIASES[1],
        "bn/moving_mean:0": mean,
        "bn/moving_variance:0": variance,
    }
    found = read(mf.legacy(tmp_path / "a.h5", mf.sequential(inner), {"model": arrays}))
    hidden = (mf.X @ mf.KERNELS[0] + mf.BIASES[0] - mean) / np.sqrt(variance) * gamma + beta
    np.testing.assert_allclose(found.evaluate(mf.X), hidden @ mf.KERNELS[1] + mf.BIASES[1], rtol=1e-12)
    assert [list(layer.weights) for layer in found.layers] == [
        ["kernel", "bias"], ["gamma", "beta", "moving_mean", "moving_variance"], ["kernel", "bias"],
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f2", ">f4", ">f8"])
def test_weights_of_every_precision_and_byte_order(tmp_path: Path, dtype: str) -> None:
    kernel = mf.KERNELS[0].astype(dtype)
    groups: dict[str, Any] = mf.plain_groups()
    groups["dense"]["dense/kernel:0"] = kernel
    found = read(mf.legacy(tmp_path / "a.h5", groups=groups)).layers[0].weights["kernel"]
    assert found.dtype == (np.float64 if kernel.dtype.itemsize == 8 else np.float32)
    np.testing.assert_array_equal(found, kernel)


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    bits = (mf.KERNELS[0].view(np.uint32) >> 16).astype("<u2")

    def store_as_keras_3(file: h5py.File) -> None:
        place = file["layers/dense/vars"]
        del place["0"]
        place["0"] = bits.view("V2")
        place["0"].attrs["dtype"] = "bfloat16"

    data = mf.store(mf.plain_variables(), store_as_keras_3)
    found = read(mf.keras(tmp_path / "a.keras", weights=data)).layers[0].weights["kernel"]
    np.testing.assert_array_equal(found, (bits.astype(np.uint32) << 16).view(np.float32))


def test_the_count_of_a_normalization(tmp_path: Path) -> None:
    config = mf.sequential(
        mf.layer(
            "Normalization", name="n", axis=[-1], mean=None, variance=None, batch_input_shape=[None, None]
        )
    )
    arrays = {"mean:0": np.array([1.0, 2.0]), "variance:0": np.array([4.0, 0.25]), "count:0": np.int64(9)}
    found = read(mf.legacy(tmp_path / "a.h5", config, {"n": arrays}))
    np.testing.assert_allclose(found.evaluate(np.array([[3.0, 3.0]])), [[1.0, 2.0]])
    assert found.parameters == 5
    assert found.one_for_all
    del config["config"]["layers"][0]["config"]["batch_input_shape"]
    assert not read(mf.legacy(tmp_path / "b.h5", config, {"n": arrays})).one_for_all


def test_a_dtype_in_an_initializer_is_no_matter(tmp_path: Path) -> None:
    config = mf.plain_config()
    config["config"]["layers"][0]["config"]["kernel_initializer"] = mf.layer("Zeros", dtype="float16")
    agrees(read(mf.legacy(tmp_path / "a.h5", config)))


def test_compressed_weights(tmp_path: Path) -> None:
    def repack(file: h5py.File) -> None:
        place = file["model_weights/dense"]
        del place["dense/kernel:0"]
        place.create_dataset(
            "dense/kernel:0",
            data=mf.KERNELS[0],
            chunks=(2, 3),
            compression="gzip",
            shuffle=True,
            fletcher32=True,
        )

    agrees(read(mf.legacy(tmp_path / "a.h5", edit=repack)))


def test_architecture_and_weights_in_two_files(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(mf.plain_config()).encode())
    (tmp_path / "w.weights.h5").write_bytes(mf.store(mf.plain_variables()))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        mf.write_groups(file, mf.plain_groups())
    for weights in ("w.weights.h5", "w.h5", "whole.h5"):
        mf.legacy(tmp_path / "whole.h5")
        agrees(read(tmp_path / "a.json", weights=tmp_path / weights))
    (tmp_path / "text.json").write_text(
        json.dumps(json.dumps(mf.plain_config()))
    )  # json.dump(model.to_json(), file)
    agrees(read(tmp_path / "text.json", weights=tmp_path / "w.h5"))
    told = refusal(tmp_path / "a.json")
    assert (told.code, "--weights" in str(told)) == ("needs-weights", True)
    assert refusal(tmp_path / "w.h5").code == "needs-config"
    assert refusal(tmp_path / "w.weights.h5").code == "needs-config"


def test_a_folder_that_is_no_saved_model(tmp_path: Path) -> None:
    assert refusal(tmp_path).code == "not-a-model"
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 100)
    assert refusal(tmp_path).code == "protobuf"
