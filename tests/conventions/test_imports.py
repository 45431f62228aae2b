"""Does the program start without the heavy libraries, and is the core free of what no import shows?

Modules are looked at, not seconds: what is not imported costs nothing on any machine.
"""

import ast
import json
import subprocess
import sys
import tomllib

import pytest

from tests.conventions.repository import ROOT, modules, parsed

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


def calls(*folders: str) -> list[tuple[str, str, ast.Call]]:
    """Return place, last name and node of every call in the folders."""
    return [
        (f"{path}:{node.lineno}", ast.unparse(node.func).rpartition(".")[2], node)
        for path in modules(*folders)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
    ]


def core() -> list[str]:
    return [name.replace(".", "/") for name in contracts()["pure-core"]["source_modules"]]


def test_the_core_reads_no_clock():
    found = calls(*(f"src/{room}" for room in core()))
    assert found
    assert not [place for place, name, _ in found if name in {"now", "today", "utcnow"}]


PACKAGED = (
    "src/plimsoll/calibration/score_cards/",
    "src/plimsoll/margin/profiles/",
    "src/plimsoll/scenarios/",
)
"""Where the core reads what the package itself ships."""
INSTRUCTIONS = {"builder.load"}
"""Calls that emit a machine instruction and touch no file."""


def test_the_core_touches_no_file_but_packaged_ones():
    rooms = [f"src/{room}" for room in core()]
    touch = {
        "open",
        "read_bytes",
        "read_text",
        "write_bytes",
        "write_text",
        "fromfile",
        "tofile",
        "load",
        "save",
    }
    touching = [
        place
        for place, name, node in calls(*rooms)
        if name in touch and ast.unparse(node.func) not in INSTRUCTIONS
    ]
    assert any(place.startswith(PACKAGED) for place in touching), "the search finds what is there to be found"
    assert not [place for place in touching if not place.startswith(PACKAGED)]


def test_every_generator_is_seeded():
    found = calls("src", "tests", "tools", "benchmarks")
    assert not [
        place for place, name, node in found if name == "default_rng" and not (node.args or node.keywords)
    ]


def test_the_core_is_every_layer_up_to_the_engine():
    layers = contracts()["layers"]["layers"]
    core = {f"plimsoll.{room}" for floor in layers[layers.index("engine") :] for room in floor.split(" | ")}
    assert set(contracts()["pure-core"]["source_modules"]) == core
