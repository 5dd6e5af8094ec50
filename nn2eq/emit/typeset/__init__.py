"""Typeset mathematics in other notations than LaTeX: the same equations, read once, written in each."""
