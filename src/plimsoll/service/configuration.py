"""How do a file and the environment together become the settings of a service?

The environment comes after the file: ``PLIMSOLL_SERVE__LISTEN__PORT=9000`` sets ``listen.port``. A variable
is read as TOML where it is TOML, and as text where it is not.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from plimsoll.domain.instruments import parse_instrument
from plimsoll.domain.markets import market_name
from plimsoll.errors import Code, PlimsollError, missing_file
from plimsoll.service.settings import REPORTERS, ServiceSettings

__all__ = ["PREFIX", "SECRETS", "read_settings", "shown"]

PREFIX = "PLIMSOLL_SERVE__"
SECRETS = ("store.postgres", "sources.*.address")
"""Settings that are never shown or logged."""

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_REMEDY = "Correct or remove it; docs/reference/service.md lists every setting."


def read_settings(path: Path | None, environment: Mapping[str, str]) -> ServiceSettings:
    """Read the file, put the environment on top, and check the whole.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, `UNREADABLE_FILE`, or `BAD_SETTING` with the setting's dotted name.
    """
    table = {} if path is None else _table(path)
    for variable in sorted(environment):
        if variable.startswith(PREFIX):
            _put(table, variable, environment[variable])
    try:
        settings = msgspec.convert(table, ServiceSettings, strict=True)
    except msgspec.ValidationError as error:
        what, _, field = str(error).partition(" - at ")
        raise _bad(what[:1].lower() + what[1:], field.strip("`").removeprefix("$.") or "settings") from error
    return _agreeing(settings)


def shown(settings: ServiceSettings) -> dict[str, Any]:
    """Give the settings as a table that may be printed: secrets are replaced by whether they are set."""
    table: dict[str, Any] = msgspec.to_builtins(settings)
    for room, field in (
        (table["store"], "postgres"),
        *((one, "address") for one in table["sources"].values()),
    ):
        room[field] = "(set)" if room[field] else ""
    return table


def _table(path: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise missing_file(str(path), error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlimsollError(
            Code.UNREADABLE_FILE, f"is not valid TOML: {error}", where=str(path), remedy="Correct the file."
        ) from error
    return table


def _put(table: dict[str, Any], variable: str, text: str) -> None:
    *rooms, field = variable.removeprefix(PREFIX).lower().split("__")
    for room in rooms:
        inner = table.setdefault(room, {})
        if not isinstance(inner, dict):
            raise _bad(f"{room} is a value and holds no settings", variable)
        table = inner
    table[field] = _value(text)


def _value(text: str) -> Any:
    try:
        return msgspec.toml.decode(f"value = {text}")["value"]
    except msgspec.DecodeError:
        return text


def _agreeing(settings: ServiceSettings) -> ServiceSettings:
    """Refuse settings that are each allowed and do not go together."""
    listen = settings.listen
    if bool(listen.certificate) != bool(listen.private_key):
        raise _bad("a certificate and its private key go together", "listen.certificate")
    loopback = listen.host in {"localhost", "::1"} or listen.host.startswith("127.")
    if not loopback and not listen.certificate and not listen.plain_behind_proxy:
        raise _bad(f"{listen.host} is no loopback address and there is no certificate", "listen.host")
    if settings.feed == "external" and len(set(settings.external.markets)) != len(settings.external.markets):
        raise _bad("a market is named twice", "external.markets")
    _check_boards(settings)
    _check_sources(settings)
    _check_reports(settings)
    return settings


def _check_boards(settings: ServiceSettings) -> None:
    """Refuse options of a market or day that is none, and on a venue that hears prices itself."""
    external = settings.external
    if external.boards and settings.feed != "external":
        raise _bad("a replayed market lists its own options", "external.boards")
    if external.boards and settings.hears:
        raise _bad("forwards and volatilities come through the API alone", "external.boards")
    for name, board in external.boards.items():
        where = f"external.boards.{name}"
        try:
            parsed = parse_instrument(name, where)
        except PlimsollError as error:
            raise _bad(error.what, where) from error
        if parsed.underlying not in external.markets:
            raise _bad(f"{parsed.underlying} is not in external.markets", where)
        if parsed.name != name or len({f"{strike:g}" for strike in board.strikes}) != len(board.strikes):
            raise _bad("its day begins with 0, or a strike is named twice", where)


def _check_sources(settings: ServiceSettings) -> None:
    """Refuse sources that nobody would listen to, and markets that nobody would price."""
    if settings.sources and settings.feed != "external":
        raise _bad("a replayed market has no sources", "sources")
    markets = set(settings.external.markets)
    for name, source in settings.sources.items():
        where = f"sources.{name}.markets"
        unknown = sorted(set(source.markets) - markets)
        if unknown:
            raise _bad(f"{unknown[0]} is not in external.markets", where)
        called = [market_name(one) if source.kind == "exchange" else one for one in source.markets.values()]
        if len(set(called)) != len(called):
            raise _bad("two markets are called the same", where)
        if source.kind == "lines" and not source.address.rpartition(":")[2].isdecimal():
            raise _bad("the address of lines is HOST:PORT", f"sources.{name}.address")
    unpriced = sorted(markets.difference(*(source.markets for source in settings.sources.values())))
    if settings.sources and unpriced and settings.reports is None:
        raise _bad(f"no source prices {unpriced[0]}", "sources")


def _check_reports(settings: ServiceSettings) -> None:
    """Refuse reporters whom nobody would ask, and names that sign nothing."""
    if settings.reports is None:
        return
    if settings.feed != "external":
        raise _bad("a replayed market has no reporters", "reports")
    if REPORTERS in settings.sources:
        raise _bad("this name stands for the reporters", f"sources.{REPORTERS}")
    names = [name.lower() for name in settings.reports.weights]
    if len(set(names)) != len(names):
        raise _bad("a reporter is named twice", "reports.weights")
    wrong = [name for name in names if not _ADDRESS.fullmatch(name)]
    if wrong:
        raise _bad(f"{wrong[0][:50]} is no address, 0x and forty hexadecimal digits", "reports.weights")


def _bad(what: str, where: str) -> PlimsollError:
    return PlimsollError(Code.BAD_SETTING, what, where=where, remedy=_REMEDY)
