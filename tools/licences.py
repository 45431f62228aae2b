"""May everything that the lock files install be used beside Apache-2.0?

`licences.toml` records each locked dependency once. Three things are compared: the lock files (what is
installed), the record (what a person judged), and the installed package's own metadata (what it says today).
A dependency without record, a record without dependency, a package whose metadata has changed, a licence that
is not on the list: each is a finding. What comes from npm is compared with `package-lock.json`.
"""

import json
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = [
    "ROOT",
    "Record",
    "check",
    "check_npm",
    "declared_licence",
    "is_suitable",
    "locked",
    "main",
    "read_record",
]

ROOT = Path(__file__).resolve().parents[1]
TOKEN = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What `licences.toml` says: the suitable licences, those that need a reason, the packages."""

    suitable: frozenset[str]
    with_reason: frozenset[str]
    packages: dict[str, dict[str, str]]
    npm: dict[str, dict[str, str]]


def read_record(path: Path) -> Record:
    """Read the record and refuse a field that nothing would check."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    for name, entry in (table["package"] | table["npm"]).items():
        unknown = entry.keys() - {"licence", "declared", "reason"}
        if unknown or "licence" not in entry:
            raise ValueError(f"{path.name}: [package.{name}] needs 'licence' and knows no {sorted(unknown)}")
    return Record(
        suitable=frozenset(table["suitable"]),
        with_reason=frozenset(table["suitable-with-reason"]),
        packages=table["package"],
        npm=table["npm"],
    )


def locked(lock: Path) -> dict[str, list[Requirement]]:
    """Return the requirements of a lock file by name; markers may lock a name twice."""
    found: dict[str, list[Requirement]] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            requirement = Requirement(line.removesuffix("\\").strip())
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def declared_licence(name: str) -> str:
    """Return what the installed package says: its SPDX expression, else classifiers, else the old field."""
    about = metadata(name)
    if "License-Expression" in about:
        return about["License-Expression"]
    classifiers = about.get_all("Classifier") or []
    licences = sorted(c.split("::")[-1].strip() for c in classifiers if c.startswith("License ::"))
    if licences or "License" not in about:
        return "; ".join(licences)
    return about["License"].strip().partition("\n")[0]


def is_suitable(expression: str, allowed: frozenset[str]) -> bool:
    """Say whether an SPDX expression can be met with allowed licences: AND needs both sides, OR needs one."""
    tokens = TOKEN.findall(expression)
    answer, rest = _either(tokens, allowed)
    if rest:
        raise ValueError(f"not an SPDX expression: {expression!r}")
    return answer


def _either(tokens: list[str], allowed: frozenset[str]) -> tuple[bool, list[str]]:
    answer, rest = _both(tokens, allowed)
    while rest and rest[0] == "OR":
        right, rest = _both(rest[1:], allowed)
        answer = answer or right
    return answer, rest


def _both(tokens: list[str], allowed: frozenset[str]) -> tuple[bool, list[str]]:
    answer, rest = _one(tokens, allowed)
    while rest and rest[0] == "AND":
        right, rest = _one(rest[1:], allowed)
        answer = answer and right
    return answer, rest


def _one(tokens: list[str], allowed: frozenset[str]) -> tuple[bool, list[str]]:
    match tokens:
        case ["(", *inside]:
            answer, rest = _either(inside, allowed)
            if rest[:1] != [")"]:
                raise ValueError("not an SPDX expression: a bracket is never closed")
            return answer, rest[1:]
        case [licence, "WITH", exception, *rest]:
            return f"{licence} WITH {exception}" in allowed, rest
        case [licence, *rest] if licence not in {")", "AND", "OR"}:
            return licence in allowed, rest
    raise ValueError(f"not an SPDX expression at {tokens!r}")


def check(record: Record, locks: list[Path]) -> list[str]:
    """Return every finding as one sentence; none means that all is well."""
    requirements: dict[str, list[Requirement]] = {}
    for lock in locks:
        for name, wanted in locked(lock).items():
            requirements.setdefault(name, []).extend(wanted)
    unlocked = record.packages.keys() - requirements.keys()
    findings = [f"{name}: recorded but no longer locked" for name in unlocked]
    for name, wanted in requirements.items():
        if name not in record.packages:
            findings.append(f"{name}: locked but not recorded; add [package.{name}] to licences.toml")
            continue
        findings.extend(_judge(name, record.packages[name], record))
        if any(r.marker is None or r.marker.evaluate() for r in wanted):
            findings.extend(_compare(name, record.packages[name]))
    return sorted(findings)


def check_npm(record: Record, lock: Path) -> list[str]:
    """Return every finding about what `package-lock.json` holds, by the licence that each entry states."""
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    held = {path.removeprefix("node_modules/"): entry for path, entry in packages.items() if path}
    findings = [f"{name}: recorded but no longer locked" for name in record.npm.keys() - held.keys()]
    for name, entry in held.items():
        if name not in record.npm:
            findings.append(f'{name}: locked but not recorded; add [npm."{name}"] to licences.toml')
            continue
        findings.extend(_judge(name, record.npm[name], record))
        says = entry.get("license", "")
        if says != record.npm[name]["licence"]:
            findings.append(
                f"{name}: recorded as {record.npm[name]['licence']!r}, but the lock says {says!r}"
            )
    return sorted(findings)


def _judge(name: str, entry: dict[str, str], record: Record) -> list[str]:
    if is_suitable(entry["licence"], record.suitable):
        return []
    if not is_suitable(entry["licence"], record.suitable | record.with_reason):
        return [f"{name}: {entry['licence']} is not on the list of licences suitable beside Apache-2.0"]
    return [] if entry.get("reason") else [f"{name}: {entry['licence']} needs a recorded reason"]


def _compare(name: str, entry: dict[str, str]) -> list[str]:
    try:
        says = declared_licence(name)
    except PackageNotFoundError:
        return [f"{name}: locked but not installed, so its licence cannot be checked; run make setup"]
    recorded = entry.get("declared", entry["licence"])
    return [] if says == recorded else [f"{name}: recorded as {recorded!r}, but the package says {says!r}"]


def main() -> int:
    """Print the findings, or one line that says how much was checked."""
    record = read_record(ROOT / "licences.toml")
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    findings = check(record, locks) + check_npm(record, ROOT / "package-lock.json")
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        count = len(record.packages) + len(record.npm)
        print(f"{count} locked dependencies recorded and suitable beside Apache-2.0")
    return 1 if findings or not locks else 0


if __name__ == "__main__":
    sys.exit(main())
