"""What the venue knows between two steps: records, books, holdings, and what is still to happen.

Only state and the questions asked of it; what changes it stands in `venue` and `executions`.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from brokers.paper.catalogue import Catalogue, Listing
from brokers.paper.entities import (
    Account,
    AccountRiskStatus,
    CashBalance,
    Command,
    ExecutionReport,
    Fill,
    Order,
    OrderVersion,
    Position,
)
from brokers.paper.ledger import Holding, required_margin
from brokers.paper.matching import Book, Ticket
from brokers.paper.records import Records
from brokers.paper.words import Action, AdminAction, CommandType, ExecType, RejectReason

STOP_TRIGGERED = "Stop triggered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How the venue behaves: latency in milliseconds, slippage in ticks, commission in USD a side.

    `protection_ticks` is how far from the best price an order at the market may trade; 0 is no limit.
    """

    latency_ms: tuple[int, int] = (50, 200)
    slippage_ticks: tuple[int, int] = (0, 2)
    commission: Decimal = Decimal("2.50")
    command_window_ms: int = 0
    max_order_qty: int = 200
    protection_ticks: int = 100


class Step(StrEnum):
    """What can be still to happen to an order."""

    ARRIVE = "arrive"
    REPLACE = "replace"
    CANCEL = "cancel"
    EXPIRE = "expire"
    PART = "part"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Due:
    """A step that happens at an instant; equal instants keep the order of their making."""

    at: datetime
    rank: int
    step: Step = field(compare=False)
    order_id: int = field(compare=False)
    command_id: int = field(compare=False, default=0)
    report_id: int = field(compare=False, default=0)


class Ids:
    """The one increasing sequence of the venue."""

    def __init__(self, first: int) -> None:
        self.next = first

    def take(self) -> int:
        """Return a fresh id."""
        self.next += 1
        return self.next - 1


class State:
    """The venue between two steps."""

    def __init__(self, *, catalogue: Catalogue, rules: Rules, first_id: int, session: date) -> None:
        self.catalogue = catalogue
        self.rules = rules
        self.ids = Ids(first_id)
        self.session = session
        self.records = Records()
        self.books: dict[int, Book] = defaultdict(Book)
        self.holdings: dict[tuple[int, int], Holding] = defaultdict(Holding)
        self.agenda: list[Due] = []
        self.latest: dict[int, datetime] = {}
        self.parts: dict[int, tuple[int, ...]] = {}
        self.next_parts: dict[int, deque[tuple[int, ...]]] = defaultdict(deque)
        self.next_rejects: dict[int, deque[tuple[RejectReason, str]]] = defaultdict(deque)
        self.races: dict[int, deque[timedelta]] = defaultdict(deque)
        self._rank = 0

    def plan(
        self, at: datetime, step: Step, order_id: int, *, command_id: int = 0, report_id: int = 0
    ) -> None:
        """Put a step on the agenda."""
        self._rank += 1
        due = Due(
            at=at, rank=self._rank, step=step, order_id=order_id, command_id=command_id, report_id=report_id
        )
        heapq.heappush(self.agenda, due)

    def account(self, account_id: int | None, spec: str | None) -> Account | None:
        """Return the account of an id, or else of a name."""
        if account_id is not None:
            return self.records.get(Account, account_id)
        return next((found for found in self.records.all(Account) if found.name == spec), None)

    def listing(self, contract_id: int) -> Listing:
        """Return a contract that is known to exist."""
        listing = self.catalogue.listing_of_id(contract_id)
        if listing is None:
            raise KeyError(contract_id)
        return listing

    def price(self, contract_id: int, ticks: int | None) -> Decimal | None:
        """Return a price in points."""
        return None if ticks is None else self.listing(contract_id).spec.price(ticks)

    def version(self, order_id: int) -> OrderVersion:
        """Return the parameters in force: the newest version whose command has been carried out."""
        good = [
            version
            for version in self.records.of_master(OrderVersion, order_id)
            if version.id == order_id or not self._open_or_refused(version.id)
        ]
        return good[-1]

    def activation(self, order_id: int) -> datetime | None:
        """Return until when an order sleeps; a modify that says anything about it ends the sleep."""
        commands = self.records.of_master(Command, order_id)
        woken = any(item.activation_time for item in commands if item.command_type is CommandType.MODIFY)
        return None if woken else self.records.need(Command, order_id).activation_time

    def filled(self, order_id: int) -> int:
        """Return how many contracts of an order have traded."""
        return sum(fill.qty for fill in self.records.of_master(Fill, order_id) if fill.active)

    def ticket(self, order: Order) -> Ticket:
        """Return what the book needs to know of a working order."""
        version = self.version(order.id)
        spec = self.listing(order.contract_id).spec
        parts = self.parts.get(order.id)
        wakes = (
            version.stop_price if version.limit_if_touched_price is None else version.limit_if_touched_price
        )
        return Ticket(
            order_id=order.id,
            account_id=order.account_id,
            action=order.action,
            order_type=version.order_type,
            qty=version.order_qty - self.filled(order.id),
            limit=None if version.price is None else spec.ticks(version.price),
            stop=None if wakes is None else spec.ticks(wakes),
            trail=None if version.peg_difference is None else spec.ticks(version.peg_difference),
            time_in_force=version.time_in_force,
            triggered=self._triggered(order.id),
            cap=None if parts is None else (parts[0] if parts else 0),
        )

    def pending_command(self, order_id: int) -> Command | None:
        """Return a modify or cancel of the order that the exchange has not answered yet."""
        return next(
            (
                command
                for command in self.records.of_master(Command, order_id)
                if command.command_type is not CommandType.NEW and command.command_status.in_flight
            ),
            None,
        )

    def alive(self, account_id: int, contract_id: int | None = None) -> Iterator[Order]:
        """Yield the account's orders that can still trade, oldest first."""
        for order in self.records.open_orders(account_id):
            if contract_id in (None, order.contract_id):
                yield order

    def position(self, account_id: int, contract_id: int) -> Position | None:
        """Return the account's position row in a contract."""
        return next(
            (row for row in self.records.of_master(Position, account_id) if row.contract_id == contract_id),
            None,
        )

    def positions(self, account_id: int) -> list[Position]:
        """Return the account's position rows, flat ones too."""
        return self.records.of_master(Position, account_id)

    def cash(self, account_id: int) -> CashBalance:
        """Return the account's cash row of the session."""
        return self.records.of_master(CashBalance, account_id)[-1]

    def open_profit(self, account_id: int) -> Decimal:
        """Return the open profit in USD at the last trades."""
        total = Decimal(0)
        for (owner, contract_id), holding in self.holdings.items():
            if owner == account_id and holding.net:
                spec = self.listing(contract_id).spec
                last = self.books[contract_id].last
                mark = spec.price(last) if last is not None else holding.lots[-1].price
                total += holding.unrealized(mark, spec.point_value)
        return total

    def margin(self, account_id: int, *, working: bool = True) -> Decimal:
        """Return the day margin in USD of the account's positions, with or without its working orders."""
        return self.exposure(account_id, lambda listing: listing.spec.day_margin, working=working)

    def exposure(
        self, account_id: int, weight: Callable[[Listing], Decimal], *, working: bool = True
    ) -> Decimal:
        """Return the account's contracts by weight, if all its buys or all its sells were to fill."""
        contracts = {contract for owner, contract in self.holdings if owner == account_id}
        orders = list(self.alive(account_id)) if working else []
        # A contract without a position needs margin too once an order could open one.
        contracts |= {order.contract_id for order in orders}
        total = Decimal(0)
        for contract_id in contracts:
            here = [order for order in orders if order.contract_id == contract_id]
            total += required_margin(
                self.holdings[account_id, contract_id].net,
                self._open_qty(here, Action.BUY),
                self._open_qty(here, Action.SELL),
                weight(self.listing(contract_id)),
            )
        return total

    def side_exposure(self, account_id: int, side: Action, counts: Callable[[Listing], bool]) -> int:
        """Return the contracts held on one side if all that works on it were to fill, where they count."""
        orders = list(self.alive(account_id))
        contracts = {contract for owner, contract in self.holdings if owner == account_id}
        contracts |= {order.contract_id for order in orders}
        total = 0
        for contract_id in contracts:
            if counts(self.listing(contract_id)):
                here = [order for order in orders if order.contract_id == contract_id]
                net = self.holdings[account_id, contract_id].net * side.sign
                total += max(0, net + self._open_qty(here, side))
        return total

    def lock(self, account_id: int) -> AdminAction:
        """Return the account's lock state."""
        status = self.records.get(AccountRiskStatus, account_id)
        return status.admin_action if status else AdminAction.NORMAL

    def _open_qty(self, orders: list[Order], side: Action) -> int:
        # One leg of a pair that cancels each other can fill, so the pair counts once.
        chosen = [order for order in orders if order.action is side]
        seen = {order.id for order in chosen}
        counted = [order for order in chosen if order.oco_id not in seen or order.id < (order.oco_id or 0)]
        return sum(self.version(order.id).order_qty - self.filled(order.id) for order in counted)

    def _triggered(self, order_id: int) -> bool:
        # The report is the only trace of a trigger, so that a restart knows it too.
        reports = self.records.of_master(ExecutionReport, order_id)
        return any(
            item.exec_type is ExecType.ORDER_STATUS and item.text == STOP_TRIGGERED for item in reports
        )

    def _open_or_refused(self, command_id: int) -> bool:
        status = self.records.need(Command, command_id).command_status
        return status.in_flight or status.refused
