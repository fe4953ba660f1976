"""What our own rows must say beside the exchange's books: each order decided first, told truly, and ended.

The rules by number: I2 nothing lost silently, I6 recorded before sent, I12 unknown is not called refused,
I15 the rows add up to the books, I17 lineage, I19 everything settles. The functions take plain values, so
that a history made bad by hand shows that each of them can fail.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from syncgroups.core.copies import OPEN_STATES
from syncgroups.core.keys import parse_key
from syncgroups.models import Activity, ActivityKind, CopiedOrder
from tests.journeys.invariants import History, moment
from tradehaven.domain.enums import RefusalReason

CLOCKS = timedelta(milliseconds=2)
"""The exchange writes its times in whole milliseconds."""
NEVER_SENT = frozenset(
    {RefusalReason.ENGINE_OFFLINE, RefusalReason.FOLLOWER_OFFLINE, RefusalReason.LEASE_LOST}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRow:
    """What the database says of one order of ours. `order_id` is the broker's number for it."""

    key: str
    state: str
    decided_at: datetime
    order_id: int | None = None
    filled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What people were told: the keys that were left out, that never left, and that were missed."""

    refused: frozenset[str] = frozenset()
    never_sent: frozenset[str] = frozenset()
    missed: frozenset[str] = frozenset()


def copies_of(owner: User) -> list[CopyRow]:
    """Read what the database says of our orders."""
    names = ("key", "state", "decided_at", "broker_order_id", "filled")
    return [
        CopyRow(key=key, state=str(state), decided_at=decided, order_id=order, filled=filled)
        for key, state, decided, order, filled in CopiedOrder.objects.filter(owner=owner).values_list(*names)
    ]


def said_to(owner: User) -> Said:
    """Read what the owner was told."""
    lines = Activity.objects.filter(owner=owner).exclude(key="")
    refused = lines.filter(kind=ActivityKind.COPY_REFUSED)
    return Said(
        refused=frozenset(lines.values_list("key", flat=True)),
        never_sent=frozenset(refused.filter(reason__in=NEVER_SENT).values_list("key", flat=True)),
        missed=frozenset(lines.filter(kind=ActivityKind.MISSED).values_list("key", flat=True)),
    )


def decided_before_placed(history: History, copies: Iterable[CopyRow]) -> list[str]:
    """I6: no order of ours was at the exchange before its decision stood on record."""
    rows = {row.key: row for row in copies}
    return [
        f"I6 {key} was placed at {history.orders[order]['timestamp']}, decided at {rows[key].decided_at}"
        for order, key in history.client_ids.items()
        if key in rows and moment(history.orders[order]["timestamp"]) + CLOCKS < rows[key].decided_at
    ]


def unknown_is_not_refused(history: History, said: Said) -> list[str]:
    """I12: what was called missed, or not sent at all, is not at the exchange."""
    there = set(history.client_ids.values())
    wrong = [f"I12 {key} was called missed, and it is there" for key in sorted(said.missed & there)]
    return wrong + [
        f"I12 {key} was called not sent, and it is there" for key in sorted(said.never_sent & there)
    ]


def rows_tell_the_books(history: History, copies: Iterable[CopyRow]) -> list[str]:
    """I15: each row knows its order, and has counted each of its fills once."""
    filled: Counter[int] = Counter()
    for fill in history.fills:
        filled[fill["orderId"]] += int(fill["qty"])
    rows = {row.key: row for row in copies}
    wrong: list[str] = []
    for order, key in history.client_ids.items():
        row = rows.get(key)
        if row is not None and row.order_id != order:
            wrong.append(f"I15 {key} is order {order}, its row says {row.order_id}")
        elif row is not None and row.filled != filled[order]:
            wrong.append(f"I15 {key} traded {filled[order]}, its row says {row.filled}")
    return wrong


def lineage(history: History, copies: Iterable[CopyRow]) -> list[str]:
    """I17: every order of ours at the exchange answers a decision on record."""
    keys = {row.key for row in copies}
    ours = {key for key in history.client_ids.values() if parse_key(key) is not None}
    return [f"I17 {key} is at the broker, but not on record" for key in sorted(ours - keys)]


def everything_settles(
    copies: Iterable[CopyRow], down: Iterable[str], working: Mapping[str, int]
) -> list[str]:
    """I19: at rest no row is open whose order (by key) does not work, and no login is down."""
    open_states = {str(state) for state in OPEN_STATES}
    wrong = [
        f"I19 {row.key} is still called {row.state}"
        for row in copies
        if row.state in open_states and row.key not in working
    ]
    return wrong + [f"I19 the login {name} is down" for name in down]
