"""SQL says what its Program says: each dialect is run by its own engine, a real PostgreSQL and Spark among them."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from language_programs import constant, everything, exact, odd, samples, scale
from latex_networks import dense
from test_languages import EXTREMES
from text_networks import SPECIAL

from nn2eq import formula as fm
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.emit.sql.dialects import BESIDE, DIALECTS
from nn2eq.emit.sql.others import OTHERS, TANH, translated
from nn2eq.errors import CannotEmit, TooLarge
from nn2eq.forms.program import Program
from nn2eq.forms.straight import layered, nested
from nn2eq.proof.check import check
from nn2eq.proof.engines import ENGINES
from nn2eq.proof.judge import judge
from nn2eq.proof.runners import run

INSIDE = [name for name, engine in ENGINES.items() if engine.inside]
EVERY = [pytest.param(name, marks=pytest.mark.slow) if name == "spark" else name for name in DIALECTS]
SINGLE = [name for name in DIALECTS if "float32" in DIALECTS[name].types]


def require_same(program: Program, x: np.ndarray, options: Options) -> None:
    """Hold the query to the program, to 1e-12 of the magnitudes that are summed last."""
    text = emit(program, "sql", options)
    found = run("sql", text, x).outputs
    with np.errstate(all="ignore"):
        errors = np.abs(found - program.evaluate(x)) / scale(program, x)
    worst = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), errors.shape)
    assert errors[worst] <= 1e-12, (
        f"{program.outputs[worst[1]]} at {x[worst[0]]}: {found[worst]}\n{text[:3000]}"
    )


def test_every_dialect_has_an_engine() -> None:
    assert set(DIALECTS) == set(ENGINES)


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "postgres"])
def test_every_activation(engine: str) -> None:
    require_same(everything("layered"), samples(), Options(dialect=engine))


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", pytest.param("spark", marks=pytest.mark.slow)])
def test_every_activation_nested(engine: str) -> None:
    require_same(everything("nested"), samples(), Options(dialect=engine))


@pytest.mark.parametrize("layout", ["layered", "nested"])
@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_numbers_that_underflow_are_no_error(engine: str, layout: str) -> None:
    """To PostgreSQL a product that underflows is one: a single small number would end a query of a billion rows."""
    tiny = np.multiply.outer(
        [10.0**-power for power in (323, 310, 250, 163, 108, 70, 40)], [1, -1, 0.3, -0.7]
    )
    x, program = np.concatenate([tiny, np.ones_like(tiny)], axis=1), everything(layout)
    meant = x + BESIDE - BESIDE if engine == "postgres" else x  # so are ties that such numbers break
    found = run("sql", emit(program, "sql", Options(dialect=engine)), x).outputs
    assert np.allclose(found, program.evaluate(meant), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layout", ["layered", "nested"])
@pytest.mark.parametrize("dialect", EVERY)
def test_everything_odd(engine: str, layout: str) -> None:
    x = 3.0 * np.random.default_rng(1).standard_normal((50, 4))
    if (engine, layout) == ("sqlite", "nested"):
        with pytest.raises(CannotEmit, match="deep, more than sqlite reads"):
            emit(odd(layout), "sql")
    else:
        require_same(odd(layout), x, Options(dialect=engine))


@pytest.mark.parametrize("layout", ["layered", "nested"])
@pytest.mark.parametrize("dialect", EVERY)
def test_an_output_that_is_the_same_everywhere(engine: str, layout: str) -> None:
    require_same(constant(layout), np.random.default_rng(1).standard_normal((5, 2)), Options(dialect=engine))


@pytest.mark.parametrize("case", SPECIAL)
@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_every_special_network(engine: str, case: str) -> None:
    for fold in (True, False):
        text = emit(layered(SPECIAL[case], fold=fold), "sql", Options(dialect=engine))
        agreement = check(SPECIAL[case], text, "sql")
        assert agreement.holds, agreement.line()


@pytest.mark.parametrize("dtype", EXTREMES)
@pytest.mark.parametrize("dialect", EVERY)
def test_numbers_read_back_to_the_last_bit(engine: str, dtype: str) -> None:
    random = np.random.default_rng(3)
    usual = (random.standard_normal(500) * 10.0 ** random.integers(-6, 6, 500)).astype(dtype)
    data = np.concatenate([EXTREMES[dtype], usual])
    found = run("sql", emit(exact("layered", data), "sql", Options(dialect=engine)), np.ones((1, 1))).outputs[
        0
    ]
    assert np.array_equal(found, data.astype(np.float64))


# ------------------------------------------------------------------------------------- what sqlglot translates


@pytest.mark.parametrize("dialect", OTHERS)
def test_a_translation_is_read_back_and_run(dialect: str) -> None:
    pytest.importorskip("sqlglot", reason="sqlglot is not installed: make tools")
    pytest.importorskip("duckdb", reason="duckdb is not installed: make tools")
    network = replace(dense(2, 3, 3, hidden="softplus", last="softmax"), input_names=("T in °C", "select"))
    conversion = convert(network, Request("sql", options=Options(dialect=dialect, keep=("id",))))
    assert f"by duckdb, read back by sqlglot from {dialect}" in conversion.line()
    assert judge(network, conversion.text).holds
    wrong = re.sub(r"(\d\.\d\d\d)\d", r"\g<1>0", conversion.text)
    assert not judge(network, wrong).holds


@pytest.mark.slow
@pytest.mark.parametrize("dialect", OTHERS)
def test_every_activation_translated(dialect: str) -> None:
    pytest.importorskip("sqlglot", reason="sqlglot is not installed: make tools")
    pytest.importorskip("duckdb", reason="duckdb is not installed: make tools")
    require_same(everything("layered"), samples(), Options(dialect=dialect))


def test_the_tangent_of_small_numbers_keeps_its_digits() -> None:
    x = np.concatenate([np.geomspace(1e-12, 20, 400), -np.geomspace(1e-12, 20, 400), [0.0, 1e3, -1e3]])
    found = fm.evaluate(fm.parse(TANH.formula), {"z": x})
    assert np.allclose(found, np.tanh(x), rtol=3e-15, atol=0)


def test_an_engine_that_is_not_translated_truly_is_refused() -> None:
    with pytest.raises(CannotEmit, match="unknown SQL dialect 'tsql'"):
        emit(layered(dense(2, 1)), "sql", Options(dialect="tsql"))


def test_what_sqlglot_does_not_know_is_refused() -> None:
    pytest.importorskip("sqlglot", reason="sqlglot is not installed: make tools")
    with pytest.raises(CannotEmit, match="no lgamma_of is known"):
        translated("SELECT lgamma_of(x) AS y FROM data", "mysql")


# ------------------------------------------------------------------------------------------------------- float32


@pytest.mark.parametrize(
    "dialect", [pytest.param(name, marks=pytest.mark.slow) if name == "spark" else name for name in SINGLE]
)
def test_float32_is_within_its_own_bound_and_no_better(engine: str) -> None:
    for hidden in ("tanh", "relu", "softplus"):
        network = dense(4, 8, 8, 3, hidden=hidden, last="softmax")
        text = emit(layered(network), "sql", Options(dialect=engine, dtype="float32"))
        agreement = check(network, text, "sql", dtype="float32")
        assert agreement.holds, agreement.line()
        assert not check(network, text, "sql").holds


@pytest.mark.parametrize("dialect", ["duckdb"])
def test_float32_numbers_read_back_to_the_last_bit(engine: str) -> None:
    options = Options(dialect=engine, dtype="float32")
    data = np.concatenate(
        [EXTREMES["float32"], np.random.default_rng(3).standard_normal(500).astype(np.float32)]
    )
    found = run("sql", emit(exact("layered", data), "sql", options), np.ones((1, 1))).outputs[0]
    assert np.array_equal(found, data.astype(np.float64))


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - set(SINGLE)))
def test_float32_is_refused_by_name_where_it_is_not(dialect: str) -> None:
    with pytest.raises(CannotEmit, match=f"{dialect} computes in float64"):
        emit(layered(dense(2, 1)), "sql", Options(dialect=dialect, dtype="float32"))


# -------------------------------------------------------------------------------------------------- large ones


@pytest.mark.parametrize("dialect", EVERY)
def test_a_deep_network_is_computed_once_a_row(engine: str) -> None:
    """Thirty layers of six units: written out where they are named, they would be 6^30 formulas."""
    network = dense(3, *[6] * 30, 2)
    x = np.random.default_rng(0).standard_normal((2_000 if engine != "spark" else 20, 3))
    found = run("sql", emit(layered(network), "sql", Options(dialect=engine)), x).outputs
    assert np.allclose(found, network.evaluate(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "postgres"])
def test_wide_layers_and_long_sums(engine: str) -> None:
    for network in (dense(1, 1_200, last="softmax"), dense(900, 2)):
        x = np.random.default_rng(0).standard_normal((3, network.inputs))
        found = run("sql", emit(layered(network), "sql", Options(dialect=engine)), x).outputs
        assert np.allclose(found, network.evaluate(x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("dialect", "most"), [("sqlite", "2,000"), ("postgres", "1,600")])
def test_more_columns_than_a_row_holds_are_refused(dialect: str, most: str) -> None:
    with pytest.raises(TooLarge, match=f"holds {most}"):
        emit(layered(dense(1, 2_001, 1)), "sql", Options(dialect=dialect))


@pytest.mark.parametrize("hidden", ["tanh", "sigmoid", "relu", "selu", "gelu", "softplus", "linear", "swish"])
def test_sqlite_reads_what_is_not_too_deep(hidden: str) -> None:
    """Towers of one unit a layer, of every height up to the first that is refused."""
    name = "silu" if hidden == "swish" else hidden
    for height in range(1, 12):
        network = dense(2, *[1] * height, 1, hidden=name)
        try:
            text = emit(nested(network, fold=False), "sql")
        except CannotEmit as error:
            assert error.code == "too-deep"  # noqa: PT017 - where it ends is SQLite's affair
            return
        if len(text) > 200_000:
            return
        assert np.allclose(run("sql", text, np.ones((1, 2))).outputs, network.evaluate(np.ones((1, 2))))


# --------------------------------------------------------------------------------------------- names and tables

AWKWARD = ('T in "°C"', "a'b", "select", "x`y", "semi;-- colon", "z1_1", "x", "a1_1", "100%", "naïve η")


@pytest.mark.parametrize("dialect", EVERY)
def test_every_name_can_be_a_column(engine: str) -> None:
    network = replace(dense(10, 2, 2), input_names=AWKWARD, output_names=('out "put"', "y`1; DROP TABLE x"))
    text = emit(layered(network), "sql", Options(dialect=engine, table='my "own` data', keep=("row; id",)))
    x = np.random.default_rng(0).standard_normal((5, 10))
    assert np.allclose(run("sql", text, x).outputs, network.evaluate(x), rtol=1e-12)


@pytest.mark.parametrize("dialect", EVERY)
def test_a_long_name_is_not_broken_at_its_spaces(dialect: str) -> None:
    name = "the  temperature, at two o'clock,  " * 5
    text = emit(layered(replace(dense(2, 1), input_names=(name, "p"))), "sql", Options(dialect=dialect))
    assert name in text


@pytest.mark.parametrize(
    ("inputs", "options"),
    [
        (("T", "t"), Options()),
        (("a\nb", "t"), Options()),
        (("a", "b"), Options(keep=("Y",))),
        (("a", "b"), Options(table="main.")),
        (("a", "b"), Options(table="a\0b")),
    ],
)
def test_names_that_are_no_columns_are_refused(inputs: tuple[str, str], options: Options) -> None:
    with pytest.raises(CannotEmit) as caught:
        emit(layered(replace(dense(2, 1), input_names=inputs)), "sql", options)
    assert caught.value.code in ("name-clash", "bad-name")


def test_postgres_tells_capitals_apart() -> None:
    assert emit(layered(replace(dense(2, 1), input_names=("T", "t"))), "sql", Options(dialect="postgres"))


def test_an_unknown_dialect_and_options_of_others_are_refused() -> None:
    with pytest.raises(CannotEmit, match="unknown SQL dialect 'access'"):
        emit(layered(dense(2, 1)), "sql", Options(dialect="access"))
    with pytest.raises(CannotEmit, match="--dialect does not apply to numpy"):
        emit(layered(dense(2, 1)), "numpy", Options(dialect="duckdb"))


def test_a_table_of_integers_in_a_schema_is_scored_beside_its_keys() -> None:
    network = replace(dense(2, 3, 1, hidden="softsign"), input_names=("a", "b"))
    rows = [(7, 3, -4), (5, 1, 2), (6, 0, 0)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE cars (id INTEGER, b INTEGER, a INTEGER)")
        connection.executemany("INSERT INTO cars VALUES (?, ?, ?)", rows)
        text = emit(layered(network), "sql", Options(table="main.cars", keep=("id",)))
        found = connection.execute(text)
        assert [column[0] for column in found.description] == ["id", "y"]
        answers = dict(found.fetchall())
    expected = network.evaluate(np.array([[a, b] for _, b, a in rows], dtype=np.float64))[:, 0]
    assert np.allclose([answers[key] for key, *_ in rows], expected, rtol=1e-12)


def test_a_parquet_file_is_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    duckdb.sql(
        "COPY (SELECT i AS id, i / 10 AS x1, i::FLOAT AS x2 FROM range(5000) r(i)) TO 'cars.parquet'"
    ).close()
    network = dense(2, 4, 1)
    text = emit(layered(network), "sql", Options(dialect="duckdb", table="cars.parquet", keep=("id",)))
    found = np.array(duckdb.sql(text).fetchall())
    order = np.arange(5000.0)
    assert np.array_equal(found[:, 0], order)
    x = np.stack([order / 10, order], axis=1)
    assert np.allclose(found[:, 1], network.evaluate(x)[:, 0], rtol=1e-12)
