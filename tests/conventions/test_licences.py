"""Does the licence check find what it is there to find, and nothing in the lock files of today?"""

import dataclasses
import tomllib

import pytest
from packaging.requirements import Requirement

from tools.licences import ROOT, Record, check, check_npm, declared_licence, is_suitable, locked, read_record

ALLOWED = frozenset({"MIT", "BSD-3-Clause", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"})
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
EXTRAS = ("backtest", "chain", "exchanges", "service")


@pytest.fixture
def record() -> Record:
    return read_record(ROOT / "licences.toml")


def test_every_locked_dependency_is_recorded_and_suitable(record):
    assert {lock.name for lock in LOCKS} == {f"{name}.txt" for name in ("run", "dev", *EXTRAS)}
    assert check(record, LOCKS) == []


def test_the_development_lock_holds_the_others_at_the_same_versions():
    held = {str(r) for wanted in locked(ROOT / "requirements/dev.txt").values() for r in wanted}
    for lock in LOCKS:
        assert {str(r) for wanted in locked(lock).values() for r in wanted} <= held, lock.name


def wanted() -> dict[str, list[str]]:
    """Return what pyproject.toml asks for, by the lock file that must hold it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "run.txt": project["project"]["dependencies"],
        **{f"{extra}.txt": project["project"]["optional-dependencies"][extra] for extra in EXTRAS},
        "dev.txt": project["dependency-groups"]["dev"] + project["build-system"]["requires"],
    }


@pytest.mark.parametrize("lock", sorted(wanted()))
def test_every_direct_dependency_is_locked_within_its_bounds(lock):
    held = locked(ROOT / "requirements" / lock)
    for requirement in map(Requirement, wanted()[lock]):
        versions = [str(found.specifier).removeprefix("==") for found in held.get(requirement.name, [])]
        assert versions, f"{requirement.name} is not locked; run make lock"
        assert all(version in requirement.specifier for version in versions), requirement


def test_what_comes_from_npm_is_recorded_and_suitable(record):
    assert check_npm(record, ROOT / "package-lock.json") == []


def test_a_package_from_npm_without_a_record_or_with_another_licence_is_found(record, tmp_path):
    lock = tmp_path / "package-lock.json"
    lock.write_text(
        '{"packages": {"": {}, "node_modules/uplot": {"license": "GPL-3.0"}, "node_modules/x": {}}}'
    )
    found = check_npm(dataclasses.replace(record, npm={"uplot": record.npm["uplot"], "gone": {}}), lock)
    assert [line.partition(":")[0] for line in found] == ["gone", "uplot", "x"]


def altered(record: Record, name: str, **fields: str) -> Record:
    entry = {key: value for key, value in {**record.packages[name], **fields}.items() if value}
    return dataclasses.replace(record, packages={**record.packages, name: entry})


def test_a_dependency_without_a_record_is_found(record):
    packages = {name: entry for name, entry in record.packages.items() if name != "msgspec"}
    (finding,) = check(dataclasses.replace(record, packages=packages), LOCKS)
    assert finding.startswith("msgspec: locked but not recorded")


def test_a_record_without_a_dependency_is_found(record):
    packages = {**record.packages, "left-behind": {"licence": "MIT"}}
    (finding,) = check(dataclasses.replace(record, packages=packages), LOCKS)
    assert finding.startswith("left-behind: recorded but no longer locked")


def test_a_package_that_says_otherwise_than_recorded_is_found(record):
    (finding,) = check(altered(record, "msgspec", licence="MIT"), LOCKS)
    assert declared_licence("msgspec") in finding


def test_a_licence_off_the_list_is_found_even_with_a_reason(record):
    findings = check(altered(record, "certifi", licence="AGPL-3.0-only", reason="we like it"), LOCKS)
    assert findings == ["certifi: AGPL-3.0-only is not on the list of licences suitable beside Apache-2.0"]


def test_file_level_copyleft_without_a_reason_is_found(record):
    (finding,) = check(altered(record, "certifi", reason=""), LOCKS)
    assert finding == "certifi: MPL-2.0 needs a recorded reason"


def test_a_dependency_that_is_not_installed_cannot_pass(record, tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text("plimsoll-absent==1.0 \\\n    --hash=sha256:00\n", encoding="utf-8")
    only = dataclasses.replace(record, packages={"plimsoll-absent": {"licence": "MIT"}})
    (finding,) = check(only, [lock])
    assert "not installed" in finding


@pytest.mark.parametrize(
    ("expression", "suitable"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT AND BSD-3-Clause", True),
        ("(GPL-3.0-only OR MIT) AND MPL-2.0", False),
        ("BSD-3-Clause AND Apache-2.0 WITH LLVM-exception", True),
        ("MIT WITH LLVM-exception", False),
    ],
)
def test_an_expression_needs_both_sides_of_and_but_one_of_or(expression, suitable):
    assert is_suitable(expression, ALLOWED) is suitable


@pytest.mark.parametrize("expression", ["", "MIT AND", "(MIT", "MIT BSD-3-Clause", "OR MIT"])
def test_an_expression_that_cannot_be_read_is_refused(expression):
    with pytest.raises(ValueError, match="not an SPDX expression"):
        is_suitable(expression, ALLOWED)
