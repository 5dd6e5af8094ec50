"""What is written beside a model: both containers, recorded answers, scalers, samples, a row of the table."""

import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from keras.layers import Dense
from numpy.typing import NDArray
from samples import Samples, Scale

HERE = Path(__file__).resolve().parent
USUAL, LARGE = 26, 6  # inputs with recorded answers: among the samples, and far outside


@dataclass(frozen=True)
class Made:
    """A finished model with what is recorded beside it."""

    about: str
    model: keras.Model
    samples: Samples | None = None
    input_scale: Scale | None = None
    output_scale: Scale | None = None
    fit: str = ""


def questions(made: Made) -> NDArray[np.float32]:
    """USUAL inputs from the samples, then LARGE multiples of some of them, in the network's own units.

    All are multiples of 2⁻⁸, so that they are the same number in every text and every dtype.
    """
    units = made.model.input_shape[-1]
    random = np.random.default_rng(units)
    usual = random.uniform(-1, 1, (USUAL, units))
    if made.samples is not None:
        chosen = made.samples.inputs[random.permutation(len(made.samples.inputs))[:USUAL]]
        usual = made.input_scale.apply(chosen) if made.input_scale else chosen
    large = np.array([[10], [100], [1000]]) * usual[: LARGE // 2]
    return (np.round(np.concatenate([usual, large, -large]) * 256) / 256).astype(np.float32)


def shortest(values: NDArray[np.floating]) -> str:
    """A JSON list of rows, one a line, each number the shortest decimal that its dtype reads back."""
    rows = (", ".join(str(value) for value in row) for row in values)
    return "[\n" + ",\n".join(f"    [{row}]" for row in rows) + "\n  ]"


def described(layer: keras.Layer) -> str:
    """A layer in two or three words."""
    if isinstance(layer, Dense):
        return f"Dense {layer.units} {layer.activation.__name__}"
    return "Normalization inverted" if layer.invert else "Normalization"


def members(path: Path) -> dict[str, bytes]:
    """What a model file holds, without the day and the addresses in memory at which it was saved."""
    if not zipfile.is_zipfile(path):
        return {path.suffix: path.read_bytes()}
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if name != "metadata.json"}
    return {name: re.sub(rb'"shared_object_id": \d+', b"", data) for name, data in held.items()}


def save_model(model: keras.Model, path: Path) -> None:
    """Save a model, and leave the file alone that holds it already: what is made from it stays up to date."""
    with TemporaryDirectory(dir=path.parent) as folder:
        fresh = Path(folder) / path.name
        model.save(fresh)
        if not path.exists() or members(path) != members(fresh):
            fresh.replace(path)


def save(made: Made) -> None:
    """Write the model in both containers and everything that is recorded beside it."""
    path = HERE / made.model.name
    for suffix in (".keras", ".h5"):
        save_model(made.model, Path(f"{path}{suffix}"))
    asked = questions(made)
    facts = {
        "about": made.about,
        "layers": ", ".join(described(layer) for layer in made.model.layers),
        "fit": made.fit,
        "keras": keras.__version__,
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in facts.items()]
    lines += [f'  "inputs": {shortest(asked.astype(np.float64))}']
    lines += [f'  "outputs": {shortest(made.model.predict(asked, verbose=0))}']
    Path(f"{path}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for end, scale in (("input", made.input_scale), ("output", made.output_scale)):
        if scale is not None:
            Path(f"{path}.{end}-scale.json").write_text(scale.json() + "\n")
    if made.samples is not None:
        Path(f"{path}.data.csv").write_text(made.samples.csv())


def scaler(name: str) -> str:
    """The kind of scaler beside a model."""
    path = HERE / f"{name}.input-scale.json"
    return str(json.loads(path.read_text())["kind"]) if path.exists() else "none"


def table(names: Iterable[str]) -> str:
    """The table of README.md, a row a model, from what is recorded beside the models."""
    rows = [
        "| model | what it is | layers | error of the fit, in original units | scalers |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        facts = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
        cells = f"`{name}`", facts["about"], facts["layers"], facts["fit"] or "exact", scaler(name)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def write_table(names: Iterable[str]) -> None:
    """Put the table between the marks that README.md has for it."""
    readme = HERE / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split("<!-- table -->\n")
    after = rest.split("<!-- end of table -->\n")[1]
    text = f"{before}<!-- table -->\n{table(names)}\n<!-- end of table -->\n{after}"
    readme.write_text(text, encoding="utf-8")
