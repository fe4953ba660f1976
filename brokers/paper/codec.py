"""Entities to JSON members and back; the only place that knows how the wire writes a value.

Money and prices are decimals inside and plain JSON numbers outside; instants are UTC with
milliseconds and `Z`; absent members are left out.
"""

import types
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from brokers.paper.entities import Entity
from brokers.paper.kinds import CLASS_OF, Kind

Json = dict[str, Any]

# Names whose wire spelling is not plain camel case.
_SPELLING = {
    "realized_pnl": "realizedPnL",
    "week_realized_pnl": "weekRealizedPnL",
    "amount_sod": "amountSOD",
}


def wire_name(member: str) -> str:
    """Return the wire's spelling of a member, for example `ordStatus` for `ord_status`."""
    head, *rest = member.split("_")
    return _SPELLING.get(member) or head + "".join(part.capitalize() for part in rest)


def instant(moment: datetime) -> str:
    """Return a UTC instant as the wire writes it: ISO 8601, milliseconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_instant(text: str) -> datetime:
    """Return the UTC instant of an ISO 8601 text; raises ValueError when it is none."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def number(value: Decimal) -> float | int:
    """Return a decimal as the JSON number nearest to it, without a fraction where it has none."""
    return int(value) if value == value.to_integral_value() else float(value)


def trade_date(day: date) -> Json:
    """Return a trade date as the wire writes it."""
    return {"year": day.year, "month": day.month, "day": day.day}


def to_wire(entity: Entity) -> Json:
    """Return an entity as JSON members, leaving absent ones out."""
    body: Json = {}
    for name, wire in _MEMBERS[type(entity)]:
        value = getattr(entity, name)
        if value is not None:
            body[wire] = _encode(value)
    return body


def from_wire(kind: Kind, body: Json) -> Entity:
    """Return the entity that `to_wire` wrote; raises KeyError or ValueError on a foreign body."""
    cls = CLASS_OF[kind]
    types_ = _TYPES[cls]
    given = {name: _decode(types_[name], body[wire]) for name, wire in _MEMBERS[cls] if wire in body}
    return cls(**given)


def _encode(value: Any) -> Any:
    match value:
        case Decimal():
            return number(value)
        case datetime():
            return instant(value)
        case date():
            return trade_date(value)
        case StrEnum():
            return value.value
        case _:
            return value


def _decode(wanted: type[Any], value: Any) -> Any:
    if wanted is Decimal:
        # Through text, because a float's own value is not the number that was meant.
        return Decimal(str(value))
    if wanted is datetime:
        return parse_instant(value)
    if wanted is date:
        return date(value["year"], value["month"], value["day"])
    return wanted(value)


def _plain(hint: Any) -> type[Any]:
    if get_origin(hint) in (types.UnionType, Union):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    plain: type[Any] = hint
    return plain


_CLASSES = frozenset(CLASS_OF.values())
_MEMBERS = {cls: tuple((field.name, wire_name(field.name)) for field in fields(cls)) for cls in _CLASSES}
_TYPES = {cls: {name: _plain(hint) for name, hint in get_type_hints(cls).items()} for cls in _CLASSES}
