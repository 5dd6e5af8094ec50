"""Everything that is promised about speed, beside peers, in one run: `make bench`, or `run.py NAME ...`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOT_A_BENCHMARK = {"run", "measure", "networks"}


def main() -> None:
    """Run the named benchmarks, or all, each in a process of its own."""
    found = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_A_BENCHMARK)
    wanted = sys.argv[1:] or found
    for name in wanted:
        if name not in found:
            sys.exit(f"no benchmark {name!r}; there are {', '.join(found)}")
        print(f"\n## {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=True)


if __name__ == "__main__":
    main()
