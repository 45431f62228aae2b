"""How does the service say what it does: one line an event, for people or for machines?"""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from plimsoll.service.settings import LogSettings

__all__ = ["set_up_logs"]

_KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


def set_up_logs(settings: LogSettings) -> None:
    """Send the service's and the web server's words to stderr in the form asked for, without requests."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Machine() if settings.form == "json" else _Person())
    for name in ("plimsoll", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(settings.level.upper())
    logging.getLogger("uvicorn.access").disabled = True
    if settings.level == "info":
        logging.getLogger("uvicorn").setLevel("WARNING")


class _Machine(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record with its fields."""
        line = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class _Person(logging.Formatter):
    """Time, level, event, fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record with its fields."""
        moment = datetime.fromtimestamp(record.created, tz=UTC)
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items())
        line = f"{moment:%H:%M:%S} {record.levelname.lower():7} {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in record.__dict__.items() if name not in _KNOWN}
