"""Rules that people write as lines: products, hours and news, from the JSON of rules to text and back.

Clock times are Chicago's. What is no such line is handed on as it was typed where reading the rules will
say what is wrong with it, and said here where nothing later could.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from tradehaven.domain.calendar import CHICAGO
from tradehaven.domain.errors import InvalidInput

_WINDOW = re.compile(r"\s*(\d{1,2}:\d{2})\s*(?:-|to)\s*(\d{1,2}:\d{2})\s*")
_CLOCK = r"(\d{1,2}:\d{2}(?::\d{2})?)"
_NEWS = re.compile(
    rf"(\d{{4}}-\d{{2}}-\d{{2}})\s+{_CLOCK}\s*(?:-|to)\s*(?:(\d{{4}}-\d{{2}}-\d{{2}})\s+)?{_CLOCK}\s+(.+)"
)
_FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Line:
    """How a part of the rules is written for people, and read again. `read` raises `InvalidInput`."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _caps_text(body: Mapping[str, int]) -> str:
    return ", ".join(f"{root} {most}" for root, most in body.items())


def _caps_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        root, _, most = part.partition(" ")
        found[root.upper()] = int(most) if most.strip().isdigit() else most
    return found


def _roots_of(text: str) -> list[str]:
    return sorted({part.upper() for part in re.split(r"[,\s]+", text) if part})


def _hours_text(body: list[Mapping[str, str]]) -> str:
    return ", ".join(f"{window['start'][:5]}-{window['end'][:5]}" for window in body)


def _hours_of(text: str) -> list[Any]:
    found: list[Any] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = _WINDOW.fullmatch(part)
        start, end = (value.rjust(5, "0") for value in match.groups()) if match else (part, part)
        found.append({"start": start, "end": end})
    return found


def _news_text(body: list[Mapping[str, Any]]) -> str:
    return "\n".join(_news_line(window) for window in body)


def _news_line(window: Mapping[str, Any]) -> str:
    start, end = (datetime.fromisoformat(window[name]).astimezone(CHICAGO) for name in ("start", "end"))
    until = _clock(end) if end - start < timedelta(days=1) else f"{end:%Y-%m-%d} {_clock(end)}"
    label = window["label"].replace(";", ",")  # what follows a semicolon are products
    text = f"{start:%Y-%m-%d} {_clock(start)}-{until} {label}"
    if window.get("products"):
        text += f"; {', '.join(sorted(window['products']))}"
    return f"{text}; {_FLAT}" if window.get("flat") else text


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _news_of(text: str) -> list[Any]:
    lines = [line.strip() for line in text.splitlines()]
    return [_window_of(number, line) for number, line in enumerate(lines, 1) if line]


def _window_of(number: int, line: str) -> dict[str, Any]:
    match = _NEWS.fullmatch(line)
    if match is None:
        raise InvalidInput(
            "news", f"Line {number}: write the day, the times and a name, such as 2026-12-10 07:28-07:40 CPI."
        )
    day, start, last, end, rest = match.groups()
    label, *more = (part.strip() for part in rest.split(";"))
    begins, ends = _moment(number, day, start), _moment(number, last or day, end)
    if last is None and ends <= begins:  # over midnight
        ends += timedelta(days=1)
    return {
        "label": label,
        "start": begins.isoformat(),
        "end": ends.isoformat(),
        "products": [root for part in more if part.lower() != _FLAT for root in _roots_of(part)],
        "flat": any(part.lower() == _FLAT for part in more),
    }


def _moment(number: int, day: str, clock: str) -> datetime:
    try:
        at = time.fromisoformat(clock.rjust(5, "0") if clock.count(":") == 1 else clock.rjust(8, "0"))
        return datetime.combine(datetime.fromisoformat(day), at, CHICAGO)
    except ValueError as error:
        raise InvalidInput("news", f"Line {number}: {day} {clock} is no time.") from error


LINES = {
    "caps__products": Line(_caps_text, _caps_of),
    "products": Line(", ".join, _roots_of),
    "hours": Line(_hours_text, _hours_of),
    "news": Line(_news_text, _news_of),
}
"""By the field of the form."""
