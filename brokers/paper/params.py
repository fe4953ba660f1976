"""Parameters of a request, read as tolerantly as existing clients need.

Numbers and booleans may come as text, a null counts as absent, unknown members are ignored. Where
a value is present but unusable the reader raises `ViolationError`.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from brokers.paper.codec import parse_instant

W = TypeVar("W", bound=StrEnum)

_TEXT_LIMIT = 64
_INT64 = 2**63


class ViolationError(Exception):
    """A request that breaks the shape of its endpoint; names the member."""

    def __init__(self, member: str, value: Any, description: str) -> None:
        super().__init__(description)
        self.member = member
        self.value = value
        self.description = description


class Params:
    """The members of one request; names are matched exactly first and then in any case."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = {name: value for name, value in members.items() if value is not None}
        self._folded = {name.lower(): value for name, value in self._members.items()}

    def raw(self, name: str) -> Any:
        """Return a member as it came, or None."""
        return self._members.get(name, self._folded.get(name.lower()))

    def text(self, name: str, limit: int = _TEXT_LIMIT) -> str | None:
        """Return a text member; longer than its limit is a violation."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        # Form-encoding clients send numbers as text and the other way round, so anything plain will do.
        # No database stores a NUL.
        if isinstance(value, (dict, list)) or len(str(value)) > limit or "\0" in str(value):
            raise ViolationError(name, None, f"{name} must be a text of at most {limit} characters")
        return str(value)

    def integer(self, name: str) -> int | None:
        """Return a whole number; `"123"` and `123.0` count as one."""
        value = self.decimal(name)
        if value is None:
            return None
        if value != value.to_integral_value() or abs(value) >= _INT64:
            raise ViolationError(name, self.raw(name), f"{name} must be a whole number of at most 64 bits")
        return int(value)

    def decimal(self, name: str) -> Decimal | None:
        """Return a finite number."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        try:
            found = Decimal(str(value)) if not isinstance(value, bool) else None
        except InvalidOperation:
            found = None
        if (
            found is None
            or not found.is_finite()
            or len(found.as_tuple().digits) > 20
            or abs(found.adjusted()) > 19
        ):
            raise ViolationError(name, str(value)[:_TEXT_LIMIT], f"{name} must be a number")
        return found

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean; `"true"` counts as true."""
        value = self.raw(name)
        return default if value is None else str(value).lower() in ("true", "1")

    def integers(self, name: str) -> list[int] | None:
        """Return a list of whole numbers, given as JSON list or as `1,2,3`."""
        value = self.raw(name)
        if value is None:
            return None
        parts = value if isinstance(value, list) else [part for part in str(value).split(",") if part.strip()]
        found = [Params({name: part}).integer(name) for part in parts]
        return [number for number in found if number is not None]

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts."""
        value = self.raw(name)
        return (
            None if value is None else [str(part) for part in (value if isinstance(value, list) else [value])]
        )

    def word(self, name: str, words: type[W]) -> W | None:
        """Return a word of a closed vocabulary, in the protocol's spelling or another case."""
        value = self.text(name)
        if value is None:
            return None
        for word in words:
            if word.value.lower() == value.lower():
                return word
        raise ViolationError(name, value, f"{name} must be one of {', '.join(words)}")

    def moment(self, name: str) -> datetime | None:
        """Return an instant."""
        value = self.text(name)
        try:
            return parse_instant(value) if value else None
        except ValueError:
            raise ViolationError(name, value, f"{name} must be an ISO 8601 instant") from None
