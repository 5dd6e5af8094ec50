"""The graph of a functional model: read along its one chain, refused by name where there is more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import model_files as mf
from model_files import agrees, refusal

from nn2eq.reading import read


def functional(*layers: tuple[dict[str, Any], str | None], **more: Any) -> dict[str, Any]:
    """A functional model of Keras 2: (layer, the layer before)."""
    entries = [
        {**entry, "name": entry["config"]["name"], "inbound_nodes": [[[before, 0, 0, {}]]] if before else []}
        for entry, before in layers
    ]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["dense_1", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "model", "layers": entries, **ends, **more}}


START = mf.layer("InputLayer", name="in", batch_input_shape=[None, 4])
FIRST, SECOND = mf.dense("dense", 3, "relu"), mf.dense("dense_1", 2)


def test_a_functional_model_is_read_along_its_chain(tmp_path: Path) -> None:
    in_order = functional((START, None), (FIRST, "in"), (SECOND, "dense"))
    shuffled = functional((SECOND, "dense"), (START, None), (FIRST, "in"))
    flat_ends = functional((START, None), (FIRST, "in"), (SECOND, "dense"), input_layers=["in", 0, 0])
    named_ends = functional(
        (START, None), (FIRST, "in"), (SECOND, "dense"),
        input_layers={"x": ["in", 0, 0]}, output_layers={"y": [["dense_1", 0, 0]]},
    )  # fmt: skip
    for config in (in_order, shuffled, flat_ends, named_ends):
        agrees(read(mf.legacy(tmp_path / "a.h5", config)))


def test_what_is_not_a_chain_is_refused(tmp_path: Path) -> None:
    branch = functional((START, None), (FIRST, "in"), (SECOND, "dense"), (mf.dense("beside", 2), "dense"))
    cycle = functional((START, None), (FIRST, "dense_1"), (SECOND, "dense"))
    ghost = functional((START, None), (FIRST, "ghost"), (SECOND, "dense"))
    two_outputs = functional(
        (START, None), (FIRST, "in"), (SECOND, "dense"), output_layers=[["dense_1", 0, 0], ["dense", 0, 0]]
    )
    shared = functional((START, None), (FIRST, "in"), (SECOND, "dense"))
    shared["config"]["layers"][1]["inbound_nodes"] *= 2
    two_named = functional(
        (START, None), (FIRST, "in"), (SECOND, "dense"), input_layers={"a": ["in", 0, 0], "b": ["in", 0, 0]}
    )
    for config, word in (
        (two_named, "2 input_layers"),
        (branch, "beside"),
        (cycle, "cycle"),
        (ghost, "ghost"),
        (two_outputs, "2"),
        (shared, "shared"),
    ):
        told = refusal(mf.legacy(tmp_path / "a.h5", config))
        assert told.code == "graph"
        assert word in str(told)


def test_a_layer_that_is_not_read_is_named_before_its_place_in_the_graph(tmp_path: Path) -> None:
    config = functional((START, None), (FIRST, "in"), (mf.layer("Add", name="dense_1"), "dense"))
    config["config"]["layers"][2]["inbound_nodes"][0] *= 2
    told = refusal(mf.legacy(tmp_path / "a.h5", config))
    assert (told.code, "layer 2 'dense_1' is an Add" in str(told)) == ("unsupported-layer", True)


def test_the_graph_goes_by_the_outer_of_two_names(tmp_path: Path) -> None:
    config = functional((START, None), (mf.dense("inner", 3, "relu"), "in"), (SECOND, "dense"))
    config["config"]["layers"][1]["name"] = "dense"
    agrees(read(mf.legacy(tmp_path / "a.h5", config)))


def test_a_layer_that_is_always_in_training_has_no_one_answer(tmp_path: Path) -> None:
    config = functional((START, None), (FIRST, "in"), (SECOND, "dense"))
    config["config"]["layers"][2]["inbound_nodes"] = [[["dense", 0, 0, {"training": True}]]]
    assert "training" in str(refusal(mf.legacy(tmp_path / "a.h5", config)))
    config["config"]["layers"][2]["inbound_nodes"] = [[["dense", 0, 0, {"training": False}]]]
    agrees(read(mf.legacy(tmp_path / "a.h5", config)))
