"""The session's equity curve, from fills."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from accounts.models import User
from analytics.core.equity import Key, Point, Traded, carried, curve
from analytics.selectors import fills_today
from brokers.models import Fill, Position
from brokers.selectors import accounts_of
from tradehaven.domain.enums import Side
from tradehaven.domain.positions import Position as Folded

COLUMNS = ("account_id", "symbol", "side", "qty", "ticks", "traded_at")
LOOK_BACK = timedelta(days=14)
"""How far back the fills are looked for that opened what a session began with."""


def session_curve(user: User, now: datetime) -> list[Point]:
    """Return the result of a person's trading day (UTC moment) after each of its fills, oldest first."""
    rows = fills_today(user, now).order_by("traded_at", "pk").values_list(*COLUMNS)
    fills = [_traded(row) for row in rows]
    return curve(fills, _opening(user, fills, now)) if fills else []


def names_of(user: User) -> dict[int, str]:
    """Return the names of a person's accounts."""
    return dict(accounts_of(user).values_list("pk", "name"))


def _opening(user: User, fills: Iterable[Traded], now: datetime) -> dict[Key, Folded]:
    """Return what was held before the first fill of the session, where anything was.

    What the broker states now, less what the session traded, is what it began with. Only for those contracts
    earlier fills are read; a position that they do not explain counts from its first price of the session.
    """
    held: dict[Key, int] = defaultdict(int)
    for position in Position.objects.filter(account__connection__owner=user):
        held[(position.account_id, position.symbol)] += position.net
    for fill in fills:
        held[(fill.account, fill.symbol)] -= fill.side.sign * fill.qty
    began = {key: net for key, net in held.items() if net}
    if not began:
        return {}
    earlier = Fill.objects.filter(
        account_id__in={account for account, _ in began},
        symbol__in={symbol for _, symbol in began},
        traded_at__gte=now - LOOK_BACK,
    ).exclude(pk__in=fills_today(user, now).values("pk"))
    rows = earlier.order_by("traded_at", "pk").values_list(*COLUMNS)
    found = carried(_traded(row) for row in rows)
    return {key: position for key, position in found.items() if began.get(key) == position.net}


def _traded(row: tuple[int, str, str, int, int, datetime]) -> Traded:
    account, symbol, side, qty, ticks, at = row
    return Traded(account=account, symbol=symbol, side=Side(side), qty=qty, ticks=ticks, at=at)
