"""What does it cost to import each library, and to ask Plimsoll for help?

Each figure is the median over new interpreters, less the time of an empty one. The files are warm in memory;
the first start after installation also compiles bytecode and is slower.
"""

import statistics
import subprocess
import sys
import time

__all__ = ["main"]

REPEATS = 9
HELP = """
import sys
from plimsoll.cli import main
sys.argv = ["plimsoll", "--help"]
try:
    main()
except SystemExit:
    pass
"""
CASES = {
    "msgspec": "import msgspec",
    "typer": "import typer",
    "rich.console": "import rich.console",
    "numpy": "import numpy",
    "pydantic.BaseModel": "import pydantic; pydantic.BaseModel",
    "polars": "import polars",
    "numba": "import numba",
    "numba, one function compiled": "import numba; numba.njit(lambda x: x + 1)(1.0)",
    "ccxt": "import ccxt",
    "plimsoll": "import plimsoll",
    "plimsoll --help": HELP,
}


def seconds(code: str) -> float:
    """Return the median time of a new interpreter that runs the code."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Print a line per case, in milliseconds."""
    empty = seconds("pass")
    print(f"{'empty interpreter':30} {1000 * empty:6.0f} ms")
    for name, code in CASES.items():
        print(f"{name:30} {1000 * (seconds(code) - empty):+6.0f} ms")


if __name__ == "__main__":
    main()
