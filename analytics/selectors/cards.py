"""Accounts as the cockpit shows them, as rows or cards, in as few reads for many as for one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from accounts.models import User
from analytics.core.marks import Held, Holder, Market, Prices, Worth, summed, together, worth, written
from analytics.selectors.copies import LastCopy
from brokers.models import Account, Connection, Position, Quote
from risk.models import Gate
from syncgroups.core.status import Colour, Fix, Gates, LinkState, Status, account_status, link_status
from syncgroups.models import Drift, Follower, SyncGroup
from syncgroups.selectors import GroupRow, gate_of, gates_state, link_state
from syncgroups.selectors.guardrails import GaugeRow, RiskRow
from tradehaven.domain.calendar import trade_date
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import RefusalReason, SizingMode, TradingState
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.instruments import SessionTemplate

SEEN = timedelta(days=4)
"""How old a quote may be and still be shown, greyed, with its age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """An open position: its contracts, average price in words, and worth. `key` names its live cells."""

    key: str
    symbol: str
    net: int
    price: str
    worth: Worth

    @property
    def now(self) -> str:
        """Return the price at which it could be closed."""
        return self.worth.now

    @property
    def gain(self) -> Decimal | None:
        """Return the open gain in USD, None where no fresh price is known."""
        return self.worth.gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An account; amounts in USD, None where they are not known. `key` names its live cells."""

    key: str
    account: Account
    status: Status
    gate: Gate | None
    cash: Decimal | None
    realized: Decimal
    open: Worth
    today: Decimal | None
    positions: tuple[PositionRow, ...]
    leads: str
    follows: tuple[str, ...]
    shares: tuple[str, ...]
    loss: GaugeRow | None
    drawdown: GaugeRow | None
    last: LastCopy | None
    fix: str

    @property
    def unrealized(self) -> Decimal | None:
        """Return the open gain, None where one position has no fresh price."""
        return self.open.gain

    @property
    def paused(self) -> bool:
        """Say whether entries are held back and exits pass."""
        return self.gate is not None and self.gate.state == TradingState.REDUCING


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login and its accounts; `key` names the live cells of its sums."""

    key: str
    connection: Connection
    status: Status
    cards: tuple[Card, ...]
    realized: Decimal
    unrealized: Decimal | None
    today: Decimal | None
    cash: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Rows that several accounts share, read once. `risk`, `drifts` and `last` are by account."""

    today: date
    now: datetime
    over_all: Gate | None
    positions: Mapping[int, list[Position]]
    market: Market
    leads: Mapping[int, SyncGroup]
    follows: Mapping[int, list[Follower]]
    risk: Mapping[int, RiskRow]
    drifts: Mapping[int, Drift]
    last: Mapping[int, LastCopy]


def trading_day(now: datetime) -> date:
    """Return the day that results count to: it rolls at 17:00 Chicago (CME equity index calendar)."""
    return trade_date(now, SessionTemplate.EQUITY)


def positions_of(user: User) -> dict[int, list[Position]]:
    """Return what each account of a person holds."""
    found: dict[int, list[Position]] = defaultdict(list)
    for position in Position.objects.filter(account__connection__owner=user).exclude(net=0):
        found[position.account_id].append(position)
    return found


def market_for(positions: Mapping[int, list[Position]], now: datetime) -> dict[tuple[str, str], Prices]:
    """Return the latest prices of what is held."""
    symbols = {position.symbol for rows in positions.values() for position in rows}
    quotes = Quote.objects.filter(symbol__in=symbols, quoted_at__gte=now - SEEN) if symbols else ()
    return {
        (quote.environment, quote.symbol): Prices(
            bid=quote.bid, ask=quote.ask, last=quote.last, at=quote.quoted_at
        )
        for quote in quotes
    }


def roles_in(groups: Sequence[GroupRow]) -> tuple[dict[int, SyncGroup], dict[int, list[Follower]]]:
    """Return who leads what, and as what each account follows."""
    follows: dict[int, list[Follower]] = defaultdict(list)
    for row in groups:
        for member in row.followers:
            if member.follower is not None:
                follows[member.account.pk].append(member.follower)
    return {row.group.leader_id: row.group for row in groups}, follows


def holder_of(account: Account, world: World) -> Holder:
    """Return an account as live messages compute with it."""
    place = account.connection.environment
    return Holder(
        account=account.pk,
        login=account.connection_id,
        realized=realized_of(account, world.today),
        held=tuple(
            Held(place=place, symbol=row.symbol, net=row.net, price=row.price)
            for row in world.positions.get(account.pk, [])
        ),
    )


def card_of(account: Account, world: World) -> Card:
    """Return an account as the cockpit shows it."""
    leads, follows = world.leads.get(account.pk), world.follows.get(account.pk, [])
    holder, gate = holder_of(account, world), gate_of(account)
    rows = tuple(_position(held, account, world) for held in holder.held)
    open_worth = together([row.worth for row in rows])
    gates = gates_state([world.over_all, gate])
    groups = ([leads] if leads else []) + [row.group for row in follows]
    status = _status(account, gates, world, copying=any(group.active for group in groups))
    risk = world.risk.get(account.pk)
    return Card(
        key=f"a{account.pk}",
        account=account,
        status=status,
        gate=gate,
        cash=account.cash,
        realized=holder.realized,
        open=open_worth,
        today=holder.realized + open_worth.gain if open_worth.gain is not None else None,
        positions=rows,
        leads=leads.name if leads else "",
        follows=tuple(row.group.name for row in follows),
        shares=tuple(share_of(row) for row in follows),
        loss=_gauge(risk, RefusalReason.DAILY_LOSS),
        drawdown=_gauge(risk, RefusalReason.DRAWDOWN),
        last=world.last.get(account.pk),
        fix=_fix_at(status, account, gate, groups, world),
    )


def login_of(connection: Connection, cards: tuple[Card, ...], now: datetime) -> Login:
    """Return a login with the sums of its accounts."""
    return Login(
        key=f"l{connection.pk}",
        connection=connection,
        status=link_status(link_state(connection, now)),
        cards=cards,
        realized=sum((card.realized for card in cards), Decimal(0)),
        unrealized=summed(card.unrealized for card in cards),
        today=summed(card.today for card in cards),
        cash=sum((card.cash for card in cards if card.cash is not None), Decimal(0)),
    )


def share_of(row: Follower) -> str:
    """Return how a follower is sized, short enough for a cell."""
    match SizingMode(row.sizing):
        case SizingMode.RATIO:
            text = f"{row.ratio.normalize():f}×"
        case SizingMode.FIXED:
            text = f"{row.fixed_qty} fixed"
        case _:
            text = "balance"
    return f"{text} rev" if row.reverse else text


def realized_of(account: Account, today: date) -> Decimal:
    """Return what an account realized today (USD)."""
    # The broker's figure counts from its last session start; one from an earlier day is not today's.
    if account.balance_at is None or trading_day(account.balance_at) != today:
        return Decimal(0)
    return Decimal(account.realized)


def _position(held: Held, account: Account, world: World) -> PositionRow:
    return PositionRow(
        key=f"a{account.pk}.{held.symbol}",
        symbol=held.symbol,
        net=held.net,
        price=_price(held),
        worth=worth(held, world.market, world.now),
    )


def _price(held: Held) -> str:
    if held.price is None:
        return "–"
    try:
        return written(product_of(held.symbol), held.price)
    except UnknownInstrument:
        return str(held.price)


def _status(account: Account, gates: Gates, world: World, *, copying: bool) -> Status:
    link: LinkState = link_state(account.connection, world.now)
    risk, drift = world.risk.get(account.pk), world.drifts.get(account.pk)
    status = account_status(link, gates, copying=copying)
    if status.colour is Colour.RED:
        return status
    if risk is not None and risk.lock is not None:
        return Status(Colour.RED, "Locked", risk.lock.detail or "One of its rules has locked it.")
    if drift is not None and status.colour is not Colour.YELLOW:
        return Status(Colour.YELLOW, "Out of sync", f"{drift.symbol}: {drift.detail}", Fix.REPAIR)
    return status


def _fix_at(
    status: Status, account: Account, gate: Gate | None, groups: Sequence[SyncGroup], world: World
) -> str:
    """Return the key of what a fix is about: a gate, a login, a group, an account."""
    match status.fix:
        case Fix.DISARM:
            shut = [one for one in (world.over_all, gate) if one is not None and one.is_halted]
            return str(shut[0].pk) if shut else ""
        case Fix.RECONNECT:
            return str(account.connection_id)
        case Fix.RESUME:
            return str(account.pk) if gate is not None and gate.state == TradingState.REDUCING else ""
        case Fix.REPAIR:
            drift = world.drifts[account.pk]
            return drift.group.public_id if drift.group is not None else ""
        case Fix.ADD_TO_GROUP:
            return groups[0].public_id if groups else ""
        case _:
            return ""


def _gauge(row: RiskRow | None, limit: RefusalReason) -> GaugeRow | None:
    gauges = row.gauges if row is not None else ()
    return next((found for found in gauges if found.gauge.limit is limit), None)
