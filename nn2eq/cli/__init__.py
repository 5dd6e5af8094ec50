"""The command line: what is asked for, said in click; no mathematics."""

from nn2eq.cli.main import main

__all__ = ["main"]
