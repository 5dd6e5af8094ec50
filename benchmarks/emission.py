"""How fast texts are written: microseconds of work a weight, for every language that writes matrices."""

from __future__ import annotations

import time

from measure import table
from networks import write_h5

from nn2eq.emit import LANGUAGES, emit, emitter
from nn2eq.forms.straight import matrix
from nn2eq.reading import read

SIZES = (256, 1024, 1024, 1024, 1024, 16)


def main() -> None:
    """Write 3.4 million weights in each language."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        program = matrix(read(str(write_h5(Path(folder) / "large.h5", SIZES, "tanh"))))
    weights = sum(constant.data.size for constant in program.predict.constants)
    rows = []
    for language in LANGUAGES:
        if "matrix" in emitter(language).layouts:
            seconds = min(_seconds(program, language) for _ in range(2))
            rows.append((language, f"{seconds:.2f}", f"{1e6 * seconds / weights:.2f}"))
    table(
        f"Writing {'-'.join(map(str, SIZES))}, {weights:,} numbers",
        ("language", "seconds", "µs a weight"),
        rows,
    )


def _seconds(program: object, language: str) -> float:
    start = time.process_time()
    emit(program, language)  # type: ignore[arg-type]
    return time.process_time() - start


if __name__ == "__main__":
    main()
