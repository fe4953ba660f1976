"""The trading day: which one an instant belongs to, and what happens when one ends (protocol 12.11)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.paper import supervision
from brokers.paper.entities import (
    Account,
    CashBalance,
    Fill,
    Order,
    OrderStrategy,
    OrderStrategyLink,
    Position,
)
from brokers.paper.executions import book_cash
from brokers.paper.kinds import SESSION_KINDS, Kind
from brokers.paper.lifecycle import Lifecycle
from brokers.paper.records import Event, Frame, Journal, Records
from brokers.paper.venue import Venue
from brokers.paper.words import CashChangeType, EventType, ExecType, OrdStatus, TimeInForce
from tradehaven.domain.holidays import business_day_from
from tradehaven.domain.instruments import SessionTemplate

_NEW_YORK = ZoneInfo("America/New_York")
_SESSION_END_HOUR = 17
_FRAME_EVENTS = 50
# Execution reports hang on the order's first command, which has the order's id.
_OF_ORDER = (Kind.ORDER_VERSION, Kind.COMMAND, Kind.EXECUTION_REPORT, Kind.FILL)


def trade_date(now: datetime) -> date:
    """Return the trading day of an instant: the date on which its session ends at 17:00 New York."""
    local = now.astimezone(_NEW_YORK)
    day = local.date() + timedelta(days=1 if local.hour >= _SESSION_END_HOUR else 0)
    # What trades at a weekend or on a holiday counts for the next day with a settlement.
    return business_day_from(SessionTemplate.EQUITY, day)


def roll(venue: Venue, new: date, now: datetime, *, resends: bool = True) -> tuple[Frame, ...]:
    """End the session: Day orders expire, positions are carried, each account gets a new cash row.

    `resends` tells all of the closed session once more beforehand, as the service does (protocol 7.5).
    """
    state = venue.state
    told = tuple(_told_again(state.records)) if resends else ()
    ended = venue.step(now, _end_orders)
    journal = Journal(records=state.records, now=now, session=new)
    supervision.end_days(state, journal)
    new_week = new.isocalendar()[:2] != state.session.isocalendar()[:2]
    state.session = new
    for account in list(state.records.all(Account)):
        _carry(venue, journal, account.id, new_week=new_week)
    _keep_open(venue, journal)
    return told + ended + journal.finish()


def _told_again(records: Records) -> Iterator[Frame]:
    """Yield the session's entities as if they had just been created, in the order of their ids."""
    rows = sorted(
        (row for kind in SESSION_KINDS for row in records.rows(kind)), key=lambda row: row.entity.id
    )
    events = [
        Event(
            event_type=EventType.CREATED,
            kind=row.kind,
            entity=row.entity,
            account_id=row.account_id,
            session=row.session,
        )
        for row in rows
    ]
    for start in range(0, len(events), _FRAME_EVENTS):
        yield tuple(events[start : start + _FRAME_EVENTS])


def _end_orders(life: Lifecycle) -> None:
    """Expire Day orders; the others sleep until the next session opens."""
    records = life.state.records
    for account in list(records.all(Account)):
        for order in records.open_orders(account.id):
            day = life.state.version(order.id).time_in_force is TimeInForce.DAY
            if day and not records.need(Order, order.id).ord_status.final:
                life.end(order, OrdStatus.EXPIRED, ExecType.EXPIRED)
            elif order.ord_status is OrdStatus.WORKING and not day:
                # Only told: nothing trades between the end of a session and the start of the next here.
                life.journal.write(replace(order, ord_status=OrdStatus.SUSPENDED), account.id)
                life.journal.cut()
                life.journal.write(order, account.id)


def _carry(venue: Venue, journal: Journal, account_id: int, *, new_week: bool) -> None:
    state = venue.state
    for position in state.records.of_master(Position, account_id):
        carried = Position(
            id=position.id,
            account_id=account_id,
            contract_id=position.contract_id,
            timestamp=journal.now,
            trade_date=state.session,
            net_pos=position.net_pos,
            net_price=position.net_price,
            prev_pos=position.net_pos,
            prev_price=position.net_price,
        )
        journal.write(carried, account_id)
    old = state.cash(account_id)
    cash = CashBalance(
        id=state.ids.take(),
        account_id=account_id,
        timestamp=journal.now,
        trade_date=state.session,
        amount=old.amount,
        week_realized_pnl=Decimal(0) if new_week else old.week_realized_pnl,
        amount_sod=old.amount,
    )
    journal.write(cash, account_id)
    book_cash(state, journal, account_id, Decimal(0), CashChangeType.NEW_SESSION)
    journal.cut()


def _keep_open(venue: Venue, journal: Journal) -> None:
    """Carry what still matters into the new session and forget the rest; the store keeps it as history."""
    records = venue.state.records
    kept = [order for account in records.all(Account) for order in records.open_orders(account.id)]
    unpaired = [fill for fill in records.all(Fill) if fill.finally_paired < fill.qty]
    kept += [records.need(Order, number) for number in sorted({fill.order_id for fill in unpaired})]
    for order in dict.fromkeys(kept):
        journal.write(order, order.account_id)
        for kind in _OF_ORDER:
            for row in records.rows_of_master(kind, order.id):
                journal.write(row.entity, order.account_id)
        if link := records.get(OrderStrategyLink, order.id):
            journal.write(link, order.account_id)
            journal.write(records.need(OrderStrategy, link.order_strategy_id), order.account_id)
    journal.cut()
    for kind in SESSION_KINDS:
        for row in [row for row in records.rows(kind) if row.session != venue.state.session]:
            records.drop(kind, row.entity.id)
