"""Draw the gallery again: `make gallery`. Every picture is what the command under it draws.

`python docs/gallery.py [FOLDER]` writes gallery.md, pictures/ and the notebook, run from top to bottom, into a folder.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from nn2eq.cli.main import main as nn2eq
from nn2eq.show.pictures import KINDS

HERE = Path(__file__).resolve().parent
SPIRALS = "docs/networks/spirals"
WAVY = "models/dense_1-3-2-1_tanh"
SCALED = f"--scale-input {WAVY}.input-scale.json --scale-output {WAVY}.output-scale.json"
CIRCLES = "models/dense_2-3-1_sigmoid"
IRIS = "models/dense_4-6-3_tanh_softmax_normalization"
IRIS_NAMES = "--outputs setosa,versicolor,virginica"


@dataclass(frozen=True)
class Shown:
    """One picture: its kind, the name of its file, what is shown of which models, and what to see."""

    kind: str
    file: str
    options: str
    see: str

    @property
    def command(self) -> str:
        """The command that draws it, from the project's folder."""
        return f"nn2eq plot {self.options} --kind {self.kind} -o docs/pictures/{self.file}"


GALLERY = (
    Shown("function", "function.svg", f"{WAVY}.keras {SCALED} --data {WAVY}.data.csv --true 'x**2 + 10*sin(x)'",
          "The model, its data and the true function; below, how far the model is off."),
    Shown("function", "function_taylor.svg", f"{WAVY}.keras --form taylor --order 7 --domain=-0.35:0.35",
          "A Taylor polynomial beside the model, and its error within the band that is proved."),
    Shown("function", "function_breakpoints.svg", "models/dense_1-3-3-1_relu.keras --digits 2 --domain 0:2",
          "A ReLU network with its breakpoints, and what two digits cost."),
    Shown("function", "function_plane.svg", f"{CIRCLES}.keras --data {CIRCLES}.data.csv --theme dark",
          "Two inputs: colour is the answer; the data lie on it in the colour that they should have."),
    Shown("layers", "layers.svg", "models/dense_1-3-3-1_relu.keras --domain 0:2",
          "Each unit is a line, clipped, weighted and summed. Filled joints are a unit's own, hollow ones inherited."),
    Shown("composition", "composition.svg",
          "models/dense_1-3-1_relu_first.keras models/dense_1-3-1_relu_second.keras --domain=-1:1",
          "Where y(x) reaches a joint of the second network, the whole bends: three pieces and three make nine."),
    Shown("regions", "regions.svg", f"{SPIRALS}_2-8-8-1_relu.json --domain=-1:1",
          "The affine pieces of two layers of eight units. The first layer cuts straight through, the second bends."),
    Shown("boundary", "boundary.svg",
          f"{' '.join(f'{SPIRALS}_2-{units}-1_relu.json' for units in (5, 15, 50))} --data {SPIRALS}.csv",
          "5, 15 and 50 units on two spirals: each dashed line is a hidden unit, a classifier of its own."),
    Shown("projection", "projection.svg", f"{CIRCLES}.keras --data {CIRCLES}.data.csv",
          "Three hidden units lift two circles apart, so that one plane divides them."),
    Shown("projection", "projection_iris.svg", f"{IRIS}.keras {IRIS_NAMES} --data {IRIS}.data.csv",
          "The two hidden units that say most about three species, and what is misjudged."),
    Shown("diagram", "diagram.svg", f"{CIRCLES}.keras",
          "Weights as colour, dash and width; the small circles are the biases."),
    Shown("diagram", "diagram_path.svg", "models/dense_4-16-16-16-1_tanh.keras --path a1_2,a2_9 --theme dark",
          "One path highlighted; of a large layer the ends and what the path needs."),
    Shown("diagram", "diagram_layers.svg", "models/dense_4-16-16-16-1_tanh.keras --view layers", "A node a layer."),
    Shown("derivatives", "derivatives.svg", "models/dense_1-3-3-1_relu.keras --domain 0:2",
          "The derivative of a ReLU network is a staircase."),
    Shown("derivatives", "derivatives_plane.svg", f"{CIRCLES}.keras --domain=-1:1", "Both partial derivatives."),
    Shown("weights", "weights.svg", "models/dense_4-16-16-16-1_tanh.keras", "How the weights of each layer lie."),
    Shown("errors", "errors.svg", f"{CIRCLES}.keras --form taylor --order 3 --domain=-0.25:0.25",
          "The error of a polynomial over its box, seen and proved."),
)  # fmt: skip


def page() -> str:
    """Return the page: each kind, its pictures, and the command under each."""
    lines = [
        "# Gallery",
        "",
        "Every kind of picture that `nn2eq plot` draws, each by the command under it. `make gallery` draws them again;",
        "`docs/networks.py` fits the networks in `docs/networks` again. A network from file to equation, proof and",
        "pictures: [the notebook](example.ipynb).",
    ]
    for kind in KINDS.values():
        lines += ["", f"## {kind.name}", "", f"{kind.summary[0].upper()}{kind.summary[1:]}."]
        for shown in GALLERY:
            if shown.kind == kind.name:
                lines += ["", f"![{shown.see}](pictures/{shown.file})", "", shown.see]
                lines += ["", "```sh", shown.command, "```"]
    return "\n".join(lines) + "\n"


def draw(shown: Shown, folder: Path) -> None:
    """Draw one picture into a folder, by its command; run from the project's folder."""
    words = shlex.split(shown.command)[1:]
    words[words.index("-o") + 1] = str(folder / shown.file)
    try:
        nn2eq(words)
    except SystemExit as done:
        if done.code:
            raise


def run_notebook(source: Path, target: Path) -> None:
    """Run a notebook from top to bottom in the project's folder, and write it with what it shows."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(source, as_version=4)
    where = {"metadata": {"path": str(HERE.parent)}}
    NotebookClient(notebook, timeout=300, resources=where, coalesce_streams=True).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when each cell was run
        for shown in (output.data for output in cell.get("outputs", ()) if "data" in output):
            if len(shown) > 1:  # what is typeset or drawn is not written out beside it
                shown["text/plain"] = shown["text/plain"].split("(")[0].split(" size")[0]
    notebook.metadata.pop("language_info", None)  # of the machine's Python
    nbformat.write(notebook, target)


def main(folder: Path) -> None:
    """Write the page, the pictures and the notebook."""
    os.chdir(HERE.parent)
    pictures = folder / "pictures"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    (folder / "gallery.md").write_text(page())
    for shown in GALLERY:
        draw(shown, pictures)
    run_notebook(HERE / "example.ipynb", folder / "example.ipynb")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE)
