"""Reads of guardrails: which rules hold for an account, and how near their limits it is."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import reduce

import msgspec
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from brokers.models import Account
from risk.core import desk
from risk.core.gauges import Board, Gauge, board, reach
from risk.core.instants import nanos
from risk.core.presets import Preset, presets
from risk.core.rules import NO_RULES, Rules
from risk.core.standing import Standing
from risk.core.tightening import strictest
from risk.models import Lockout, RuleBook
from risk.selectors import rules_in_force, running_locks
from syncgroups.models import Activity, SyncGroup
from tradehaven.domain.enums import RefusalReason, TradingState
from tradehaven.domain.events import LimitsReported
from tradehaven.domain.ids import AccountId, Nanos
from tradehaven.domain.instruments import product

Later = tuple[Nanos, Rules] | None
REACHES = ("ES", "NQ", "MES", "MNQ")
"""Products in which the page says what is left, with a stop of so many ticks."""
STOP_TICKS = 40
VERDICTS = 30
STATED = {
    "daily_loss": "Daily loss",
    "weekly_loss": "Weekly loss",
    "daily_profit": "Daily profit",
    "weekly_profit": "Weekly profit",
    "drawdown": "Trailing drawdown",
    "stops_at": "Drawdown stops at",
    "high": "High-water mark",
    "low": "Lowest net liquidation",
}
"""The broker's figures as the page calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeRow:
    """One limit as a bar: its name, what is used in percent, what is left in USD."""

    name: str
    gauge: Gauge
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedLimit:
    """A limit or figure of the broker's own, in USD."""

    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRow:
    """An account by its rules. `gauges` is empty while nothing is limited or nothing is known of it."""

    account: Account
    rules: Rules
    has_rules: bool
    preset: Preset | None
    later_at: datetime | None
    standing: Standing | None
    board: Board | None
    gauges: tuple[GaugeRow, ...]
    lock: Lockout | None
    seen_at: datetime | None
    stated: LimitsReported | None

    @property
    def stated_limits(self) -> list[StatedLimit]:
        """Return what the broker states, each by its name."""
        if self.stated is None:
            return []
        found = [(name, getattr(self.stated, field)) for field, name in STATED.items()]
        return [StatedLimit(name=name, amount=amount) for name, amount in found if amount is not None]

    @property
    def profit(self) -> object:
        """Return today's profit in USD, or None while it is not known."""
        return self.standing.money.equity - self.standing.day.reference if self.standing is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What one product still allows: USD, ticks and contracts with a stop of `STOP_TICKS`."""

    product: str
    usd: object
    ticks: int
    contracts: int


def rules_over(account: Account, groups: Iterable[SyncGroup], now: datetime) -> tuple[Rules, Later]:
    """Return the rules in force for an account, and those that follow with their time.

    Its own, those that its groups ask of every follower, and the broker's: of each the stricter.
    """
    books = [account.risk.book] if hasattr(account, "risk") else []
    books += [group.member_rules for group in groups if group.member_rules is not None]
    rules, later = together(books, now)
    stated = stated_of(account)
    if stated is None:
        return rules, later
    return desk.joined(rules, stated), (later[0], desk.joined(later[1], stated)) if later else None


def stated_of(account: Account) -> LimitsReported | None:
    """Return what the broker last said of an account's limits (USD), None where it said nothing."""
    row = getattr(account, "stated_limits", None)
    if row is None:
        return None
    names = [found.name for found in fields(LimitsReported) if found.name not in ("account", "at", "state")]
    figures = {name: getattr(row, name) for name in names}
    at, state = nanos(row.at), TradingState(row.state)
    return LimitsReported(account=AccountId(account.pk), at=at, state=state, **figures)


def together(books: list[RuleBook], now: datetime) -> tuple[Rules, Later]:
    """Return the strictest of several rules now, and after the first of them loosens."""
    rules = reduce(strictest, (rules_in_force(book, now) for book in books), NO_RULES)
    if rules == NO_RULES:
        rules = NO_RULES  # the very object: who has no rules is told apart by it before every order
    waiting = [book.later_at for book in books if book.later_at is not None and book.later_at > now]
    if not waiting:
        return rules, None
    first = min(waiting)
    then = reduce(strictest, (rules_in_force(book, first) for book in books), NO_RULES)
    return rules, (nanos(first), then)


def risk_rows(user: User) -> list[RiskRow]:
    """Return every account of a person by its rules, the nearest to a limit first."""
    now = timezone.now()
    locks = running_locks(user.pk, now)
    rows = [_row(account, locks.get(account.pk), now) for account in _accounts(user)]
    return sorted(rows, key=lambda row: (row.lock is None, -max((g.percent for g in row.gauges), default=-1)))


def risk_row(user: User, account: Account) -> RiskRow:
    """Return one account of a person by its rules."""
    now = timezone.now()
    found = _accounts(user).get(pk=account.pk)
    return _row(found, running_locks(user.pk, now).get(found.pk), now)


def left_in(row: RiskRow) -> list[Left]:
    """Return what an account's loss limits leave in the usual products; nothing without such a limit."""
    if row.standing is None:
        return []
    found = []
    for root in REACHES:
        one = reach(row.rules, row.standing, product(root), contracts=1, stop_ticks=STOP_TICKS)
        if one is not None:
            found.append(Left(product=root, usd=one.usd, ticks=one.ticks, contracts=one.contracts))
    return found


def verdicts_on(user: User, account: Account) -> list[Activity]:
    """Return the latest refusals and remarks of an account's rules, newest first."""
    lines = Activity.objects.filter(owner=user, account=account)
    rules = lines.filter(reason__in=[str(reason) for reason in RISK_REASONS]) | lines.filter(kind="guardrail")
    return list(rules.order_by("-at")[:VERDICTS])


def _accounts(user: User) -> QuerySet[Account]:
    found = Account.objects.filter(connection__owner=user).select_related(
        "connection", "risk__book", "stands", "stated_limits"
    )
    return found.prefetch_related("follows__group__member_rules").order_by("name", "pk")


def _row(account: Account, lock: Lockout | None, now: datetime) -> RiskRow:
    groups = [found.group for found in account.follows.all()]
    rules, later = rules_over(account, groups, now)
    stood = getattr(account, "stands", None)
    standing = msgspec.convert(stood.body["standing"], Standing, strict=False) if stood is not None else None
    shown = board(rules, standing, nanos(now)) if standing is not None else None
    book = account.risk.book if hasattr(account, "risk") else None
    return RiskRow(
        account=account,
        rules=rules,
        has_rules=rules != NO_RULES,
        preset=presets().get(book.preset) if book is not None else None,
        later_at=book.later_at if book is not None and later is not None else None,
        standing=standing,
        board=shown,
        gauges=tuple(_gauge(gauge) for gauge in shown.gauges) if shown is not None else (),
        lock=lock,
        seen_at=stood.at if stood is not None else None,
        stated=stated_of(account),
    )


def _gauge(gauge: Gauge) -> GaugeRow:
    return GaugeRow(name=gauge.limit.replace("_", " "), gauge=gauge, percent=int(gauge.used * 100))


RISK_REASONS = (
    RefusalReason.MAX_POSITION,
    RefusalReason.DAILY_LOSS,
    RefusalReason.DAILY_PROFIT,
    RefusalReason.GIVE_BACK,
    RefusalReason.DRAWDOWN,
    RefusalReason.LOCKED_OUT,
    RefusalReason.BROKER_LOCK,
    RefusalReason.MAX_ACCOUNT,
    RefusalReason.MAX_PRODUCT,
    RefusalReason.MAX_MINIS,
    RefusalReason.SCALING_PLAN,
    RefusalReason.ORDER_SIZE,
    RefusalReason.PRICE_COLLAR,
    RefusalReason.STALE_QUOTE,
    RefusalReason.ORDER_RATE,
    RefusalReason.REPEATED,
    RefusalReason.MAX_TRADES,
    RefusalReason.LOSING_STREAK,
    RefusalReason.NOT_PERMITTED,
    RefusalReason.CLOSED_HOURS,
    RefusalReason.NEWS,
    RefusalReason.FLAT_TIME,
    RefusalReason.WORST_CASE,
    RefusalReason.OPPOSITE,
    RefusalReason.MIXED_SIZES,
    RefusalReason.STANDING_UNKNOWN,
    RefusalReason.NO_STOP,
)
"""Reasons that a rule of an account gives, as opposed to gates, groups and brokers."""
