"""The database of the drill: what the recorder makes of the journal, and the book that a start makes of that.

The same rules as `services.lineage`, `services.outcomes` and `engine.plans.book_of`, without a database; a
test holds them against each other over whole drills.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from risk.core.standing import Lock
from syncgroups.core.book import Book
from syncgroups.core.copies import Copy, CopyState, HoldingKey
from syncgroups.core.decision import RemarkKind
from syncgroups.engine import journal
from syncgroups.engine.records import (
    DecisionRecord,
    EventRecord,
    HoldingRow,
    HoldingsRecord,
    JournalRecord,
    StandingsRecord,
    Stood,
    decode,
    event_of,
)
from tradehaven.domain.commands import Confirmed, Denied, Rejected, Unresolved
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.events import AccountLocked, OrderEnded, OrderFilled, OrderWorking, SnapshotTaken
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos, OrderId
from tradehaven.domain.money import Ticks
from tradehaven.domain.transitions import is_final


@dataclass
class Row:
    """A copied order as its table keeps it."""

    body: Any
    state: CopyState
    follower: AccountId
    order_id: OrderId | None = None
    filled: int = 0
    cost: int = 0


@dataclass
class Rows:
    """All that survives an engine, up to the mark."""

    mark: journal.Mark = field(default_factory=journal.Mark)
    records: list[JournalRecord] = field(default_factory=list)
    copies: dict[ClientOrderId, Row] = field(default_factory=dict)
    fills: dict[tuple[AccountId, FillId], tuple[OrderId, int, Ticks]] = field(default_factory=dict)
    holdings: dict[HoldingKey, int] = field(default_factory=dict)
    refused: dict[ClientOrderId, RefusalReason] = field(default_factory=dict)
    locks: list[tuple[AccountId, Lock]] = field(default_factory=list)
    flattening: list[tuple[AccountId, Lock]] = field(default_factory=list)
    flat_at: dict[AccountId, Nanos] = field(default_factory=dict)
    stood: dict[AccountId, Stood] = field(default_factory=dict)

    def drain(self, folder: Path, most: int | None = None) -> int:
        """Record what the journal holds behind the mark, at most so many records; return how many."""
        count = 0
        for payload, mark in journal.read(folder, self.mark):
            if most is not None and count >= most:
                break
            self.mark = mark
            record = decode(payload)
            self.records.append(record)
            self.record(record)
            count += 1
        return count

    def record(self, record: JournalRecord) -> None:
        """Take one record in."""
        if isinstance(record, DecisionRecord):
            self._decision(record)
        elif isinstance(record, HoldingsRecord):
            self._holdings(record.rows())
        elif isinstance(record, EventRecord):
            self._event(event_of(record))
            self._holdings(record.holdings)
        elif isinstance(record, StandingsRecord):
            self.stood.update(record.accounts)

    def running_locks(self, now: Nanos) -> list[AccountLocked]:
        """Return the lock that holds for each account, of several the longest, as a start is told of it."""
        longest = dict(sorted(self.locks, key=lambda known: known[1].until))
        closing = {
            account
            for account, lock in self.flattening
            if lock.until > now and lock.since > self.flat_at.get(account, 0)
        }
        return [
            AccountLocked(
                account=account,
                reason=lock.reason,
                detail=lock.detail,
                until=lock.until,
                at=lock.since,
                flatten=account in closing,
            )
            for account, lock in sorted(longest.items())
            if lock.until > now
        ]

    def _holdings(self, holdings: Iterable[HoldingRow]) -> None:
        for group, account, symbol, leads, net in holdings:
            self.holdings[group, account, symbol, leads] = net

    def book(self) -> Book:
        """Return the book that a start begins with."""
        book = Book()
        for row in self.copies.values():
            book.keep(_copy_of(row))
        book.fills.update(self.fills)
        for key, net in self.holdings.items():
            if net:
                book.hold(key, net)
        book.changed_holdings.clear()
        for name, reason in self.refused.items():
            if name not in book.copies:
                book.refused[name] = reason
        for account, stood in self.stood.items():
            book.risk.standings[account] = stood.standing
            book.risk.bands[account] = stood.band
            if stood.drawdown is not None:
                book.risk.floors[account] = stood.drawdown
        return book

    def _decision(self, record: DecisionRecord) -> None:
        for step in record.steps:
            if step.copy is not None:
                body = msgspec.to_builtins(step.copy)
                row = self.copies.get(step.copy.key)
                if row is None:
                    copy = step.copy
                    row = Row(body, copy.state, copy.follower, copy.order_id, copy.filled, copy.cost)
                    self.copies[copy.key] = row
                else:
                    row.body = body
                    if step.copy.state is CopyState.ENDED:
                        row.state = CopyState.ENDED
        self.locks += [(locked.account, locked.lock) for locked in record.locks]
        self.flattening += [(locked.account, locked.lock) for locked in record.locks if locked.flatten]
        for refusal in record.refusals:
            self.refused[refusal.key] = refusal.reason
        for remark in record.remarks:
            if remark.kind is RemarkKind.FLAT:
                self.flat_at[remark.account] = record.decided
            if remark.kind is RemarkKind.MISSED and remark.key in self.copies:
                self.copies[remark.key].state = CopyState.MISSED

    def _event(self, event: Any) -> None:
        match event:
            case OrderFilled():
                self._fill(event)
                for row in self._named(event.account, event.order_id):
                    self._trade(row, event.account, event.order_id)
            case OrderEnded():
                named = self.copies.get(event.client_order_id) if event.client_order_id else None
                for row in [*self._named(event.account, event.order_id), *([named] if named else [])]:
                    row.state = CopyState.ENDED
            case SnapshotTaken():
                self._snapshot(event)
            case OrderWorking() | Confirmed() | Rejected() | Denied() | Unresolved():
                found = self.copies.get(event.client_order_id) if event.client_order_id else None
                if found is not None:
                    self._answer(found, event)

    def _answer(self, row: Row, event: OrderWorking | Confirmed | Rejected | Denied | Unresolved) -> None:
        ended = row.state is CopyState.ENDED
        match event:
            case OrderWorking() if not ended:
                row.state, row.order_id = CopyState.LIVE, event.order_id
            case Confirmed() if event.order_id is not None:
                row.order_id = event.order_id
            case Rejected() | Denied() if not ended:
                waits = isinstance(event, Denied) and event.reason is RefusalReason.RATE_LIMITED
                if not waits or row.body["enters"]:  # an exit without budget is owed
                    row.state = CopyState.ENDED
                if isinstance(event, Denied):
                    self.refused[event.client_order_id] = event.reason
            case Unresolved() if row.order_id is None:
                row.state = CopyState.UNRESOLVED

    def _alive(self, name: ClientOrderId | None) -> Row | None:
        row = self.copies.get(name) if name else None
        return row if row is not None and row.state is not CopyState.ENDED else None

    def _snapshot(self, event: SnapshotTaken) -> None:
        for account in event.accounts:
            for fill in account.fills:
                self._fill(fill)
            for order in account.orders:
                row = self._alive(order.client_order_id)
                if row is not None and row.follower == account.account:
                    row.order_id = order.order_id
                    self._trade(row, account.account, order.order_id)
                    row.state = CopyState.ENDED if is_final(order.status) else CopyState.LIVE

    def _fill(self, fill: OrderFilled) -> None:
        self.fills.setdefault((fill.account, fill.fill_id), (fill.order_id, fill.qty, fill.price))

    def _trade(self, row: Row, account: AccountId, order_id: OrderId) -> None:
        known = (value for (holder, _), value in self.fills.items() if holder == account)
        mine = [(qty, price) for order, qty, price in known if order == order_id]
        row.filled = sum(qty for qty, _ in mine)
        row.cost = sum(qty * price for qty, price in mine)

    def _named(self, account: AccountId, order_id: OrderId) -> list[Row]:
        return [row for row in self.copies.values() if row.follower == account and row.order_id == order_id]


def _copy_of(row: Row) -> Copy:
    copy = msgspec.convert(row.body, Copy)
    return copy.changed(
        state=CopyState.UNRESOLVED if row.state is CopyState.SENDING else row.state,
        order_id=row.order_id or copy.order_id,
        filled=row.filled,
        cost=row.cost if copy.is_manual else copy.cost,
        in_flight=None,
        refusals=0,
    )
