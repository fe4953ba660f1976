"""Rules as rows, forms and the API have them: plain values of JSON, amounts and times as text.

Reading is for strangers: what does not fit becomes `InvalidInput` with the dotted name of its field. What
the values must be, beyond their types, is in `sound`.
"""

import re
from dataclasses import fields, is_dataclass
from datetime import time
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from risk.core.rules import Rules
from risk.core.sound import checked
from tradehaven.domain.errors import InvalidInput

_MINUTE = re.compile(r"[0-9]{2}:[0-9]{2}", re.ASCII)
_INDEX = re.compile(r"\[([0-9]+)\]", re.ASCII)


def written(rules: Rules) -> dict[str, Any]:
    """Return rules as values of JSON, every field of them."""
    found: dict[str, Any] = msgspec.to_builtins(rules)
    return found


def kept(body: object) -> Rules:
    """Return rules as a row has them: they were checked when they were set, by the checks of that day.

    Raise `msgspec.ValidationError` for what no version has written.
    """
    return msgspec.convert(body, Rules, strict=False)


def read(body: object) -> Rules:
    """Return the rules that somebody has written; what is left out has its default.

    Raise `InvalidInput` naming the field and the fix.
    """
    if not isinstance(body, dict):
        raise InvalidInput("rules", "Rules are an object with a name for each field.")
    try:
        return checked(msgspec.convert(_known(body, Rules, ""), Rules, strict=False))
    except msgspec.ValidationError as error:
        told, _, path = str(error).rpartition(" - at ")
        raise InvalidInput(_dotted(path), f"{told}.") from None


def _known(body: object, kind: Any, path: str) -> object:
    """Return the same with times to the second; raise `InvalidInput` for a name that no field has."""
    if kind is time and isinstance(body, str) and _MINUTE.fullmatch(body):
        return f"{body}:00"
    if isinstance(body, dict) and (types := _types(kind)):
        return {
            name: _known(value, _type(types, name, path), f"{path}{name}.") for name, value in body.items()
        }
    if get_origin(kind) is UnionType:
        for part in get_args(kind):
            body = _known(body, part, path)
    elif get_origin(kind) is tuple and isinstance(body, list):
        return [_known(value, get_args(kind)[0], f"{path}{index}.") for index, value in enumerate(body)]
    return body


def _type(types: dict[str, Any], name: str, path: str) -> Any:
    if name not in types:
        message = f"There is no such field; there are {', '.join(types)}."
        raise InvalidInput(f"{path}{str(name)[:40]}", message)
    return types[name]


@cache
def _types(kind: Any) -> dict[str, Any]:
    """Return the types of a part's fields by name; nothing for what has none."""
    parts = fields(kind) if is_dataclass(kind) else ()
    hints = get_type_hints(kind) if parts else {}
    return {field.name: hints[field.name] for field in parts}


def _dotted(path: str) -> str:
    """Return `$.hours[0].start` as hours.0.start, and a mapping's own name for its unnamed keys."""
    return _INDEX.sub(r".\1", path[3:-1]).replace("[...]", "")
