"""How the processes log: JSON lines in production, readable lines elsewhere, secrets in neither.

Masking happens on the finished text, so it also covers arguments, exceptions and what libraries say. It is
the last fence, not the first: nobody should hand a secret to a logger.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

MASK = "***"
_NAMES = r"password|passwd|secret|token|authorization|api[_-]?key|cookie|session_?id|verifier|data_keys"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(r"\bth_(?:live|paper|test)_[\w-]+"), f"th_{MASK}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), MASK),  # a JWT's header is JSON, and `{"` is eyJ in base64
    (re.compile(r"\bv1\.[\w-]+\.[\w+/=-]{16,}(?:\.[\w+/=-]+)*"), f"v1.{MASK}"),
    (re.compile(r"(\b[\w+]{1,20}://[^\s/:@]*:)[^\s/@]+@"), rf"\1{MASK}@"),
    (re.compile(r"(?i)([?&](?:code|state|ticket)=)[^\s&'\"]+"), rf"\1{MASK}"),
    (
        re.compile(
            rf"(?i)((?:{_NAMES})[\"']?\s*[:=]\s*)"
            r"(b?\"(?:[^\"\\]|\\.)*\"|b?'(?:[^'\\]|\\.)*'|[^\s,;&}\])]+)"
        ),
        rf"\1{MASK}",
    ),
)
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def scrub(text: str) -> str:
    """Return the text with everything masked that looks like a secret."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class ReadableFormatter(logging.Formatter):
    """One line for a person; tracebacks below it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, scrubbed."""
        return scrub(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object for a machine; what was given as `extra` stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object, scrubbed value by value, so that masking cannot break its quotes."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": scrub(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _PLAIN:
                line[name] = _value(name, value)
        if record.exc_info:
            line["exception"] = scrub(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = scrub(record.stack_info)
        return json.dumps(line, ensure_ascii=False)


def _value(name: str, value: Any) -> Any:
    if re.search(_NAMES, name, re.IGNORECASE):
        return MASK
    return value if isinstance(value, bool | int | float | None) else scrub(str(value))


def configuration(*, readable: bool, level: str) -> dict[str, Any]:
    """Return Django's LOGGING: all of it to standard error, where platforms collect it."""
    formatter = ReadableFormatter if readable else JsonFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Their own handlers would bypass the masking, and mail whole requests to people.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "daphne": {"level": "WARNING"},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
        },
    }
