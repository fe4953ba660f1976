"""How the API writes values that JSON has no word for, and refuses what it does not know."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.api.words import worded
from tradehaven.domain.money import cents, usd


class Moment(serializers.DateTimeField):
    """A time in UTC to the millisecond: 2025-12-15T14:32:18.442Z."""

    def to_representation(self, value: datetime) -> str:
        """Write a moment."""
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Dollars(serializers.DecimalField):
    """An amount of USD as a number to the cent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=24, decimal_places=2, coerce_to_string=False, **options)

    def to_representation(self, value: Any) -> Any:
        """Write an amount, rounded for the eye."""
        return cents(usd(value)).amount


class Price(serializers.DecimalField):
    """A price in points as a number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=20, decimal_places=9, coerce_to_string=False, **options)

    def to_representation(self, value: Any) -> Any:
        """Write a price without the zeros that only fill its column."""
        return Decimal(f"{Decimal(value).normalize():f}")


class Word(serializers.CharField):
    """One of our words as the API writes it: `stop_limit` is StopLimit."""

    def to_representation(self, value: Any) -> str:
        """Write a word."""
        return worded(str(value))


class Strict(serializers.Serializer[Any]):
    """What callers send. An unknown field is refused: a mistyped `stopLoss` would trade without one."""

    def to_internal_value(self, data: Any) -> Any:
        """Return what was sent, or name what is wrong and what is unknown."""
        strange = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if strange:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {str(name)[:40]: [f"Unknown field; use some of: {known}."] for name in sorted(strange)}
            )
        return super().to_internal_value(data)


class NoQuery(Strict):
    """For addresses at which nothing can be chosen."""


def enveloped(data: Any, **more: Any) -> dict[str, Any]:
    """Return an answer in the frame that every success has."""
    return {"status": "ok", "data": data, **more}


def checked(sent: Strict) -> dict[str, Any]:
    """Return what was sent once it is found to be right; raise what names each fault."""
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def listed(body: Callable[..., serializers.BaseSerializer[Any]], rows: Iterable[Any]) -> list[Any]:
    """Return rows as the API writes them."""
    return [body(row).data for row in rows]
