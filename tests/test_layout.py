"""The layout holds: imports run one way, heavy things stay where they belong, files stay short."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nn2eq

ROOT = Path(nn2eq.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A file may import what stands in an earlier line, and its own neighbours.
FLOORS = (
    ("errors",), ("erf",), ("formula",), ("tangent",), ("activations",), ("network",),
    ("scaling", "composition", "decision", "data", "domain", "series"), ("surroundings",), ("reading",),
    ("bounds", "cells"), ("forms",), ("description",), ("emit",), ("proof",),
    ("conversion", "show"), ("cli",), ("__init__", "__main__"),
)  # fmt: skip
LEVEL = {name: level for level, floor in enumerate(FLOORS) for name in floor}
FORBIDDEN = {("forms", "emit"), ("emit", "network"), ("emit", "reading"), ("proof", "cli")}
HEAVY = {
    "h5py": ("reading/",),
    "tensorflow": ("reading/", "proof/"),
    "keras": ("proof/",),
    "tf_keras": ("proof/",),
    "sympy": ("emit/sympy", "forms/expressions", "proof/"),
    "click": ("cli/",),
    "matplotlib": ("show/pictures/",),
    "mpl_toolkits": ("show/pictures/",),
    "flint": ("bounds/", "proof/"),
    "duckdb": ("proof/engines/",),
    "sqlglot": ("emit/sql/",),
    "psycopg": ("proof/engines/",),
    "pyspark": ("proof/engines/",),
    "casadi": ("proof/",),
    "pyomo": ("proof/",),
    "z3": ("proof/",),
    "xlsxwriter": ("emit/workbook",),
    "openpyxl": ("proof/",),
}


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it, except for typing only."""
    tree = ast.parse(path.read_text())
    typing = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    skipped = {inner for block in typing for inner in ast.walk(block)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    here = part(path)
    for module in imports(path):
        names = module.split(".")
        if names[0] != "nn2eq" or here == "__init__":
            continue
        there = names[1] if len(names) > 2 or names[1] in LEVEL else "__init__"
        if there == "__init__":
            assert names[1] == "__version__", f"{path} imports the package itself: {module}"
            continue
        assert there == here or LEVEL[there] < LEVEL[here], f"{here} imports {there}"
        assert (here, there) not in FORBIDDEN


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_stay_where_they_belong(path: Path) -> None:
    inside = str(path.relative_to(ROOT))
    for module in imports(path):
        homes = HEAVY.get(module.split(".")[0])
        assert homes is None or inside.startswith(homes), f"{inside} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400, f"{path} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 45, f"{path}: {node.name} has {length} lines"


def loaded_after(statement: str) -> set[str]:
    """Return which modules a fresh interpreter has loaded after a statement."""
    script = f"import sys; {statement}; print(*sorted(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_import_takes_nothing_along() -> None:
    assert not loaded_after("import nn2eq") & {
        "numpy",
        "h5py",
        "sympy",
        "click",
        "tensorflow",
        "keras",
        "rich",
    }


def test_help_takes_nothing_heavy_along() -> None:
    run = "from nn2eq.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    loaded = loaded_after(f"exec({run!r})")
    assert "click" in loaded
    assert not loaded & {"h5py", "sympy", "tensorflow", "keras", "matplotlib"}


def test_a_verb_is_not_hidden_by_the_package_of_its_name() -> None:
    said = "import nn2eq.emit.header, nn2eq.bounds, nn2eq; print(callable(nn2eq.emit) and callable(nn2eq.bounds))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_public_names_are_there() -> None:
    assert all(getattr(nn2eq, name) is not None for name in nn2eq.__all__)
    assert set(nn2eq.__all__) == set(nn2eq._HOMES)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        nn2eq.nonsense  # noqa: B018 - the look-up is the test


def test_collecting_the_tests_takes_no_keras_along() -> None:
    """Pytest imports every module for its doctests, also those that other tests start as programs."""
    collect = "import pytest; pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider'])"
    assert not loaded_after(collect) & {"tensorflow", "keras", "tf_keras"}
