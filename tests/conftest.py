"""What every test may ask for: the shipped models, the corpora beside the project, the machine's programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import nn2eq

if TYPE_CHECKING:
    from nn2eq.network import Network

PROJECT = Path(__file__).resolve().parent.parent
SHIPPED = tuple(sorted(path for kind in ("*.keras", "*.h5") for path in (PROJECT / "models").glob(kind)))
CORPORA = PROJECT.parent / "shared"
OUTSIDE = "is not part of the project"
# Debian's katex finds Debian's libraries of JavaScript, whichever node is there.
os.environ.setdefault("NODE_PATH", "/usr/share/nodejs")
# How long an example takes is the machine's affair.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Find a program of the machine by name: ``tool("pdflatex")`` is its path."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed: make tools")
        return path

    return find


@pytest.fixture
def engine(dialect: str, tool: Callable[[str], str]) -> str:
    """The dialect, if its engine is on this machine."""
    from nn2eq.proof.engines import ENGINES

    pytest.importorskip(ENGINES[dialect].package, reason=f"{dialect} is not installed: make tools")
    if dialect == "spark":
        tool("java")
    if dialect == "postgres":
        from nn2eq.errors import BadRequest
        from nn2eq.proof.engines.in_postgres import program

        try:
            program("initdb")
        except BadRequest:
            pytest.skip("postgresql is not installed: make tools")
    return dialect


@pytest.fixture
def opened(tool: Callable[[str], str], tmp_path: Path) -> Callable[[Path], str]:
    """Chromium, which opens a page and returns what it became."""
    command = [
        tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
    ]  # fmt: skip

    def dumped(page: Path) -> str:
        done = subprocess.run(
            [*command, page.as_uri()], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr[-1000:]
        return done.stdout

    return dumped


@pytest.fixture
def office(tool: Callable[[str], str]) -> str:
    """LibreOffice, which recalculates."""
    pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    return tool("soffice")


@pytest.fixture(scope="session")
def textbook() -> Network:
    """Return a ReLU network of one input."""
    return nn2eq.read(PROJECT / "models" / "dense_1-3-3-1_relu.keras")


@pytest.fixture(scope="session")
def circles() -> Network:
    """Return a classifier of two inputs."""
    return nn2eq.read(PROJECT / "models" / "dense_2-3-1_sigmoid.keras")


@pytest.fixture(scope="session")
def shipped_models() -> tuple[Path, ...]:
    """Every model file in models/."""
    assert SHIPPED, "models/ holds no model: python models/make_models.py"
    return SHIPPED


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``shipped_model`` once for each model file in models/."""
    if "shipped_model" in metafunc.fixturenames:
        metafunc.parametrize("shipped_model", SHIPPED, ids=lambda path: path.name)


def corpus(name: str) -> Path:
    """A folder of other people's files, kept beside the project and never copied into it."""
    folder = CORPORA / name
    if not folder.is_dir():
        pytest.skip(f"../shared/{name} {OUTSIDE} and is not here")
    return folder


@pytest.fixture(scope="session")
def realmodels() -> Path:
    """Real Keras models by other people, with Keras' own answers."""
    return corpus("realmodels")


@pytest.fixture(scope="session")
def hostile() -> Path:
    """Damaged and malicious model files, with what must be said of each."""
    return corpus("hostile")


def pytest_report_header() -> list[str]:
    """Say before the first test what is missing, so that a short run is never taken for a whole one."""
    missing = [name for name in ("realmodels", "hostile") if not (CORPORA / name).is_dir()]
    return [f"NOT RUN: the tests that need ../shared/{name}, which is not here" for name in missing]


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure in CI, where everything is installed; only the corpora may be absent."""
    skipped = report.outcome == "skipped" and not hasattr(report, "wasxfail")
    if IN_CI and skipped and OUTSIDE not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI must have everything: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hold ``forbid_skip`` for one test."""
    report = yield
    forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Hold ``forbid_skip`` for a module that skips itself, as ``pytest.importorskip`` does."""
    report = yield
    forbid_skip(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once more after the last test what was missing, and how many tests were not run for want of it."""
    reports = terminalreporter.stats.get("skipped", [])
    counts = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports)
    if counts:
        terminalreporter.section("NOT RUN")
        for reason, count in sorted(counts.items()):
            terminalreporter.line(f"{count} test{'s' * (count > 1)}: {reason}")
