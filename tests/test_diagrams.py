"""A diagram is the network: its edges are the weights, in matplotlib, TikZ, DOT and Mermaid; names are only names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from picture_networks import HOSTILE, dense

import nn2eq
from nn2eq.errors import Nn2eqError
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.show.pictures import TEXTS, drawn
from nn2eq.show.pictures.dot import quoted
from nn2eq.show.pictures.graph import WIDE, Graph, graph
from nn2eq.show.pictures.mermaid import escaped
from nn2eq.show.pictures.theme import plain

MODELS = Path(__file__).parent.parent / "models"
HOSTILE_NETWORK = dense(3, 2, names=HOSTILE)


def weights_of(found: Graph) -> dict[tuple[str, str], float]:
    return {(edge.tail, edge.head): edge.weight for edge in found.edges}


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.keras")), ids=lambda path: path.stem)
def test_edges_are_the_weights(path: Path) -> None:
    network = nn2eq.read(path)
    found = graph(network)
    weights, names = weights_of(found), {node.id: node.label for node in found.nodes}
    for number, step in enumerate((s for s in matrix(network).predict.steps if hasattr(s, "terms")), start=1):
        kernel, bias = step.terms[0].matrix.data, step.offset.data  # type: ignore[union-attr]
        parts = step.out.parts
        for node, label in names.items():
            if not re.fullmatch(rf"n{number}u\d+", node):
                continue
            unit = int(node.split("u")[1])
            assert label in (
                parts[unit],
                parts[unit].replace("z", "a", 1),
                *network.output_names,
                "y",
                f"y{unit + 1}",
            )
            assert weights.get((f"n{number - 1}b", node), 0.0) == pytest.approx(bias[unit])
            tails = [tail for tail, head in weights if head == node and "u" in tail]
            for tail in tails:
                assert weights[tail, node] == pytest.approx(kernel[int(tail.split("u")[1]), unit])
            shown = [int(name.split("u")[1]) for name in names if name.startswith(f"n{number - 1}u")]
            assert len(tails) == np.count_nonzero(kernel[shown, unit])


def test_widths_and_signs_are_drawn() -> None:
    network = dense(2, 3, 1, seed=1)
    found = graph(network)
    (lines,) = [
        part for part in nn2eq.plot(network, "diagram").axes[0].collections
        if isinstance(part, LineCollection) and part.get_gid() == "edges"
    ]  # fmt: skip
    for edge, width, colour in zip(found.edges, lines.get_linewidth(), lines.get_colors(), strict=True):
        assert width == pytest.approx(0.4 + 2.8 * edge.part)
        assert (colour[2] > colour[0]) == (edge.weight > 0)  # blue, not vermilion
    largest = max(
        np.abs(network.layers[0].maps[0].kernel).max(), np.abs(network.layers[0].maps[0].bias).max()
    )  # type: ignore[union-attr]
    assert {round(edge.part, 6) for edge in found.edges[:9]} == {
        round(abs(edge.weight) / float(largest), 6) for edge in found.edges[:9]
    }


def test_an_edge_that_is_not_there_is_not_drawn() -> None:
    network = dense(2, 2, 1)
    kernel = np.array(network.layers[0].maps[0].kernel)  # type: ignore[union-attr]
    assert ("n0u0", "n1u1") in weights_of(graph(network))
    kernel[0, 1] = 0.0
    network.layers[0].maps[0].__dict__["kernel"] = kernel  # type: ignore[union-attr]
    assert ("n0u0", "n1u1") not in weights_of(graph(network))


def test_a_large_layer_is_cut_short_and_says_so() -> None:
    found = graph(dense(3, 784, 2), path=["a1_400"])
    shown = [node.label for node in found.nodes if node.id.startswith("n1u")]
    assert shown == ["a1_1", "a1_2", "a1_3", "a1_4", "a1_400", "a1_782", "a1_783", "a1_784"]
    assert len(shown) == WIDE.first + WIDE.last + 1
    more = [node.label for node in found.nodes if node.kind == "more"]
    assert sum(int(label.split()[0].replace(",", "")) for label in more) == 784 - len(shown)
    assert ("784 units" in caption for _, caption in found.captions)
    places = {(node.x, node.y) for node in found.nodes}
    assert len(places) == len(found.nodes)


def test_a_path_leads_through_the_units_it_names() -> None:
    found = graph(dense(2, 3, 3, 2), path=["z1_2", "y1"])
    lit = {(edge.tail, edge.head) for edge in found.edges if edge.lit}
    assert lit == {(f"n0u{i}", "n1u1") for i in range(2)} | {("n1u1", f"n2u{i}") for i in range(3)} | {
        (f"n2u{i}", "n3u0") for i in range(3)
    }
    assert not [edge for edge in found.edges if edge.label and not edge.lit]
    assert all(edge.lit for edge in graph(dense(2, 3, 3, 2)).edges)


def test_labels_do_not_lie_on_one_another() -> None:
    for network in (dense(2, 3, 1), dense(2, 4, 3, 1), dense(4, 4, 2)):
        found = graph(network)
        places = np.array([edge.at for edge in found.edges if edge.label])
        assert len(places) == len(found.edges)
        apart = np.abs(places[:, None] - places[None]) / (0.42, 0.16)  # a label's size
        np.fill_diagonal(apart[..., 0], 9.0)
        assert (apart.max(axis=2) >= 0.8).all()


def test_activations_without_weights_are_edges_without_sign() -> None:
    network = nn2eq.read(MODELS / "dense_2-3-1_sigmoid.keras")
    bare = Network((*network.layers[:1], dense(3, 4, last="glu").layers[0]), (2,))
    found = graph(bare)
    last = [edge for edge in found.edges if edge.head.startswith("n3")]
    assert {(edge.tail, edge.head) for edge in last} == {
        ("n2u0", "n3u0"), ("n2u2", "n3u0"), ("n2u1", "n3u1"), ("n2u3", "n3u1"),
    }  # fmt: skip
    assert {edge.sign for edge in last} == {"muted"}


CASES = [
    ((nn2eq.read(MODELS / "dense_2-3-1_sigmoid.keras"),), {}),
    ((dense(4, 30, 11, 3), HOSTILE_NETWORK), {}),
    ((dense(4, 30, 11, 3),), {"path": "a1_17,y2", "theme": "dark"}),
    ((HOSTILE_NETWORK, dense(784, 512, 10)), {"view": "layers"}),
]


@pytest.mark.parametrize(("networks", "given"), CASES)
def test_dot_draws_it(
    networks: tuple[Network, ...], given: dict[str, str], tool: Callable[[str], str]
) -> None:
    text = drawn(networks, "diagram", "dot", **given)
    done = subprocess.run([tool("dot"), "-Tjson"], input=text, capture_output=True, check=True)
    assert done.stderr == b""
    read = json.loads(done.stdout)
    found = [graph(network, tuple(given.get("path", "").split(",")) if "path" in given else (),
                   given.get("view", "units")) for network in networks]  # fmt: skip
    assert len(read["edges"]) == sum(len(one.edges) for one in found)
    placed = {node["name"]: (float(node["pos"].split(",")[0]), node["label"]) for node in read["objects"]}
    for number, one in enumerate(found):
        prefix = f"g{number}" if len(found) > 1 else ""
        for node in one.nodes:
            _, label = placed[prefix + node.id]
            assert label.replace("&amp;", "&").replace("\\\\", "\\") == "".join(
                c if c.isprintable() else "�" for c in plain(node.label, 20)
            )
        columns = sorted({round(placed[prefix + node.id][0]) for node in one.nodes})
        assert len(columns) == len({node.x for node in one.nodes})


@pytest.mark.parametrize(("networks", "given"), CASES)
def test_tikz_compiles(
    networks: tuple[Network, ...], given: dict[str, str], tool: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "d.tex").write_bytes(drawn(networks, "diagram", "tex", **given))
    done = subprocess.run(
        [tool("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "d.tex"], cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    said = subprocess.run(
        [tool("pdftotext"), "d.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "inputs" in said.stdout
    if HOSTILE_NETWORK in networks and "view" not in given:
        assert "\\input" in re.sub(r"\s", "", said.stdout).replace("∖", "\\").replace("n", "n")


LINE = re.compile(
    r"""flowchart\ LR|\ \ classDef\ more\ fill:none,stroke:none|\ \ end|\ \ direction\ LR
    |\ \ subgraph\ g\d+\["(?P<title>[^"\n]*)"\]
    |\ \ (g\d+)?n\d+([ubm]\d*)?(\(\("[^"\n]*"\)\)|\(\["[^"\n]*"\]\)|\["[^"\n]*"\](:::more)?)
    |\ \ (g\d+)?n\d+([ub]\d*)?\ -->(\|"[^"\n]*"\|)?\ (g\d+)?n\d+(u\d+)?
    |\ \ (g\d+)?n\d+([ub]\d*)?\ ~~~\ (g\d+)?n\d+m\d+
    |\ \ linkStyle\ \d+\ stroke:\#[0-9A-Fa-f]{6},stroke-width:[\d.]+px(,stroke-dasharray:4\ 3)?(,opacity:0.15)?""",
    re.X,
)
TEXT = re.compile(r"([A-Za-z0-9 ._,:−×…]|#\d+;|<br/>)*")


@pytest.mark.parametrize(("networks", "given"), CASES)
def test_mermaid_keeps_its_grammar(networks: tuple[Network, ...], given: dict[str, str]) -> None:
    lines = drawn(networks, "diagram", "mmd", **given).decode().splitlines()
    for line in lines:
        assert LINE.fullmatch(line), line
        for text in re.findall(r'"([^"]*)"', line):
            assert TEXT.fullmatch(text), text
    edges = [line for line in lines if "-->" in line]
    styles = [int(line.split()[1]) for line in lines if "linkStyle" in line]
    assert styles == list(range(len(edges)))
    known = {re.match(r"\s*(\w+)[(\[]", line)[1] for line in lines if re.match(r"\s*(g\d)?n\w+[(\[]", line)}  # type: ignore[index]
    ends = {end for line in edges for end in (line.split()[0], line.split()[-1])}
    assert ends <= known
    assert not LINE.fullmatch('  n0u0(("a"b"))')


def test_mermaid_is_given_no_more_edges_than_it_draws() -> None:
    for layers, shown in ((4, 10), (6, 5), (30, 3)):
        text = drawn(dense(2, *[10] * layers, 1), "diagram", "mmd").decode()
        assert text.count(" -->") + text.count(" ~~~ ") <= 500  # Mermaid's own limit, `maxEdges`
        assert len(re.findall(r"^  n2[um]\d+[(\[]", text, re.M)) == shown
    with pytest.raises(Nn2eqError, match=r"--view layers.*\[too-large\]"):
        drawn(dense(2, *[3] * 50, 1), "diagram", "mmd")
    assert drawn(dense(2, *[3] * 50, 1), "diagram", "mmd", view="layers").count(b"-->") == 51


PARSER = """
import { pathToFileURL } from "node:url";
import fs from "node:fs";
const at = (path) => pathToFileURL(process.argv[1] + "/" + path).href;
const { JSDOM } = await import(at("jsdom/lib/api.js"));
globalThis.window = new JSDOM("").window;
globalThis.document = window.document;
const { default: mermaid } = await import(at("mermaid/dist/mermaid.core.mjs"));
for (const file of process.argv.slice(2))
    console.log(await mermaid.parse(fs.readFileSync(file, "utf8")).then((found) => found.diagramType, () => "refused"));
"""
"""Mermaid's own parser, in a document of no browser."""


@pytest.mark.slow
def test_mermaid_reads_it(tool: Callable[[str], str], tmp_path: Path) -> None:
    modules = Path(sys.prefix) / "npm" / "node_modules"
    if not (modules / "mermaid").is_dir():
        pytest.skip("mermaid is not installed: make tools")
    files = [tmp_path / f"{number}.mmd" for number in range(len(CASES) + 1)]
    for file, (networks, given) in zip(files, CASES, strict=False):
        file.write_bytes(drawn(networks, "diagram", "mmd", **given))
    files[-1].write_text('flowchart LR\n  n0u0(("a"b"))\n')
    command = [tool("node"), "--input-type=module", "-e", PARSER, str(modules), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["flowchart-v2"] * len(CASES) + ["refused"]


@pytest.mark.parametrize("name", [*HOSTILE, 'a"]; x --> y', "plain_1"])
def test_names_are_only_names(name: str) -> None:
    shown = "".join(char if char.isprintable() else "�" for char in name)
    assert re.sub(r"#(\d+);", lambda code: chr(int(code[1])), escaped(name)) == shown
    inner = quoted(name)[1:-1]
    assert not re.search(r'(?<!\\)(\\\\)*"', inner)
    assert set(TEXTS) == {"tex", "dot", "mmd"}
