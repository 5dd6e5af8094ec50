"""Spark on this machine alone, with one core and nothing but the samples."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.types import DoubleType, StructField, StructType

from nn2eq.errors import BadRequest
from nn2eq.proof.engines import SAMPLES, Array, Rows, failed

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.constraintPropagation.enabled": "false",  # of hundreds of columns it takes minutes
}


def rows(text: str, columns: Sequence[str], data: Array) -> Rows:
    """Return what a query answers. Raises BadRequest if Spark does not start, Disagreement."""
    spark = start()
    names = [name[1:-1].replace("``", "`") for name in columns]
    schema = StructType([StructField(name, DoubleType()) for name in names])
    try:
        frame = spark.createDataFrame(data.tolist(), schema).coalesce(1)
        frame.createOrReplaceTempView(SAMPLES)
        return [tuple(row) for row in spark.sql(text).collect()]
    except PySparkException as error:
        raise failed(error) from None


@cache
def start() -> SparkSession:
    """Start Spark, once in this process; it ends with the process."""
    settings = {**SETTINGS, "spark.sql.warehouse.dir": tempfile.gettempdir()}
    builder: Any = SparkSession.builder.master("local[1]").appName("nn2eq")
    try:
        with _quiet():
            found: SparkSession = builder.config(map=settings).getOrCreate()
            found.sparkContext.setLogLevel("OFF")
    except Exception as error:  # whatever stands between here and a running JVM
        what = f"Spark does not start: {str(error).strip()[:200]!a}"
        raise BadRequest(what, code="no-tool", way_out="install Java, or leave out --run") from None
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing that starts meanwhile say anything: the JVM has standard error for as long as it lives."""
    said, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(said, 2)
        os.close(said)
        os.close(nowhere)
