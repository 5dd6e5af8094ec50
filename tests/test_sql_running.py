"""Queries are run where they may be, a wrong one is seen, and a stranger's reaches nothing else."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from latex_networks import dense

from nn2eq.conversion import NOT_RUN, Request, convert
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.emit.sql.dialects import DIALECTS
from nn2eq.errors import BadRequest, Disagreement
from nn2eq.forms.straight import layered
from nn2eq.network import Network
from nn2eq.proof.engines import ENGINES, SAMPLES
from nn2eq.proof.judge import judge, recognised
from nn2eq.proof.runners import run

INSIDE = [name for name, engine in ENGINES.items() if engine.inside]


# ----------------------------------------------------------------------------------------- checks, and strangers


@pytest.mark.parametrize("dialect", INSIDE)
def test_a_plain_conversion_runs_the_query(engine: str) -> None:
    network = dense(3, 4, 2, last="softmax")
    conversion = convert(network, Request("sql", options=Options(dialect=engine, digits=4)))
    assert f"agree (evaluated as sql by {engine})" in conversion.line()
    assert judge(network, conversion.text).holds
    bare = "".join(line for line in conversion.text.splitlines(True) if "nn2eq " not in line)
    assert recognised(bare) == "sql"


@pytest.mark.parametrize("dialect", INSIDE)
def test_what_an_engine_takes_minutes_for_is_not_run_unasked(dialect: str) -> None:
    conversion = convert(dense(500, 100, 1), Request("sql", options=Options(dialect=dialect)))
    assert NOT_RUN in conversion.text


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name not in INSIDE])
def test_a_server_is_started_only_if_asked(dialect: str) -> None:
    network = dense(2, 3, 1)
    conversion = convert(network, Request("sql", options=Options(dialect=dialect)))
    assert conversion.agreement is None
    assert NOT_RUN in conversion.text
    with pytest.raises(BadRequest, match="only on request"):
        judge(network, conversion.text)


@pytest.mark.parametrize("dialect", ["postgres"])
def test_asked_for_the_server_is_started(engine: str) -> None:
    network = dense(2, 3, 1)
    conversion = convert(network, Request("sql", options=Options(dialect=engine)), run=True)
    assert "agree (evaluated as sql by postgres)" in conversion.line()
    assert judge(network, conversion.text, outside=True).holds


STARTED = """
import os, signal
from nn2eq.proof.engines.in_postgres import start
print((start() / "data" / "postmaster.pid").read_text().split()[0], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("dialect", ["postgres"])
def test_the_server_ends_with_its_process_however_that_ends(engine: str) -> None:
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    server = Path("/proc") / done.stdout.strip()
    for _ in range(100):
        if not server.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{server} is still there")


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "postgres"])
def test_a_wrong_digit_anywhere_is_seen(engine: str) -> None:
    network = dense(2, 3, 2)
    x = np.random.default_rng(1).normal(size=(20, 2))
    text = emit(layered(network), "sql", Options(dialect=engine))
    places = [match.start(1) for match in re.finditer(r"\d\.\d\d\d(\d)\d", text)]
    assert len(places) == 17
    for at in places:
        wrong = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
        assert np.max(np.abs(run("sql", wrong, x).outputs - network.evaluate(x))) > 1e-9


SELECTED = "tanh({}) AS a1_1"
INTRUSIONS = {
    "sqlite": (
        "(SELECT count(*) FROM sqlite_master)",
        "load_extension('x')",
        "(SELECT * FROM pragma_table_list())",
        "randomblob(100)",
    ),
    "duckdb": (
        "(SELECT count(*) FROM read_text('/etc/hostname'))",
        "(SELECT count(*) FROM '/etc/hostname.csv')",
        "getenv('HOME')",
    ),
}


@pytest.mark.parametrize(
    ("dialect", "what"), [(name, what) for name, found in INTRUSIONS.items() for what in found]
)
def test_a_strangers_query_reaches_nothing_else(engine: str, what: str) -> None:
    network = dense(1, 1, 1)
    text = convert(network, Request("sql", options=Options(dialect=engine))).text
    wrong = re.sub(r"tanh\(.*\) AS a1_1", lambda _: f"tanh({what}) AS a1_1", text)
    assert wrong != text
    with pytest.raises(Disagreement, match="the text fails") as caught:
        judge(network, wrong)
    assert caught.value.code == "text-fails"


@pytest.mark.parametrize("dialect", INSIDE)
@pytest.mark.parametrize(
    "more", ["DROP TABLE nn2eq_samples;", "ATTACH 'stolen.db' AS other;", "PRAGMA user_version = 3;"]
)
def test_a_strangers_text_is_one_query(
    engine: str, more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network = dense(1, 1, 1)
    text = convert(network, Request("sql", options=Options(dialect=engine))).text
    for wrong in (text + more, re.sub(r"(?m)^WITH x", f"{more}\nWITH x", text)):
        with pytest.raises(Disagreement, match="the text fails"):
            judge(network, wrong)
    assert not list(tmp_path.iterdir())


def test_an_endless_query_ends() -> None:
    network = dense(1, 1, 1)
    text = convert(network, Request("sql")).text
    endless = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n)"
    wrong = re.sub(r"tanh\(.*\) AS a1_1", f"tanh({endless}) AS a1_1", text)
    with pytest.raises(Disagreement, match="the text fails"):
        judge(network, wrong)


@pytest.mark.parametrize("text", ["SELECT 1 AS y;", "-- sqlite: y for each row of data\nSELECT 2;", ""])
def test_a_query_of_another_make_is_said_not_to_be_understood(text: str) -> None:
    with pytest.raises(BadRequest, match="not built as those of nn2eq"):
        judge(dense(1, 1), text, language="sql")


def test_the_samples_take_the_place_of_the_table_alone() -> None:
    network: Network = replace(dense(1, 1), output_names=(f'FROM "{SAMPLES}"',))
    text = emit(layered(network), "sql", Options(table=SAMPLES))
    assert np.allclose(run("sql", text, np.ones((1, 1))).outputs, network.evaluate(np.ones((1, 1))))
