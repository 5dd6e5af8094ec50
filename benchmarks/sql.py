"""A table scored where it is: rows a second of a 4-16-16-1 network in DuckDB and in Spark, beside model.predict.

    python benchmarks/run.py sql                 10 million rows
    ROWS=1000000 python benchmarks/run.py sql    fewer

A query reads a Parquet file of float32 columns and writes one of answers, in a process of its own; that of a fifth of
the rows shows whether memory grows with them. Keras has its rows in memory, and its best batch size.
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


def main() -> None:
    """Measure each engine in what it computes in, and Keras."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = write_h5(folder / "model.h5", SIZES, "tanh")
        for rows in (ROWS // 5, ROWS):
            _python(DATA.format(rows=rows, data=folder / f"data{rows}.parquet"))
        keras, memory = _measured(KERAS, model=model, rows=ROWS, batches=BATCHES, runs=2)
        found = [("Keras model.predict, best batch size", "float32", ROWS / keras, f"{memory:.0f}", "")]
        for dialect, script in {"duckdb": DUCKDB, "spark": SPARK}.items():
            for dtype in ("float32", "float64"):
                found.append(_row(dialect, dtype, script, model, folder))
    table(
        f"{'-'.join(map(str, SIZES))} tanh over {ROWS:,} rows, two cores",
        ("what", "computes in", "million rows a second", "of predict", "MiB", "MiB for a fifth of the rows"),
        [
            (what, dtype, f"{speed / 1e6:.2f}", f"{speed * keras / ROWS:.2f}", memory, less)
            for what, dtype, speed, memory, less in found
        ],
    )


def _row(
    dialect: str, dtype: str, script: str, model: Path, folder: Path
) -> tuple[str, str, float, str, str]:
    """Score both files, the shorter one for its memory."""
    memories = []
    for rows in (ROWS // 5, ROWS):
        query = folder / "query.sql"
        command = [NN2EQ, str(model), "-f", "sql", "--dialect", dialect, "--dtype", dtype, "-o", str(query)]
        subprocess.run(
            [*command, "--table", str(folder / f"data{rows}.parquet")], check=True, capture_output=True
        )
        seconds, memory = _measured(script, query=query, answers=folder / f"answers-{dialect}", runs=RUNS)
        memories.append(f"{memory:.0f}")
    return f"nn2eq -f sql --dialect {dialect}", dtype, ROWS / seconds, memories[1], memories[0]


def _measured(script: str, **fields: object) -> tuple[float, float]:
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
