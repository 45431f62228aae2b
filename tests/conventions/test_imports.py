"""Does the program start without the heavy libraries, and does the contract name every part of the core?

Modules are looked at, not seconds: what is not imported costs nothing on any machine.
"""

import json
import subprocess
import sys
import tomllib

import pytest

from tests.conventions.repository import ROOT

HEAVY = {"ccxt", "numba", "numpy", "polars", "pyarrow", "scipy"}
LIST_MODULES = (
    "import json, sys; print('\\n' + json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
)


def loaded_after(code: str) -> set[str]:
    """Return the top-level modules in a new interpreter once the code has run."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LIST_MODULES}"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_after("import plimsoll")
    assert "plimsoll" in loaded
    assert not loaded & (HEAVY | {"typer", "rich"})


HELP = """
import sys
from plimsoll.cli import main
sys.argv = ["plimsoll", {arguments}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize("arguments", ['"--help"', '"replay", "--help"', '"calibrate", "--help"'])
def test_asking_for_help_loads_nothing_heavy(arguments):
    loaded = loaded_after(HELP.format(arguments=arguments))
    assert "typer" in loaded
    assert not loaded & HEAVY


def contracts() -> dict[str, dict[str, list[str]]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_the_core_is_every_layer_up_to_the_engine():
    layers = contracts()["layers"]["layers"]
    core = {f"plimsoll.{room}" for floor in layers[layers.index("engine") :] for room in floor.split(" | ")}
    assert set(contracts()["pure-core"]["source_modules"]) == core
