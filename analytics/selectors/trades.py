"""Fills as programs get them: with their order's type, their group, and what they realised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Max, QuerySet

from brokers.models import Account, Fill, Order
from syncgroups.models import CopiedOrder
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.money import Ticks
from tradehaven.domain.positions import FLAT, apply_fill

OrderKey = tuple[int, int]
"""An account and the broker's number of an order in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A fill and what is known around it. `realized` is in USD; None where the fill closed nothing."""

    fill: Fill
    order_type: OrderType | None
    group: str | None
    realized: Decimal | None

    @property
    def name(self) -> str:
        """Return the fill's name for programs."""
        return f"fill_{self.fill.pk:08x}"


def fills_in(
    accounts: QuerySet[Account],
    *,
    account: int | None = None,
    symbol: str = "",
    side: Side | None = None,
    first: date | None = None,
    last: date | None = None,
) -> QuerySet[Fill]:
    """Return the fills of these accounts; `first` and `last` are trading days and both count."""
    found = Fill.objects.filter(account__in=accounts).select_related("account")
    wanted = {
        "account_id": account,
        "symbol": symbol or None,
        "side": side,
        "trade_date__gte": first,
        "trade_date__lte": last,
    }
    return found.filter(**{name: value for name, value in wanted.items() if value is not None})


def trades_of(fills: Sequence[Fill]) -> list[Trade]:
    """Return what is known around some fills, with as few reads for many as for one."""
    realized = _realized(fills)
    types, groups = _order_types(fills), _groups(fills)
    return [
        Trade(
            fill=fill,
            order_type=types.get((fill.account_id, fill.broker_order_id)),
            group=groups.get((fill.account_id, fill.broker_order_id)),
            realized=realized.get(fill.pk),
        )
        for fill in fills
    ]


def _order_types(fills: Sequence[Fill]) -> Mapping[OrderKey, OrderType]:
    rows = Order.objects.filter(
        account__in={fill.account_id for fill in fills},
        broker_order_id__in={fill.broker_order_id for fill in fills},
    )
    found = rows.values_list("account_id", "broker_order_id", "order_type")
    return {(account, order): OrderType(kind) for account, order, kind in found}


def _groups(fills: Sequence[Fill]) -> Mapping[OrderKey, str]:
    """Return the groups of orders that were copied or are copies; a group that is gone has no name."""
    accounts = {fill.account_id for fill in fills}
    orders = {fill.broker_order_id for fill in fills}
    copies = CopiedOrder.objects.exclude(group=None)
    led = copies.filter(leader__in=accounts, leader_order_id__in=orders)
    followed = copies.filter(follower__in=accounts, broker_order_id__in=orders)
    pairs = [
        *led.values_list("leader_id", "leader_order_id", "group__public_id").distinct(),
        *followed.values_list("follower_id", "broker_order_id", "group__public_id"),
    ]
    return {(account, order): group for account, order, group in pairs if order is not None}


def _realized(fills: Sequence[Fill]) -> Mapping[int, Decimal]:
    """Return what closing fills realised, by their row: first in, first out over all fills that we know."""
    found: dict[int, Decimal] = {}
    wanted = {fill.pk for fill in fills}
    for account, symbol in {(fill.account_id, fill.symbol) for fill in fills}:
        series = Fill.objects.filter(account_id=account, symbol=symbol)
        newest = series.filter(pk__in=wanted).aggregate(at=Max("traded_at"))["at"]
        found |= _folded(symbol, series.filter(traded_at__lte=newest).order_by("traded_at", "pk"))
    return {pk: amount for pk, amount in found.items() if pk in wanted}


def _folded(symbol: str, series: QuerySet[Fill]) -> dict[int, Decimal]:
    try:
        product = product_of(symbol)
    except UnknownInstrument:  # the broker may trade what we do not know the worth of
        return {}
    if product.currency != "USD":
        return {}
    found: dict[int, Decimal] = {}
    position = FLAT
    for pk, side, qty, ticks in series.values_list("pk", "side", "qty", "ticks"):
        closes = position.net * Side(side).sign < 0
        position, gain = apply_fill(position, side=Side(side), qty=qty, price=Ticks(ticks))
        if closes:
            found[pk] = product.value(gain).amount
    return found
