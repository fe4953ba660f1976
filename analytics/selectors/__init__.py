"""What the cockpit shows, read from the tables: totals, accounts, groups, copies, activity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from accounts.core.look import Layout, shows_rows
from accounts.models import User
from analytics.core.market import MarketNotice, notice
from analytics.core.marks import Holder, Market
from analytics.selectors.cards import (
    Card,
    Login,
    World,
    card_of,
    holder_of,
    login_of,
    market_for,
    positions_of,
    realized_of,
    roles_in,
    trading_day,
)
from analytics.selectors.copies import last_copies
from brokers.models import Account, Fill
from brokers.selectors import accounts_of, engine_beat_age
from risk.core.rules import DayLimit
from risk.models import Gate
from risk.selectors import owner_gate
from syncgroups.models import Drift
from syncgroups.selectors import ActivityPage, GroupRow, activity_of, gates_state, group_rows, groups_of
from syncgroups.selectors.activity import outcomes_between
from syncgroups.selectors.alerts import Alerts, alerts_of
from syncgroups.selectors.drift import open_drifts_of
from syncgroups.selectors.guardrails import risk_rows
from tradehaven.domain.calendar import day_span

ENGINE_LATE = 10.0
"""Seconds without a sign of life after which the engine counts as gone."""
DAY_AT_MOST = timedelta(days=4)
"""How far back a trading day can begin: one that follows a long weekend began before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The numbers on top. `unpriced` counts open positions that `unrealized` leaves out.

    `last_fill` is the newest fill's row, 0 before the first: when it changes the curve has a new point.
    `copies` counts what came of the copies of `day`, by outcome.
    """

    realized: Decimal
    unrealized: Decimal
    unpriced: int
    accounts: int
    groups_active: int
    groups: int
    trades: int
    last_fill: int
    copies: dict[str, int]
    day: date
    gate: Gate | None
    engine_late: bool
    market: MarketNotice | None
    alerts: Alerts

    @property
    def net(self) -> Decimal:
        """Return what the day has brought so far, open gains included."""
        return self.realized + self.unrealized


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
    """Everything on the cockpit at one moment (UTC). `holders` and `market` are what prices alone change."""

    at: datetime
    overview: Overview
    logins: tuple[Login, ...]
    groups: tuple[GroupRow, ...]
    activity: ActivityPage
    drifts: tuple[Drift, ...]
    as_rows: bool
    holders: tuple[Holder, ...]
    market: Market

    @property
    def cards(self) -> tuple[Card, ...]:
        """Return all accounts."""
        return tuple(card for login in self.logins for card in login.cards)


def dashboard(user: User) -> Dashboard:
    """Return the whole cockpit."""
    now = timezone.now()
    over_all = owner_gate(user)
    groups = group_rows(groups_of(user), over_all, now)
    rows = list(
        accounts_of(user)
        .select_related("risk__gate")
        .order_by("connection__environment", "connection__name", "connection_id", "name")
    )
    leaders = {row.group.leader_id for row in groups}
    rows.sort(key=lambda row: (row.connection.environment, row.connection_id, row.pk not in leaders))
    drifts = tuple(open_drifts_of(user).filter(ignored=False))
    world = _world(user, groups, drifts, over_all, now)
    cards = [card_of(account, world) for account in rows]
    return Dashboard(
        at=now,
        overview=_overview(user, cards, groups, world),
        logins=_logins(cards, now),
        groups=tuple(groups),
        activity=activity_of(user),
        drifts=drifts,
        as_rows=shows_rows(Layout(user.layout), len(cards)),
        holders=tuple(holder_of(account, world) for account in rows),
        market=world.market,
    )


def realized_by_account(user: User, *, now: datetime) -> list[tuple[str, Decimal, bool]]:
    """Return each account's name, what it realized this trading day (USD), and whether it traded."""
    today = trading_day(now)
    rows = list(accounts_of(user).order_by("connection__environment", "name"))
    traded = set(Fill.objects.filter(account__in=rows, trade_date=today).values_list("account_id", flat=True))
    return [(row.name, realized_of(row, today), row.pk in traded) for row in rows]


def snapshots_of(user: User, accounts: QuerySet[Account], now: datetime) -> list[Snapshot]:
    """Return the day of some of a person's accounts so far, at a moment (UTC)."""
    over_all = owner_gate(user)
    rows = list(accounts.select_related("risk__gate").order_by("pk"))
    world = _world(user, [], (), over_all, now)
    traded = Fill.objects.filter(account__in=rows, trade_date=world.today).values_list("account")
    trades = dict(traded.annotate(Count("pk")))
    limits = {pk: row.rules.daily_loss for pk, row in world.risk.items()}
    return [
        _snapshot(card_of(account, world), trades.get(account.pk, 0), limits.get(account.pk), world)
        for account in rows
    ]


def engine_is_late() -> bool:
    """Say whether the engines give no sign of life."""
    beat = engine_beat_age()
    return beat is None or beat > ENGINE_LATE


def fills_today(user: User, now: datetime) -> QuerySet[Fill]:
    """Return a person's fills of the trading day; the time narrows the search to a few days of the index."""
    mine = Fill.objects.filter(account__in=accounts_of(user).values("pk"))
    return mine.filter(traded_at__gte=now - DAY_AT_MOST, trade_date=trading_day(now))


def _snapshot(card: Card, trades: int, limit: DayLimit | None, world: World) -> Snapshot:
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


def _world(
    user: User, groups: Sequence[GroupRow], drifts: Iterable[Drift], over_all: Gate | None, now: datetime
) -> World:
    positions = positions_of(user)
    leads, follows = roles_in(groups)
    return World(
        today=trading_day(now),
        now=now,
        over_all=over_all,
        positions=positions,
        market=market_for(positions, now),
        leads=leads,
        follows=follows,
        risk={row.account.pk: row for row in risk_rows(user)},
        drifts={drift.account_id: drift for drift in reversed(tuple(drifts))},
        last=last_copies(user, now),
    )


def _logins(cards: Sequence[Card], now: datetime) -> tuple[Login, ...]:
    by_login: dict[int, list[Card]] = {}
    for card in cards:
        by_login.setdefault(card.account.connection_id, []).append(card)
    return tuple(login_of(found[0].account.connection, tuple(found), now) for found in by_login.values())


def _overview(user: User, cards: Sequence[Card], groups: Sequence[GroupRow], world: World) -> Overview:
    gains = [row.gain for card in cards for row in card.positions]
    fills = fills_today(user, world.now).aggregate(trades=Count("pk"), last=Max("pk"))
    return Overview(
        realized=sum((card.realized for card in cards), Decimal(0)),
        unrealized=sum((gain for gain in gains if gain is not None), Decimal(0)),
        unpriced=sum(gain is None for gain in gains),
        accounts=len(cards),
        groups_active=sum(row.group.active for row in groups),
        groups=len(groups),
        trades=fills["trades"],
        last_fill=fills["last"] or 0,
        copies={str(one): count for one, count in outcomes_between(user, *day_span(world.today)).items()},
        day=world.today,
        gate=world.over_all,
        engine_late=engine_is_late(),
        market=notice(world.now),
        alerts=alerts_of(user, world.now),
    )
