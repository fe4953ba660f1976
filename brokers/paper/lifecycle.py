"""What happens to an order once it has been accepted: arrival, trades, replacement, end, and its links.

Linked orders: the legs of an OCO pair keep the same open quantity and end together; the legs of a
bracket sleep until their entry trades (protocol 12.7 and 12.8).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from brokers.paper import executions, strategies
from brokers.paper.entities import Command, Order, OrderVersion
from brokers.paper.matching import Execution
from brokers.paper.paperwork import Desk
from brokers.paper.records import Journal
from brokers.paper.state import STOP_TRIGGERED, State, Step
from brokers.paper.terms import Sender
from brokers.paper.words import (
    CommandStatus,
    CommandType,
    ExecType,
    OrdStatus,
    RejectReason,
    TimeInForce,
)

if TYPE_CHECKING:
    from random import Random

_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
_PARENT_REJECTED = (RejectReason.PARENT_REJECTED, "The entry order was rejected")


class Lifecycle:
    """Moves orders of one state on, writing into one journal."""

    def __init__(self, state: State, journal: Journal, chance: "Random") -> None:
        self.state = state
        self.journal = journal
        self.desk = Desk(state, journal)
        self._chance = chance

    def later(self, account_id: int) -> datetime:
        """Return when a command sent now reaches the market.

        One account's commands arrive in the order in which they were sent, whatever chance says.
        """
        delay = self._chance.randint(*self.state.rules.latency_ms)
        at = self.journal.now + timedelta(milliseconds=delay)
        at = max(at, self.state.latest.get(account_id, at))
        self.state.latest[account_id] = at
        return at

    def arrive(self, order: Order) -> None:
        """Let a new order work and trade what can trade."""
        if order.ord_status.final or order.ord_status is OrdStatus.WORKING:
            return
        wakes = self.state.activation(order.id)
        if wakes is not None and wakes > self.journal.now:
            self.sleep(order, wakes)
            return
        order = replace(order, ord_status=OrdStatus.WORKING)
        self.desk.report(order, ExecType.NEW, command_id=order.id)
        self.journal.write(order, order.account_id)
        self.desk.at_execution(order.id)
        self.journal.cut()
        version = self.state.version(order.id)
        if version.expire_time is not None:
            self.state.plan(version.expire_time, Step.EXPIRE, order.id)
        self.enter_book(order)

    def sleep(self, order: Order, until: datetime) -> None:
        """Let an order with an activation time wait for it (protocol 11.1)."""
        if order.ord_status is not OrdStatus.SUSPENDED:
            self.journal.write(replace(order, ord_status=OrdStatus.SUSPENDED), order.account_id)
            self.journal.cut()
        self.state.plan(until, Step.ARRIVE, order.id)

    def replace_terms(self, order: Order, command: Command) -> None:
        """Put a modification into force."""
        version = self.state.records.need(OrderVersion, command.id)
        if order.ord_status.final:
            self.desk.refuse_late(command, order)
            return
        if reason := self._why_not(order, version):
            refusal = RejectReason.OTHER_EXECUTION_RELATED, reason
            self.desk.refuse(command, order, CommandStatus.EXECUTION_REJECTED, refusal)
            return
        self.desk.report(order, ExecType.REPLACED, command_id=command.id)
        self.desk.at_execution(command.id)
        self.journal.cut()
        if version.expire_time is not None:
            self.state.plan(version.expire_time, Step.EXPIRE, order.id)
        if order.ord_status is OrdStatus.WORKING:
            self.enter_book(order)
        elif order.parent_id is None and command.activation_time is not None:
            self.arrive(order)  # the documented surprise of an activation time on a modify (protocol 11.4)

    def expire(self, order: Order) -> None:
        """End an order whose time has come, unless a modification has given it a later one."""
        expires = self.state.version(order.id).expire_time
        if not order.ord_status.final and expires is not None and expires <= self.journal.now:
            self.end(order, OrdStatus.EXPIRED, ExecType.EXPIRED)

    def cancel(self, order: Order, command: Command, report_id: int) -> None:
        """Carry out a cancel."""
        if order.ord_status.final:
            self.desk.refuse_late(command, order)
            return
        self.desk.at_execution(command.id)
        self.end(order, OrdStatus.CANCELED, ExecType.CANCELED, command_id=command.id, report_id=report_id)

    def end(
        self,
        order: Order,
        status: OrdStatus,
        exec_type: ExecType,
        *,
        command_id: int = 0,
        report_id: int = 0,
    ) -> None:
        """Take an order out of the market, write its last status, and end what hangs on it."""
        self.state.books[order.contract_id].remove(order.id)
        self.state.parts.pop(order.id, None)
        order = replace(order, ord_status=status)
        self.desk.report(order, exec_type, command_id=command_id or order.id, report_id=report_id)
        self.journal.cut()
        self.journal.write(order, order.account_id)
        self.journal.cut()
        linked = [self._sibling(order)] if status is OrdStatus.CANCELED else []
        for other in (*linked, *self._legs(order, OrdStatus.SUSPENDED)):
            if other is not None and not other.ord_status.final:
                self.cancel_by_server(other)
        strategies.follow(self, order)

    def reject(self, order: Order, refusal: tuple[RejectReason, str]) -> None:
        """Reject a new order, and with it the legs that wait for it."""
        self.desk.reject(order, refusal)
        for leg in self._legs(order, OrdStatus.SUSPENDED):
            self.desk.reject(leg, _PARENT_REJECTED)
        strategies.fail(self, order, refusal[1])

    def cancel_by_server(self, order: Order) -> None:
        """Cancel an order because of another one."""
        if self.state.records.need(Order, order.id).ord_status.final:
            return
        command = self.desk.command(order, CommandType.CANCEL, self.server_sender(order))
        self.desk.at_execution(command.id)
        self.end(order, OrdStatus.CANCELED, ExecType.CANCELED, command_id=command.id)

    def enter_book(self, order: Order) -> None:
        """Put the order's parameters in force into its book and trade what can trade now."""
        book = self.state.books[order.contract_id]
        book.add(self.state.ticket(order))
        self.trigger(order.contract_id)
        ticket = book.tickets.get(order.id)
        if ticket is None or ticket.waiting:
            return
        if ticket.time_in_force is TimeInForce.FOK and book.fillable(order.id) < ticket.qty:
            self.end(order, OrdStatus.CANCELED, ExecType.CANCELED)
            return
        self._take(order.contract_id, order.id)
        if ticket.time_in_force in _IMMEDIATE and order.id in book.tickets:
            self.end(self.state.records.need(Order, order.id), OrdStatus.CANCELED, ExecType.CANCELED)

    def market_moved(self, contract_id: int) -> None:
        """Fill resting orders, finish waiting market orders and trigger stops after a new outside market."""
        book = self.state.books[contract_id]
        # Limits before stops: a pair of which both are reached ends with its better order.
        while trades := book.sweep():
            self.settle(trades)
        for order_id in book.resting_market():
            if order_id in book.tickets:
                self._take(contract_id, order_id)
        for order_id, stop in book.trailed():
            self._trail(self.state.records.need(Order, order_id), stop)
        self.trigger(contract_id)

    def trigger(self, contract_id: int) -> None:
        """Let the stops trade that the last price has reached."""
        book = self.state.books[contract_id]
        for order_id in book.trigger():
            # A stop that traded before may have taken this one with it.
            if order_id not in book.tickets:
                continue
            order = self.state.records.need(Order, order_id)
            self.desk.report(order, ExecType.ORDER_STATUS, command_id=order_id, text=STOP_TRIGGERED)
            self.journal.cut()
            self._take(contract_id, order_id)

    def _take(self, contract_id: int, order_id: int) -> None:
        book = self.state.books[contract_id]
        book.protect(order_id, self.state.rules.protection_ticks)
        self.settle(book.take(order_id, self._slippage()))

    def settle(self, trades: Sequence[Execution]) -> None:
        """Write trades, then let linked orders follow them."""
        traded: dict[int, int] = {}
        for execution in trades:
            executions.trade(self.state, self.journal, execution)
            traded[execution.order_id] = traded.get(execution.order_id, 0) + execution.qty
        for order_id, qty in traded.items():
            order = self.state.records.need(Order, order_id)
            self._plan_next_part(order)
            self._follow_sibling(order)
            for leg in self._legs(order):
                self._follow_entry(leg, order, qty)
            strategies.follow(self, order)

    def _plan_next_part(self, order: Order) -> None:
        # A fill pattern set by the operator: each part trades alone, what exceeds the pattern rests.
        parts = self.state.parts.get(order.id)
        ticket = self.state.books[order.contract_id].tickets.get(order.id)
        if parts and ticket is not None and ticket.cap == 0:
            self.state.parts[order.id] = parts[1:]
            self.state.plan(self.later(order.account_id), Step.PART, order.id)

    def _follow_sibling(self, order: Order) -> None:
        sibling = self._sibling(order)
        if sibling is None or sibling.ord_status.final:
            return
        left = self.state.version(order.id).order_qty - self.state.filled(order.id)
        # The pair protects one position, so both must always be good for the same rest.
        if races := self.state.races[order.account_id]:
            self._cancel_late(sibling, races.popleft())
        elif left == 0:
            self.cancel_by_server(sibling)
        else:
            self.resize(sibling, self.state.filled(sibling.id) + left)

    def _cancel_late(self, order: Order, delay: timedelta) -> None:
        """Leave the other order of a pair in the market for a while: it may trade as well."""
        command = self.desk.command(order, CommandType.CANCEL, self.server_sender(order))
        report_id = self.state.ids.take()
        self.desk.accept(command, order)
        at = self.journal.now + delay
        self.state.plan(at, Step.CANCEL, order.id, command_id=command.id, report_id=report_id)

    def _follow_entry(self, leg: Order, entry: Order, qty: int) -> None:
        leg = self.state.records.need(Order, leg.id)
        if leg.ord_status.final:
            return
        if leg.ord_status is OrdStatus.SUSPENDED:
            # Protect what has been bought so far, not what is still wanted.
            self.resize(leg, self.state.filled(entry.id))
            self.arrive(self.state.records.need(Order, leg.id))
        else:
            self.resize(leg, self.state.version(leg.id).order_qty + qty)

    def resize(self, order: Order, qty: int) -> None:
        """Change an order's total quantity by a command of the server."""
        old = self.state.version(order.id)
        if old.order_qty == qty:
            return
        command = self.desk.command(order, CommandType.MODIFY, self.server_sender(order))
        self.journal.write(replace(old, id=command.id, order_qty=qty), order.account_id)
        if order.ord_status is OrdStatus.WORKING:
            self.desk.report(order, ExecType.REPLACED, command_id=command.id)
        self.desk.at_execution(command.id)
        self.journal.cut()
        if order.ord_status is OrdStatus.WORKING:
            self.enter_book(order)

    def _why_not(self, order: Order, version: OrderVersion) -> str:
        """Return why a modification that has arrived cannot be put into force, or nothing."""
        if version.order_qty <= self.state.filled(order.id):
            return "Order quantity must be above the filled quantity"
        # A linked order's trade has resized this one after the client asked: its wish is out of date.
        newer = self.state.version(order.id).id > version.id
        return "The order has been changed meanwhile" if newer else ""

    def _trail(self, order: Order, stop: int) -> None:
        """Move a trailing stop; clients see it as a new version of the order (protocol 12.9)."""
        # Not under a client's command in flight, which would then be out of date; the next move catches up.
        if self.state.pending_command(order.id) is not None:
            return
        command = self.desk.command(order, CommandType.MODIFY, self.server_sender(order))
        old, ticket = self.state.version(order.id), self.state.ticket(order)
        # The limit of a trailing stop limit keeps its distance from the stop.
        limit = None if ticket.limit is None or ticket.stop is None else ticket.limit + stop - ticket.stop
        price = self.state.price(order.contract_id, limit)
        stop_price = self.state.price(order.contract_id, stop)
        version = replace(old, id=command.id, stop_price=stop_price, price=price)
        self.journal.write(version, order.account_id)
        self.desk.report(order, ExecType.REPLACED, command_id=command.id)
        self.desk.at_execution(command.id)
        self.journal.cut()
        self.state.books[order.contract_id].add(self.state.ticket(order))

    def _sibling(self, order: Order) -> Order | None:
        return None if order.oco_id is None else self.state.records.get(Order, order.oco_id)

    def _legs(self, entry: Order, status: OrdStatus | None = None) -> list[Order]:
        return [
            order
            for order in self.state.alive(entry.account_id, entry.contract_id)
            if order.parent_id == entry.id and status in (None, order.ord_status)
        ]

    def server_sender(self, order: Order) -> Sender:
        """Return the marks of a command that the server gives for an order."""
        first = self.state.records.need(Command, order.id)
        return Sender(user_id=first.sender_id, session_id=first.user_session_id, automated=first.is_automated)

    def _slippage(self) -> int:
        return self._chance.randint(*self.state.rules.slippage_ticks)
