"""What differs between two sets of rules, in words: for the page before it is saved, and for its history."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import time
from decimal import Decimal
from enum import StrEnum
from functools import singledispatch
from typing import Any

from risk.core.rules import (
    Caps,
    Collar,
    Consistency,
    DayLimit,
    Drawdown,
    Flat,
    GiveBack,
    Lockout,
    LockUntil,
    NewsWindow,
    Offset,
    Protection,
    Rate,
    Rules,
    Scaling,
    Tier,
    Unit,
    Window,
)
from risk.core.tightening import strictest


class Direction(StrEnum):
    """Which way a change goes: what is tighter holds at once, all else waits for the next day."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that differs: its dotted name, the change in words, and which way it goes."""

    field: str
    text: str
    direction: Direction


_PARTS = (DayLimit, GiveBack, Drawdown, Caps, Collar, Protection, Flat, Consistency)
_UNITS = {Unit.TICKS: "ticks", Unit.PERCENT: "%", Unit.USD: "USD"}
# Neither way is tighter: a reset elsewhere, or a share that is only shown.
_NEUTRAL = frozenset({"reset_at", "consistency"})


def differences(old: Rules, new: Rules) -> tuple[Difference, ...]:
    """Return what differs, in the order of the fields."""
    return tuple(_differing(old, new, strictest(old, new), ""))


def _differing(old: Any, new: Any, held: Any, path: str) -> Iterator[Difference]:
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after:
            continue
        name = f"{path}{field.name}"
        holds = getattr(held, field.name)
        if isinstance(before, _PARTS) and isinstance(after, _PARTS):
            yield from _differing(before, after, holds, f"{name}.")
            continue
        direction = _direction(name, before, after, holds)
        text = f"{_label(name)}: {said(before)} -> {said(after)}"
        yield Difference(field=name, text=text, direction=direction)


def _direction(name: str, before: object, after: object, holds: object) -> Direction:
    if name.partition(".")[0] in _NEUTRAL or holds not in (before, after):
        return Direction.OTHER
    return Direction.TIGHTER if holds == after else Direction.LOOSER


def _label(name: str) -> str:
    return name.replace("_", " ").replace(".", ", ")


@singledispatch
def said(value: object) -> str:
    """Return a value of a rule as people read it."""
    if not is_dataclass(value):
        return str(value)
    parts = ((field.name, getattr(value, field.name)) for field in fields(value))
    return ", ".join(f"{_label(name)} {said(part)}" for name, part in parts if part is not None)


@said.register
def _(value: None) -> str:
    return "none"


@said.register
def _(value: bool) -> str:
    return "yes" if value else "no"


@said.register
def _(value: Decimal) -> str:
    return f"{value:,f}"


@said.register
def _(value: time) -> str:
    return value.isoformat("auto" if value.second else "minutes")


@said.register
def _(value: Lockout) -> str:
    return f"{value.minutes} minutes" if value.until is LockUntil.DURATION else f"to the {value.until}"


@said.register
def _(value: Offset) -> str:
    return f"{said(value.value)} {_UNITS[value.unit]}"


@said.register
def _(value: Rate) -> str:
    return f"{value.entries} in {value.seconds} s"


@said.register
def _(value: Tier) -> str:
    return f"{said(value.minis)} from {said(value.profit)}"


@said.register
def _(value: Scaling) -> str:
    return f"{said(value.tiers)} over {said(value.start)}{' of live equity' if value.live else ''}"


@said.register
def _(value: Window) -> str:
    return f"{said(value.start)} to {said(value.end)}"


@said.register
def _(value: NewsWindow) -> str:
    return f"{value.label} at {value.start:%Y-%m-%d %H:%M}"


@said.register(dict)
def _(value: dict[str, object]) -> str:
    return ", ".join(f"{key} {said(value[key])}" for key in sorted(value)) or "none"


@said.register(frozenset)
def _(value: frozenset[str]) -> str:
    return ", ".join(sorted(value)) or "all"


@said.register(tuple)
def _(value: tuple[object, ...]) -> str:
    return ", ".join(said(part) for part in value) or "none"
