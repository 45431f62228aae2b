"""How is a JSON or TOML file read into a value, and what is said of one that does not fit?"""

from pathlib import Path
from typing import TypeVar

import msgspec

from plimsoll.domain.parameters import ParameterSet
from plimsoll.errors import Code, PlimsollError, missing_file

__all__ = ["read_document", "read_parameters", "within_bounds"]

_Document = TypeVar("_Document")


def read_document(path: Path, kind: type[_Document], code: Code, remedy: str) -> _Document:
    """Read a file by its ending, ``.toml`` or else JSON; unknown names and values out of bounds are refused.

    Parameters
    ----------
    code : Code     What to call a file whose content does not fit.
    remedy : str    What to do about it.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, `UNREADABLE_FILE`, or `code`; it names the field.
    """
    content = _content(path)
    decode = msgspec.toml.decode if path.suffix == ".toml" else msgspec.json.decode
    try:
        return decode(content, type=kind)
    except msgspec.ValidationError as error:
        what, _, field = str(error).partition(" - at ")
        where = f"{path} {field.strip('`')}" if field else str(path)
        raise PlimsollError(code, _lowered(what), where=where, remedy=remedy) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlimsollError(
            Code.UNREADABLE_FILE,
            f"is not valid {'TOML' if path.suffix == '.toml' else 'JSON'}: {_lowered(str(error))}",
            where=str(path),
            remedy="Correct the file at the place named.",
        ) from error


def read_parameters(path: Path) -> ParameterSet:
    """Read a sealed parameter set; raises what `read_document` raises, `BAD_SETTING` where it was altered."""
    remedy = "Give a file that `plimsoll calibrate --out` wrote."
    return read_document(path, ParameterSet, Code.BAD_SETTING, remedy).verified(str(path))


def within_bounds(settings: _Document, remedy: str) -> _Document:
    """Check settings that options have changed; raises `BAD_SETTING` with the field that is out of bounds."""
    try:
        return msgspec.convert(msgspec.to_builtins(settings), type(settings))
    except msgspec.ValidationError as error:
        what, _, field = str(error).partition(" - at ")
        raise PlimsollError(
            Code.BAD_SETTING, _lowered(what), where=field.strip("`"), remedy=remedy
        ) from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise missing_file(str(path), error) from error


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
