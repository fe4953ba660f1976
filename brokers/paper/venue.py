"""The venue: what becomes of an order between its request and its end.

Commands come in, replies and frames of events go out; the clock, chance and prices are passed in.
Each public method is one step that leaves the state consistent. What a client may see and who is
asking stand outside.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from brokers.paper import executions, risk
from brokers.paper.catalogue import Listing
from brokers.paper.entities import Command, CommandReport, Order, OrderVersion
from brokers.paper.matching import Depth, Execution
from brokers.paper.records import Frame, Journal
from brokers.paper.state import STOP_TRIGGERED, Due, State, Step
from brokers.paper.terms import Refused, Sender, Terms
from brokers.paper.words import (
    Action,
    CommandStatus,
    CommandType,
    ExecType,
    OrderType,
    OrdStatus,
    RejectReason,
    TimeInForce,
)

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The reply to a command and the frames of events that follow it."""

    reply: dict[str, Any]
    frames: tuple[Frame, ...]


class Venue:
    """Takes commands for accounts of one state and moves their orders on."""

    def __init__(self, state: State, chance: "Random") -> None:
        self.state = state
        self._chance = chance

    def place(
        self, account_id: int, listing: Listing, action: Action, terms: Terms, sender: Sender, now: datetime
    ) -> Outcome:
        """Accept an order; the reply names it, everything else follows as events."""
        journal = self._journal(now)
        order = self._record_new(journal, account_id, listing.id, action, terms, sender)
        self._review_new(journal, order, terms.qty)
        return self._outcome(journal, {"orderId": order.id})

    def modify(self, order_id: int, terms: Terms, sender: Sender, now: datetime) -> Outcome:
        """Accept a replacement of all parameters; raises Refused when it comes too late or too early."""
        order = self._changeable(order_id)
        old = self.state.version(order_id)
        if old.time_in_force is TimeInForce.GTC and terms.time_in_force is not TimeInForce.GTC:
            raise Refused(RejectReason.OTHER_EXECUTION_RELATED, "cannot modify time-in-force")
        journal = self._journal(now)
        command = self._command(journal, order, CommandType.MODIFY, sender)
        journal.write(self._version(command.id, order, terms), order.account_id)
        journal.cut()
        refusal = None if terms.qty <= old.order_qty else risk.review(self.state, order, terms.qty)
        if refusal:
            self._refuse_command(journal, command, order, CommandStatus.RISK_REJECTED, *refusal)
        else:
            self._report_command(journal, command, order, CommandStatus.RISK_PASSED)
            at = max(self._later(order.account_id, now), now + self._window())
            self.state.plan(at, Step.REPLACE, order.id, command_id=command.id)
        return self._outcome(journal, {"commandId": command.id})

    def cancel(self, order_id: int, sender: Sender, now: datetime) -> Outcome:
        """Accept a cancel; raises Refused when the order is final or another command is in flight."""
        order = self._changeable(order_id)
        journal = self._journal(now)
        command = self._plan_cancel(journal, order, sender)
        return self._outcome(journal, {"commandId": command.id})

    def liquidate(self, account_id: int, contract_id: int, sender: Sender, now: datetime) -> Outcome:
        """Cancel the account's orders in a contract and close its position at the market (protocol 12.10)."""
        journal = self._journal(now)
        for order in list(self.state.alive(account_id, contract_id)):
            if self.state.pending_command(order.id) is None:
                self._plan_cancel(journal, order, sender)
        net = self.state.holdings[account_id, contract_id].net
        if net == 0:
            return self._outcome(journal, {})
        action = Action.SELL if net > 0 else Action.BUY
        terms = Terms(qty=abs(net), order_type=OrderType.MARKET)
        closing = self._record_new(journal, account_id, contract_id, action, terms, sender)
        self._accept_new(journal, closing)
        return self._outcome(journal, {"orderId": closing.id})

    def due(self) -> datetime | None:
        """Return when the next step is to happen."""
        return self.state.agenda[0].at if self.state.agenda else None

    def advance(self, now: datetime) -> tuple[Frame, ...]:
        """Take every step that is due."""
        journal = self._journal(now)
        self._run_due(journal)
        return journal.finish()

    def market_moved(self, contract_id: int, depth: Depth, now: datetime) -> tuple[Frame, ...]:
        """Take in a new outside market: trigger stops, fill resting orders, finish waiting market orders."""
        journal = self._journal(now)
        book = self.state.books[contract_id]
        book.refresh(depth)
        self._settle(journal, book.sweep())
        for order_id in book.resting_market():
            self._settle(journal, book.take(order_id, self._slippage()))
        self._trigger(journal, contract_id)
        self._run_due(journal)
        return journal.finish()

    def _journal(self, now: datetime) -> Journal:
        return Journal(records=self.state.records, now=now, session=self.state.session)

    def _outcome(self, journal: Journal, reply: dict[str, Any]) -> Outcome:
        self._run_due(journal)
        return Outcome(reply=reply, frames=journal.finish())

    def _later(self, account_id: int, now: datetime) -> datetime:
        # One account's commands reach the market in the order they were sent, whatever chance says.
        at = now + timedelta(milliseconds=self._chance.randint(*self.state.rules.latency_ms))
        at = max(at, self.state.latest.get(account_id, at))
        self.state.latest[account_id] = at
        return at

    def _window(self) -> timedelta:
        return timedelta(milliseconds=self.state.rules.command_window_ms)

    def _slippage(self) -> int:
        return self._chance.randint(*self.state.rules.slippage_ticks)

    def _changeable(self, order_id: int) -> Order:
        order = self.state.records.need(Order, order_id)
        if order.ord_status.final:
            raise Refused(RejectReason.TOO_LATE, "Too late")
        if self.state.pending_command(order_id) is not None:
            raise Refused(RejectReason.ANOTHER_COMMAND_PENDING, "Another command is pending")
        return order

    def _record_new(
        self,
        journal: Journal,
        account_id: int,
        contract_id: int,
        action: Action,
        terms: Terms,
        sender: Sender,
    ) -> Order:
        order = Order(
            id=self.state.ids.take(),
            account_id=account_id,
            contract_id=contract_id,
            timestamp=journal.now,
            action=action,
            ord_status=OrdStatus.PENDING_NEW,
        )
        journal.write(order, account_id)
        self._command(journal, order, CommandType.NEW, sender)
        journal.write(self._version(order.id, order, terms), account_id)
        journal.cut()
        return order

    def _command(self, journal: Journal, order: Order, command_type: CommandType, sender: Sender) -> Command:
        command = Command(
            id=order.id if command_type is CommandType.NEW else self.state.ids.take(),
            order_id=order.id,
            timestamp=journal.now,
            cl_ord_id=sender.cl_ord_id,
            command_type=command_type,
            command_status=CommandStatus.PENDING,
            sender_id=sender.user_id,
            user_session_id=sender.session_id,
            custom_tag50=sender.tag50,
            is_automated=sender.automated,
        )
        journal.write(command, order.account_id)
        return command

    def _version(self, version_id: int, order: Order, terms: Terms) -> OrderVersion:
        return OrderVersion(
            id=version_id,
            order_id=order.id,
            order_qty=terms.qty,
            order_type=terms.order_type,
            price=self.state.price(order.contract_id, terms.limit),
            stop_price=self.state.price(order.contract_id, terms.stop),
            max_show=terms.max_show,
            time_in_force=terms.time_in_force,
            expire_time=terms.expires,
            text=terms.text,
        )

    def _review_new(self, journal: Journal, order: Order, qty: int) -> None:
        command = self.state.records.need(Command, order.id)
        refusal = risk.review(self.state, order, qty)
        if refusal is None:
            self._accept_new(journal, order)
            return
        self._refuse_command(
            journal, command, order, CommandStatus.RISK_REJECTED, *refusal, OrdStatus.REJECTED
        )
        journal.write(replace(order, ord_status=OrdStatus.REJECTED), order.account_id)
        journal.cut()

    def _accept_new(self, journal: Journal, order: Order) -> None:
        command = self.state.records.need(Command, order.id)
        self._report_command(journal, command, order, CommandStatus.RISK_PASSED)
        if queue := self.state.next_parts[order.account_id]:
            self.state.parts[order.id] = queue.popleft()
        self.state.plan(self._later(order.account_id, journal.now), Step.ARRIVE, order.id)

    def _plan_cancel(self, journal: Journal, order: Order, sender: Sender) -> Command:
        command = self._command(journal, order, CommandType.CANCEL, sender)
        report_id = self.state.ids.take()
        journal.cut()
        at = max(self._later(order.account_id, journal.now), journal.now + self._window())
        self.state.plan(at, Step.CANCEL, order.id, command_id=command.id, report_id=report_id)
        return command

    def _report_command(
        self, journal: Journal, command: Command, order: Order, status: CommandStatus
    ) -> None:
        journal.write(
            CommandReport(
                id=self.state.ids.take(), command_id=command.id, timestamp=journal.now, command_status=status
            ),
            order.account_id,
        )
        journal.write(replace(command, command_status=status), order.account_id)
        journal.cut()

    def _refuse_command(
        self,
        journal: Journal,
        command: Command,
        order: Order,
        status: CommandStatus,
        reason: RejectReason,
        text: str,
        ord_status: OrdStatus | None = None,
    ) -> None:
        journal.write(
            CommandReport(
                id=self.state.ids.take(),
                command_id=command.id,
                timestamp=journal.now,
                command_status=status,
                reject_reason=reason,
                text=text,
                ord_status=ord_status or order.ord_status,
            ),
            order.account_id,
        )
        journal.write(replace(command, command_status=status), order.account_id)
        journal.cut()

    def _run_due(self, journal: Journal) -> None:
        agenda = self.state.agenda
        while agenda and agenda[0].at <= journal.now:
            due = heapq.heappop(agenda)
            order = self.state.records.get(Order, due.order_id)
            if order is not None:
                self._run(journal, due, order)

    def _run(self, journal: Journal, due: Due, order: Order) -> None:
        match due.step:
            case Step.ARRIVE:
                self._arrive(journal, order)
            case Step.REPLACE:
                self._replace(journal, order, self.state.records.need(Command, due.command_id))
            case Step.CANCEL:
                self._cancel(journal, order, self.state.records.need(Command, due.command_id), due.report_id)
            case Step.EXPIRE if not order.ord_status.final:
                self.end(journal, order, OrdStatus.EXPIRED, ExecType.EXPIRED)
            case Step.PART if not order.ord_status.final:
                self._enter_book(journal, order)

    def _arrive(self, journal: Journal, order: Order) -> None:
        if order.ord_status.final:
            return
        order = replace(order, ord_status=OrdStatus.WORKING)
        executions.report(self.state, journal, order, ExecType.NEW, command_id=order.id)
        journal.write(order, order.account_id)
        self._at_execution(journal, order.id)
        journal.cut()
        version = self.state.version(order.id)
        if version.expire_time is not None:
            self.state.plan(version.expire_time, Step.EXPIRE, order.id)
        self._enter_book(journal, order)

    def _replace(self, journal: Journal, order: Order, command: Command) -> None:
        version = self.state.records.need(OrderVersion, command.id)
        if order.ord_status.final:
            self._refuse_late(journal, order, command)
            return
        if version.order_qty <= self.state.filled(order.id):
            text = "Order quantity must be above the filled quantity"
            status = CommandStatus.EXECUTION_REJECTED
            self._refuse_command(journal, command, order, status, RejectReason.OTHER_EXECUTION_RELATED, text)
            return
        executions.report(self.state, journal, order, ExecType.REPLACED, command_id=command.id)
        self._at_execution(journal, command.id)
        journal.cut()
        self._enter_book(journal, order)

    def _cancel(self, journal: Journal, order: Order, command: Command, report_id: int) -> None:
        if order.ord_status.final:
            self._refuse_late(journal, order, command)
            return
        self.end(
            journal, order, OrdStatus.CANCELED, ExecType.CANCELED, command_id=command.id, report_id=report_id
        )
        self._at_execution(journal, command.id)
        journal.cut()

    def end(
        self,
        journal: Journal,
        order: Order,
        status: OrdStatus,
        exec_type: ExecType,
        *,
        command_id: int = 0,
        report_id: int = 0,
    ) -> None:
        """Take an order out of the market and write its last status."""
        self.state.books[order.contract_id].remove(order.id)
        self.state.parts.pop(order.id, None)
        order = replace(order, ord_status=status)
        executions.report(
            self.state, journal, order, exec_type, command_id=command_id or order.id, report_id=report_id
        )
        journal.cut()
        journal.write(order, order.account_id)
        journal.cut()

    def _refuse_late(self, journal: Journal, order: Order, command: Command) -> None:
        status = CommandStatus.EXECUTION_REJECTED
        self._refuse_command(
            journal, command, order, status, RejectReason.TOO_LATE, "Too late", order.ord_status
        )

    def _at_execution(self, journal: Journal, command_id: int) -> None:
        command = self.state.records.need(Command, command_id)
        order = self.state.records.need(Order, command.order_id)
        journal.write(replace(command, command_status=CommandStatus.AT_EXECUTION), order.account_id)

    def _enter_book(self, journal: Journal, order: Order) -> None:
        """Put the order's version in force into its book and trade what can trade now."""
        book = self.state.books[order.contract_id]
        book.add(self.state.ticket(order))
        self._trigger(journal, order.contract_id)
        ticket = book.tickets.get(order.id)
        if ticket is None or ticket.waiting:
            return
        if ticket.time_in_force is TimeInForce.FOK and book.fillable(order.id) < ticket.qty:
            self.end(journal, order, OrdStatus.CANCELED, ExecType.CANCELED)
            return
        self._settle(journal, book.take(order.id, self._slippage()))
        if ticket.time_in_force in (TimeInForce.IOC, TimeInForce.FOK) and order.id in book.tickets:
            self.end(journal, order, OrdStatus.CANCELED, ExecType.CANCELED)

    def _plan_next_part(self, journal: Journal, order: Order) -> None:
        # A fill pattern set by the operator: each part trades alone, what exceeds the pattern rests.
        parts = self.state.parts.get(order.id)
        ticket = self.state.books[order.contract_id].tickets.get(order.id)
        if parts and ticket is not None and ticket.cap == 0:
            self.state.parts[order.id] = parts[1:]
            self.state.plan(self._later(order.account_id, journal.now), Step.PART, order.id)

    def _trigger(self, journal: Journal, contract_id: int) -> None:
        book = self.state.books[contract_id]
        for order_id in book.trigger():
            order = self.state.records.need(Order, order_id)
            executions.report(
                self.state, journal, order, ExecType.ORDER_STATUS, command_id=order_id, text=STOP_TRIGGERED
            )
            journal.cut()
            self._settle(journal, book.take(order_id, self._slippage()))

    def _settle(self, journal: Journal, trades: Sequence[Execution]) -> None:
        for execution in trades:
            executions.trade(self.state, journal, execution)
        for order_id in dict.fromkeys(execution.order_id for execution in trades):
            self._plan_next_part(journal, self.state.records.need(Order, order_id))
