"""A table scored where it is: rows a second of a 4-16-16-1 network in DuckDB and in Spark, beside model.predict.

    python benchmarks/run.py sql                 10 million rows
    ROWS=1000000 python benchmarks/run.py sql    fewer

A query reads a Parquet file of float32 columns and writes one of answers, in a process of its own; that of a fifth of
the rows shows whether memory grows with them. Keras has its rows in memory, and its best batch size. They take turns,
so that none has the machine at its quietest for itself, and the best run of each counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import NN2EQ, PYTHON, table
from networks import write_h5

ROWS = int(os.environ.get("ROWS", "10_000_000"))
SIZES = (4, 16, 16, 1)
BATCHES = (4_096, 16_384, 65_536, 262_144)
RUNS = 3
TURNS = 4
DTYPES = ("float32", "float64")
DATA = """
import duckdb
columns = ", ".join(f"(4 * random() - 2)::FLOAT AS x{{k}}" for k in range(1, 5))
duckdb.sql(f"COPY (SELECT {{columns}} FROM range({rows})) TO '{data}'")
"""
DUCKDB = """
import resource, time, duckdb
duckdb.sql("SET threads = 2; SET preserve_insertion_order = false")
query = open("{query}").read().rstrip().rstrip(";")
best = 1e9
for _ in range({runs}):
    start = time.perf_counter()
    duckdb.sql(f"COPY (\\n{{query}}\\n) TO '{answers}'")
    best = min(best, time.perf_counter() - start)
print("MEASURED", best, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
SPARK = """
import re, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
best = 1e9
for _ in range({runs}):
    start = time.perf_counter()
    spark.sql(open("{query}").read()).write.mode("overwrite").parquet("{answers}")
    best = min(best, time.perf_counter() - start)
status = open(f"/proc/{{spark.sparkContext._gateway.proc.pid}}/status").read()
print("MEASURED", best, int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1024)
spark.stop()
"""
KERAS = """
import resource, time, keras, numpy
keras.config.disable_interactive_logging()
model = keras.saving.load_model("{model}", compile=False)
x = numpy.random.default_rng(0).uniform(-2, 2, ({rows}, 4)).astype("float32")
best = 1e9
for batch in {batches}:
    model.predict(x[: 2 * batch], batch_size=batch, verbose=0)
    for _ in range({runs}):
        start = time.perf_counter()
        model.predict(x, batch_size=batch, verbose=0)
        best = min(best, time.perf_counter() - start)
print("MEASURED", best, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


Best = tuple[float, float]
"""Seconds of the best run, MiB of the largest."""
ENGINES = {"duckdb": DUCKDB, "spark": SPARK}


def main() -> None:
    """Measure each engine in what it computes in, and Keras."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_h5(folder / "model.h5", SIZES, "tanh")
        for rows in (ROWS // 5, ROWS):
            _python(DATA.format(rows=rows, data=folder / f"data{rows}.parquet"))
        keras, duckdb = _in_turns(folder)
        scored = duckdb | {("spark", dtype): _scored("spark", dtype, ROWS, folder) for dtype in DTYPES}
        fewer = {row: _scored(*row, ROWS // 5, folder)[1] for row in scored}
    table(
        f"{'-'.join(map(str, SIZES))} tanh over {ROWS:,} rows, two cores",
        ("what", "computes in", "million rows a second", "of predict", "MiB", "MiB for a fifth of the rows"),
        [
            _row("Keras model.predict, best batch size", "float32", keras, keras, ""),
            *(
                _row(f"nn2eq -f sql --dialect {dialect}", dtype, best, keras, f"{fewer[dialect, dtype]:.0f}")
                for (dialect, dtype), best in scored.items()
            ),
        ],
    )


def _in_turns(folder: Path) -> tuple[Best, dict[tuple[str, str], Best]]:
    """Measure Keras and DuckDB one after the other, several times."""
    keras: list[Best] = []
    duckdb: dict[tuple[str, str], list[Best]] = {("duckdb", dtype): [] for dtype in DTYPES}
    for _ in range(TURNS):
        keras.append(_measured(KERAS, model=folder / "model.h5", rows=ROWS, batches=BATCHES, runs=2))
        for row, found in duckdb.items():
            found.append(_scored(*row, ROWS, folder))
    return _best(keras), {row: _best(found) for row, found in duckdb.items()}


def _best(found: list[Best]) -> Best:
    seconds, memories = zip(*found, strict=True)
    return min(seconds), max(memories)


def _row(what: str, dtype: str, best: Best, keras: Best, fewer: str) -> tuple[str, ...]:
    seconds, memory = best
    return what, dtype, f"{ROWS / seconds / 1e6:.2f}", f"{keras[0] / seconds:.2f}", f"{memory:.0f}", fewer


def _scored(dialect: str, dtype: str, rows: int, folder: Path) -> Best:
    """Score a file of so many rows."""
    query, data = folder / "query.sql", folder / f"data{rows}.parquet"
    command = [NN2EQ, str(folder / "model.h5"), "-f", "sql", "--dialect", dialect, "--dtype", dtype]
    subprocess.run([*command, "--table", str(data), "-o", str(query)], check=True, capture_output=True)
    return _measured(ENGINES[dialect], query=query, answers=folder / f"{dialect}.parquet", runs=RUNS)


def _measured(script: str, **fields: object) -> Best:
    """Return the seconds of the best run and the MiB that the engine had at the most."""
    said = _python(script.format(**fields))
    _, seconds, memory = next(line for line in said.splitlines() if line.startswith("MEASURED")).split()
    return float(seconds), float(memory)


def _python(script: str) -> str:
    done = subprocess.run([PYTHON, "-c", script], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2_000:])
    return done.stdout


if __name__ == "__main__":
    main()
