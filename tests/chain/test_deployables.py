"""Is every contract documented, small enough to deploy, and said how to be switched off?"""

from typing import Any

import pytest

from plimsoll.chain.compilation import CONTRACTS
from tests.support.evm import compiled

LARGEST = 24_576
"""Bytes of code that a chain takes (EIP-170)."""

DEPLOYABLE = sorted(path.stem for path in CONTRACTS.glob("*.vy") if path.stem[0].isupper())


@pytest.mark.parametrize("name", DEPLOYABLE)
def test_a_deployable_fits_below_the_limit(name):
    assert 0 < len(compiled(name).runtime) < LARGEST


@pytest.mark.parametrize("name", DEPLOYABLE)
def test_a_deployable_says_what_it_is_and_how_it_is_switched_off(name):
    documents = compiled(name).devdoc
    assert documents["title"]
    assert "Apache-2.0" in CONTRACTS.joinpath(f"{name}.vy").read_text(encoding="utf-8")
    assert len(documents["custom:kill"]) > len("none")


@pytest.mark.parametrize("name", DEPLOYABLE)
def test_every_function_that_can_be_called_is_documented_to_its_last_argument(name):
    artefact = compiled(name)
    functions = [entry for entry in artefact.abi if entry["type"] == "function"]
    written = CONTRACTS.joinpath(f"{name}.vy").read_text(encoding="utf-8")
    for entry in functions:
        if f"def {entry['name']}(" not in written:
            continue  # the getter of a public variable
        takes = ",".join(_kind(argument) for argument in entry["inputs"])
        signature = f"{entry['name']}({takes})"
        assert artefact.userdoc["methods"][signature]["notice"], signature
        told = artefact.devdoc["methods"].get(signature, {})
        named = {argument["name"] for argument in entry["inputs"]}
        assert set(told.get("params", {})) == named, signature
        assert bool(entry["outputs"]) == ("returns" in told), signature


def _kind(argument: dict[str, Any]) -> str:
    kind: str = argument["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_kind, argument['components']))}){kind.removeprefix('tuple')}"


def test_every_line_without_a_check_says_why_it_is_safe():
    silent = []
    for path in sorted(CONTRACTS.glob("*.vy")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if (
                "unsafe_" in line.replace("`unsafe_", "")
                and "#" not in line
                and not _explained_above(lines, number)
            ):
                silent.append(f"{path.name}:{number + 1}")
    assert not silent


def _explained_above(lines: list[str], number: int) -> bool:
    """Say whether a comment stands above, with nothing but unchecked lines and their brackets between."""
    for line in reversed(lines[:number]):
        if line.lstrip().startswith("#"):
            return True
        if "unsafe_" not in line and line.strip()[-1:] not in {"(", ","}:
            return False
    return False
