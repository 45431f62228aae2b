"""Are the reference pages whole and true: each setting with default and bounds, each error, each option?"""

import re
from typing import Any

import msgspec
import pytest
import typer
from msgspec import inspect

from plimsoll.cli import application
from plimsoll.domain.liquidity import RecordingSettings
from plimsoll.domain.observations import Fault
from plimsoll.domain.oracle import Step
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.errors import Code
from plimsoll.feeds.gates import GateSettings
from plimsoll.feeds.live import LiveSettings
from plimsoll.service.configuration import read_settings
from plimsoll.service.settings import ServiceSettings
from plimsoll.service.table import ENDPOINTS
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.settings import ReplaySettings
from tests.conventions.repository import ROOT

REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows(text: str, columns: int) -> list[list[str]]:
    """Return the cells of every table row whose first cell is code."""
    found = [
        [cell.strip() for cell in line.strip()[1:-1].split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    assert all(len(row) == columns for row in found), [row for row in found if len(row) != columns]
    return found


def figure(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:g}"


PLAIN: dict[type, str] = {
    inspect.NoneType: "none",
    inspect.BoolType: "true, false",
    inspect.DictType: "table",
    inspect.VarTupleType: "names",
}


def bounds(kind: inspect.Type) -> str:
    """Write the bounds of a type as an interval."""
    if isinstance(kind, inspect.UnionType):
        return " or ".join(bounds(part) for part in kind.types)
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        low = f"({figure(kind.gt)}" if kind.gt is not None else "(-inf"
        high = f"{figure(kind.lt)})" if kind.lt is not None else "inf)"
        low = low if kind.ge is None else f"[{figure(kind.ge)}"
        high = high if kind.le is None else f"{figure(kind.le)}]"
        return f"{low}, {high}"
    if isinstance(kind, inspect.LiteralType):
        return ", ".join(map(str, kind.values))
    if isinstance(kind, inspect.VarTupleType) and isinstance(kind.item_type, inspect.StructType):
        return "ladder"
    if isinstance(kind, inspect.VarTupleType) and isinstance(kind.item_type, inspect.FloatType):
        return "numbers"
    return PLAIN.get(type(kind), "text")


def _entry(value: Any) -> str:
    if isinstance(value, Step):
        return f"{figure(value.above)}: {value.multiplier:g}"
    return figure(value) if isinstance(value, float) else str(value)


def default(field: inspect.Field) -> str:
    value: Any = field.default
    if value is msgspec.NODEFAULT:
        return "required" if field.required else "left out"
    if isinstance(value, tuple):
        return ", ".join(_entry(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value or "empty"
    return "none" if value is None else figure(value)


def _room(kind: inspect.Type) -> inspect.StructType | None:
    """Give the room that a field holds, if it does; it may be left out as a whole."""
    parts = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return next((part for part in parts if isinstance(part, inspect.StructType)), None)


def settings(kind: type, prefix: str = "") -> dict[str, tuple[str, str]]:
    """Return default and bounds of every setting by its dotted name, however deep."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    found: dict[str, tuple[str, str]] = {}
    for field in described.fields:
        name = f"{prefix}{field.name}"
        room = _room(field.type)
        if room is not None:
            found |= settings(room.cls, f"{name}.")
        elif isinstance(field.type, inspect.DictType) and isinstance(
            field.type.value_type, inspect.StructType
        ):
            found |= settings(field.type.value_type.cls, f"{name}.NAME.")
        else:
            found[name] = (default(field), bounds(field.type))
    return found


def test_every_setting_is_on_its_page_with_its_default_and_bounds():
    listed = {row[0].strip("`"): (row[1], row[3]) for row in rows(page("settings.md"), 5)}
    assert listed == settings(ReplaySettings)


def test_every_setting_of_a_simulation_is_on_its_page_or_on_that_of_a_replay():
    listed = {row[0].strip("`"): (row[1], row[3]) for row in rows(page("simulation-settings.md"), 5)}
    shared = set(settings(ReplaySettings))
    found = settings(CascadeSettings)
    assert listed == {name: found[name] for name in found if name not in shared or name in _OF_BOTH}


_OF_BOTH = {"policies", "seed"}
"""Settings of the same name that mean something else for a replay."""


def test_every_setting_of_feeds_is_on_their_page_and_every_fault():
    listed = {row[0].strip("`"): (row[1], row[3]) for row in rows_of(page("feeds.md"), 5)}
    assert listed == settings(GateSettings) | settings(LiveSettings)
    assert {row[0].strip("`") for row in rows_of(page("feeds.md"), 2)} == set(Fault)


def test_every_setting_of_a_recording_is_on_its_page_with_its_default_and_bounds():
    listed = {row[0].strip("`"): (row[1], row[3]) for row in rows_of(page("recordings.md"), 5)}
    assert listed == settings(RecordingSettings, "books.")


def rows_of(text: str, columns: int) -> list[list[str]]:
    """Return the rows of the tables that have so many columns."""
    wanted = "".join(f"{line}\n" for line in text.splitlines() if line.count("|") == columns + 1)
    return rows(wanted, columns)


SERVICE_SHARED = ("clearing.", "calibration.", "replay.population.", "replay.market.")


def test_every_setting_of_the_service_is_on_its_page_with_its_default_and_bounds():
    rooms = page("service.md").partition("## Settings")[2].partition("## Files")[0]
    listed = {row[0].strip("`"): (row[1], row[2]) for row in rows(rooms, 4)}
    known = {
        name: about
        for name, about in settings(ServiceSettings).items()
        if not name.startswith(SERVICE_SHARED)
    }
    assert listed == known


def test_every_endpoint_is_on_the_page_of_the_service_with_its_scope():
    listed = [row[:2] for row in rows(page("service.md").partition("## Settings")[0], 3)]
    assert listed == [[f"`{each.method} {each.path}`", each.scope or "none"] for each in ENDPOINTS]


def test_the_example_of_settings_in_deploy_holds():
    example = ROOT / "deploy" / "plimsoll.toml"
    assert read_settings(example, {}).feed == "external"


def test_the_settings_of_a_calibration_are_those_of_a_replay_without_the_prefix():
    replayed = [name.partition("calibration.")[2] for name in settings(ReplaySettings)]
    assert set(settings(CalibrationSettings)) == set(replayed) - {""}


def test_the_settings_files_on_the_page_are_read():
    files = dict(re.findall(r"```toml file=(\S+)\n(.*?)```", page("settings.md"), re.DOTALL))
    assert set(files) == {"replay.toml", "calibration.toml"}
    assert msgspec.toml.decode(files["replay.toml"], type=ReplaySettings) != ReplaySettings()
    assert msgspec.toml.decode(files["calibration.toml"], type=CalibrationSettings) != CalibrationSettings()


def test_every_error_is_on_its_page_and_no_other():
    listed = [row[0].strip("`") for row in rows(page("errors.md"), 3)]
    assert sorted(listed) == sorted(Code)


def test_every_error_on_the_page_can_be_raised():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src" / "plimsoll").rglob("*.py")]
    raised = {name for text in sources for name in re.findall(r"Code\.([A-Z_]+)", text)}
    assert {code.name for code in Code} == raised


def commands(group: Any, prefix: str = "") -> dict[str, Any]:
    """Return every command by the words that call it, those of sub-applications included."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found |= {f"{prefix}{name}": command} if inner is None else commands(command, f"{prefix}{name} ")
    return found


COMMANDS = commands(typer.main.get_command(application.app))


def sections() -> dict[str, str]:
    """Return the text of each command's section."""
    parts = re.split(r"^## plimsoll ([\w -]+)$", page("commands.md"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(command: str) -> set[str]:
    parameters = COMMANDS[command].params
    return {name for parameter in parameters for name in parameter.opts if name.startswith("--")}


def test_every_command_has_its_section():
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(sections()))
def test_every_option_of_a_command_is_in_its_section_and_no_other(command):
    listed = {row[0].strip("`").partition(" ")[0] for row in rows(sections()[command], 3)}
    assert listed == options(command)
