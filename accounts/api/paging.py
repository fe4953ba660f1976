"""Pages of long lists: by offset, as documented from the start, or by cursor, which skips and repeats nothing
while rows are added. The first cursor is the empty one.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from django.db.models import Model, Q, QuerySet
from rest_framework import serializers

from accounts.api.fields import Strict

Row = TypeVar("Row", bound=Model)
DEFAULT_LIMIT = 50
MOST = 500
DEEPEST = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PageQuery(Strict):
    """Which page is asked for."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=DEFAULT_LIMIT, help_text="Rows of a page."
    )
    offset = serializers.IntegerField(
        min_value=0, max_value=DEEPEST, default=0, help_text="Rows to skip; not together with `cursor`."
    )
    cursor = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Empty for the first page, then the `nextCursor` of the page before.",
    )


class PageInfo(serializers.Serializer[Any]):
    """Where a page lies: by offset `total` and `offset` are there, by cursor `nextCursor`."""

    total = serializers.IntegerField(required=False)
    limit = serializers.IntegerField()
    offset = serializers.IntegerField(required=False)
    nextCursor = serializers.CharField(required=False, allow_null=True)
    hasMore = serializers.BooleanField()


class _Mark(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The row that a page ended with: microseconds since 1970 and its key."""

    micros: int
    pk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows, and what the answer says about the rest."""

    rows: Sequence[Row]
    info: dict[str, Any]


def page_of(rows: "QuerySet[Row]", query: dict[str, Any], time: str) -> Page[Row]:
    """Return a page of rows, the newest first by the column `time` and then by key."""
    limit: int = query["limit"]
    ordered = rows.order_by(f"-{time}", "-pk")
    if query.get("cursor") is None:
        start: int = query["offset"]
        total = rows.count()
        found = list(ordered[start : start + limit])
        more = start + len(found) < total
        return Page(rows=found, info={"total": total, "limit": limit, "offset": start, "hasMore": more})
    if query["cursor"]:
        mark = _read(query["cursor"])
        at = _EPOCH + timedelta(microseconds=mark.micros)
        ordered = ordered.filter(Q(**{f"{time}__lt": at}) | Q(**{time: at, "pk__lt": mark.pk}))
    found = list(ordered[: limit + 1])
    more = len(found) > limit
    last = _write(getattr(found[limit - 1], time), found[limit - 1].pk) if more else None
    return Page(rows=found[:limit], info={"limit": limit, "nextCursor": last, "hasMore": more})


def _write(at: datetime, pk: int) -> str:
    mark = _Mark(micros=(at - _EPOCH) // timedelta(microseconds=1), pk=pk)
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(mark)).decode().rstrip("=")


def _read(text: str) -> _Mark:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        mark = msgspec.msgpack.decode(raw, type=_Mark)
        _EPOCH + timedelta(microseconds=mark.micros)
    except (binascii.Error, ValueError, OverflowError, msgspec.DecodeError):
        raise serializers.ValidationError(
            {"cursor": ["This is no cursor of ours; send an empty one for the first page."]}
        ) from None
    if not 0 < mark.pk < 2**63:
        raise serializers.ValidationError({"cursor": ["This cursor leads nowhere; begin with an empty one."]})
    return mark
