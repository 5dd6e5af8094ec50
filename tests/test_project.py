"""The project's own promises: what CI does with a skip, and that the constraints cover what is asked for."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

SKIPPING = """
import pytest
def test_tool(tool): tool("a-program-nobody-has")
def test_corpus(realmodels): raise AssertionError("there is no corpus beside this folder")
@pytest.mark.xfail
def test_expected(): raise AssertionError
"""


@pytest.mark.parametrize(
    ("ci", "summary"), [("", "2 skipped, 1 xfailed"), ("true", "1 failed, 1 skipped, 1 xfailed")]
)
def test_a_missing_tool_fails_in_ci_alone(ci: str, summary: str, tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    shutil.copy(PROJECT / "tests" / "conftest.py", tests)
    (tests / "test_skipping.py").write_text(SKIPPING)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tests)]
    run = subprocess.run(command, env=os.environ | {"CI": ci}, capture_output=True, text=True, cwd=tmp_path)
    assert summary in run.stdout
    assert "NOT RUN: the tests that need ../shared/realmodels" in run.stdout
    assert "1 test: ../shared/realmodels is not part of the project and is not here" in run.stdout
    assert ("1 test: a-program-nobody-has is not installed: make tools" in run.stdout) == (not ci)


def test_constraints_name_every_requirement() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = {re.split(r"[<>=!~ ]", line)[0] for line in project["dependencies"]}
    for extra in project["optional-dependencies"].values():
        asked |= {re.split(r"[<>=!~ ]", line)[0] for line in extra}
    pinned = re.findall(r"^([\w.-]+)==[\w.]+$", (PROJECT / "constraints.txt").read_text(), re.MULTILINE)
    assert asked <= set(pinned)
