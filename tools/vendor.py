"""How does the chart library get from npm into the package, with its licence?

`python -m tools.vendor` copies what the dashboard serves out of `node_modules`; git ignores the copies, the
wheel holds them.
"""

import shutil
import sys
from pathlib import Path

__all__ = ["FILES", "main"]

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "node_modules" / "uplot"
TARGET = ROOT / "src" / "plimsoll" / "dashboard" / "static" / "vendor"
FILES = ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE")


def main() -> int:
    """Copy the files; say which is missing."""
    missing = [name for name in FILES if not (SOURCE / name).is_file()]
    if missing:
        print(f"vendor: node_modules/uplot lacks {', '.join(missing)}; run make setup", file=sys.stderr)
        return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(SOURCE / name, TARGET / Path(name).name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
