"""SQL: one query over a table that has the inputs as columns, for each engine in its dialect."""

from nn2eq.emit.sql.text import EMITTER

__all__ = ["EMITTER"]
