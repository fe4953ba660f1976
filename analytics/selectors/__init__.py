"""What the live page shows, read from the tables: overview, account cards, groups, activity."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.models import User
from analytics.core.marks import Prices, mark, unrealized, written
from brokers.models import Account, Connection, Fill, Position, Quote
from brokers.selectors import accounts_of, engine_beat_age
from risk.core.rules import DayLimit
from risk.models import Gate
from risk.selectors import owner_gate
from syncgroups.core.status import Status, account_status
from syncgroups.models import Drift, SyncGroup
from syncgroups.selectors import (
    ActivityPage,
    GroupRow,
    activity_of,
    gate_of,
    gates_state,
    group_rows,
    groups_of,
    link_state,
)
from syncgroups.selectors.drift import open_drifts_of
from syncgroups.selectors.guardrails import risk_rows
from tradehaven.domain.calendar import trade_date
from tradehaven.domain.contracts import product_of
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.instruments import Product, SessionTemplate

FRESH = timedelta(seconds=30)
"""How old a quote may be and still price a position."""
ENGINE_LATE = 10.0
"""Seconds without a sign of life after which the engine counts as gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """An open position. `gain` is in USD, None where no fresh price is known."""

    symbol: str
    net: int
    price: str
    now: str
    gain: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An account on the live page; amounts in USD, None where they are not known."""

    account: Account
    status: Status
    gate: Gate | None
    cash: Decimal | None
    realized: Decimal
    unrealized: Decimal | None
    today: Decimal | None
    positions: tuple[PositionRow, ...]
    leads: str
    follows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The numbers on top. `unpriced` counts open positions that `unrealized` leaves out."""

    realized: Decimal
    unrealized: Decimal
    unpriced: int
    accounts: int
    groups_active: int
    groups: int
    trades: int
    gate: Gate | None
    engine_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An account's day at a moment (UTC): amounts in USD, None where an open position has no fresh price.

    `limit_left` is what may still be lost today, None where no daily limit is set.
    """

    account: Account
    realized: Decimal
    unrealized: Decimal | None
    net: Decimal | None
    positions: int
    trades: int
    at: datetime
    halted: bool
    limit_left: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Everything on the live page at one moment."""

    overview: Overview
    cards: tuple[Card, ...]
    groups: tuple[GroupRow, ...]
    activity: ActivityPage
    drifts: tuple[Drift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """Rows that several cards share, read once."""

    today: date
    now: datetime
    over_all: Gate | None
    positions: Mapping[int, list[Position]]
    quotes: Mapping[tuple[str, str], Prices]
    leads: Mapping[int, SyncGroup]
    follows: Mapping[int, list[SyncGroup]]


def dashboard(user: User) -> Dashboard:
    """Return the whole live page."""
    now = timezone.now()
    over_all = owner_gate(user)
    groups = group_rows(groups_of(user), over_all, now)
    rows = list(accounts_of(user).select_related("risk__gate").order_by("connection__environment", "name"))
    world = _world(user, rows, groups, over_all, now)
    cards = tuple(_card(account, world) for account in rows)
    return Dashboard(
        overview=_overview(user, cards, groups, world),
        cards=cards,
        groups=tuple(groups),
        activity=activity_of(user),
        drifts=tuple(open_drifts_of(user).filter(ignored=False)),
    )


def realized_by_account(user: User, *, now: datetime) -> list[tuple[str, Decimal, bool]]:
    """Return each account's name, what it realized this trading day (USD), and whether it traded."""
    today = trading_day(now)
    rows = list(accounts_of(user).order_by("connection__environment", "name"))
    traded = set(Fill.objects.filter(account__in=rows, trade_date=today).values_list("account_id", flat=True))
    return [(row.name, _realized(row, today), row.pk in traded) for row in rows]


def snapshots_of(user: User, accounts: QuerySet[Account], now: datetime) -> list[Snapshot]:
    """Return the day of some of a person's accounts so far, at a moment (UTC)."""
    over_all = owner_gate(user)
    rows = list(accounts.select_related("risk__gate").order_by("pk"))
    world = _world(user, rows, [], over_all, now)
    traded = Fill.objects.filter(account__in=rows, trade_date=world.today).values_list("account")
    trades = dict(traded.annotate(Count("pk")))
    limits = {row.account.pk: row.rules.daily_loss for row in risk_rows(user)}
    return [
        _snapshot(_card(account, world), trades.get(account.pk, 0), limits.get(account.pk), world)
        for account in rows
    ]


def _snapshot(card: Card, trades: int, limit: DayLimit | None, world: _World) -> Snapshot:
    left = max(Decimal(0), limit.amount + card.today) if limit and card.today is not None else None
    return Snapshot(
        account=card.account,
        realized=card.realized,
        unrealized=card.unrealized,
        net=card.today,
        positions=len(card.positions),
        trades=trades,
        at=world.now,
        halted=gates_state([world.over_all, card.gate]).halted,
        limit_left=left,
    )


def trading_day(now: datetime) -> date:
    """Return the day that results count to: it rolls at 17:00 Chicago (CME equity index calendar)."""
    return trade_date(now, SessionTemplate.EQUITY)


def _world(
    user: User, accounts: list[Account], groups: list[GroupRow], over_all: Gate | None, now: datetime
) -> _World:
    positions: dict[int, list[Position]] = defaultdict(list)
    for position in Position.objects.filter(account__connection__owner=user).exclude(net=0):
        positions[position.account_id].append(position)
    symbols = {position.symbol for rows in positions.values() for position in rows}
    quotes = Quote.objects.filter(symbol__in=symbols, quoted_at__gte=now - FRESH) if symbols else []
    follows: dict[int, list[SyncGroup]] = defaultdict(list)
    for row in groups:
        for member in row.followers:
            follows[member.account.pk].append(row.group)
    return _World(
        today=trading_day(now),
        now=now,
        over_all=over_all,
        positions=positions,
        quotes={
            (quote.environment, quote.symbol): Prices(bid=quote.bid, ask=quote.ask, last=quote.last)
            for quote in quotes
        },
        leads={row.group.leader_id: row.group for row in groups},
        follows=follows,
    )


def _card(account: Account, world: _World) -> Card:
    leads, follows = world.leads.get(account.pk), world.follows.get(account.pk, [])
    rows = tuple(_position(row, account.connection, world) for row in world.positions.get(account.pk, []))
    open_gain = _sum(rows)
    realized = _realized(account, world.today)
    gate = gate_of(account)
    return Card(
        account=account,
        status=account_status(
            link_state(account.connection, world.now),
            gates_state([world.over_all, gate]),
            copying=any(group.active for group in ([leads] if leads else []) + follows),
        ),
        gate=gate,
        cash=account.cash,
        realized=realized,
        unrealized=open_gain,
        today=realized + open_gain if open_gain is not None else None,
        positions=rows,
        leads=leads.name if leads else "",
        follows=tuple(group.name for group in follows),
    )


def _position(row: Position, connection: Connection, world: _World) -> PositionRow:
    try:
        product = product_of(row.symbol)
    except UnknownInstrument:  # the broker may hold what we do not copy
        return PositionRow(symbol=row.symbol, net=row.net, price=str(row.price or "–"), now="–", gain=None)
    ticks = mark(row.net, world.quotes.get((connection.environment, row.symbol), Prices()))
    return PositionRow(
        symbol=row.symbol,
        net=row.net,
        price=written(product, row.price) if row.price is not None else "–",
        now=product.display(ticks) if ticks is not None else "–",
        gain=_gain(product, row, ticks),
    )


def _gain(product: Product, row: Position, ticks: int | None) -> Decimal | None:
    if ticks is None or row.price is None or product.currency != "USD":
        return None
    return unrealized(product, row.net, row.price, ticks)


def _sum(rows: tuple[PositionRow, ...]) -> Decimal | None:
    gains = [row.gain for row in rows]
    known = [gain for gain in gains if gain is not None]
    return sum(known, Decimal(0)) if len(known) == len(gains) else None


def _realized(account: Account, today: date) -> Decimal:
    # The broker's figure counts from its last session start; one from an earlier day is not today's.
    if account.balance_at is None or trading_day(account.balance_at) != today:
        return Decimal(0)
    return Decimal(account.realized)


def _overview(user: User, cards: tuple[Card, ...], groups: list[GroupRow], world: _World) -> Overview:
    gains = [row.gain for card in cards for row in card.positions]
    beat = engine_beat_age()
    return Overview(
        realized=sum((card.realized for card in cards), Decimal(0)),
        unrealized=sum((gain for gain in gains if gain is not None), Decimal(0)),
        unpriced=sum(gain is None for gain in gains),
        accounts=len(cards),
        groups_active=sum(row.group.active for row in groups),
        groups=len(groups),
        trades=Fill.objects.filter(account__connection__owner=user, trade_date=world.today).count(),
        gate=world.over_all,
        engine_late=beat is None or beat > ENGINE_LATE,
    )
