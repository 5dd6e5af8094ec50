"""Equations set in displays, one below the other or side by side, and the comment in front of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nn2eq.emit.latex.pieces import LINE, Equation

BATCH = (
    r"For a batch of $n$ samples, one row each: $L_i$ is the loss of sample $i$, $\mathbf{1}$ a column of $n$ ones, "
    r"$\alpha$ the learning rate."
)
"""What stands above the equations of a batch, for people."""


def comment(said: Mapping[str, str]) -> str:
    """Return what a text says of itself, a line each."""
    return "".join(f"% {key}: {text}\n" for key, text in said.items())


def display(blocks: Sequence[Sequence[Equation]]) -> str:
    """Set equations one below the other, a little space between the blocks."""
    texts = [
        " \\\\\n".join(f"{left.text} &= {right.text}" for left, right in block) for block in blocks if block
    ]
    return "" if not texts else "\\begin{align*}\n" + " \\\\[1ex]\n".join(texts) + "\n\\end{align*}\n"


def beside(blocks: Sequence[Sequence[Equation]]) -> str:
    """Set a layer's kernel and bias side by side, unless one of them is too wide for that."""
    blocks = [block for block in blocks if block]
    if not blocks:
        return ""
    fit = all(sum(left.width + right.width + 40 for left, right in block) < LINE for block in blocks)
    if not fit:
        return display([[equation] for block in blocks for equation in block])
    rows = (r" &\qquad ".join(f"{left.text} &= {right.text}" for left, right in block) for block in blocks)
    columns = max(len(block) for block in blocks)
    return f"\\begin{{alignat*}}{{{columns}}}\n" + " \\\\[1ex]\n".join(rows) + "\n\\end{alignat*}\n"
