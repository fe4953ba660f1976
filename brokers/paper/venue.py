"""The venue: commands in, replies and frames of events out.

Each public method is one step that leaves the state consistent; the clock, chance and prices are
passed in. What becomes of an accepted order stands in `lifecycle`; who may ask, outside.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from brokers.paper import risk, strategies
from brokers.paper.entities import Command, Order, OrderStrategy, OrderVersion
from brokers.paper.lifecycle import Lifecycle
from brokers.paper.matching import Depth
from brokers.paper.records import Frame, Journal
from brokers.paper.state import Due, State, Step
from brokers.paper.terms import TRAILING, RefusedError, Sender, Terms
from brokers.paper.words import (
    Action,
    CommandStatus,
    CommandType,
    OrderStrategyStatus,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticketed:
    """One order to be made: side and parameters."""

    action: Action
    terms: Terms


class Venue:
    """Takes commands for accounts of one state and moves their orders on."""

    def __init__(self, state: State, chance: "Random") -> None:
        self.state = state
        self._chance = chance

    def place(
        self, account_id: int, contract_id: int, wanted: Ticketed, sender: Sender, now: datetime
    ) -> Outcome:
        """Accept an order; the reply names it, everything else follows as events."""
        life = self._life(now)
        order = self._record(life, account_id, contract_id, wanted, sender)
        life.journal.cut()
        self._review(life, order)
        return self._outcome(life, {"orderId": order.id})

    def place_pair(
        self, account_id: int, contract_id: int, pair: Sequence[Ticketed], sender: Sender, now: datetime
    ) -> Outcome:
        """Accept two orders of which one cancels the other (protocol 11.2)."""
        life = self._life(now)
        one, other = (self._record(life, account_id, contract_id, wanted, sender) for wanted in pair)
        one, other = replace(one, oco_id=other.id), replace(other, oco_id=one.id)
        # Each needs the other's id, which exists only now; both images are in the same frame.
        for order in (one, other):
            life.journal.write(order, account_id)
        life.journal.cut()
        if self._review(life, one):
            self._review(life, other)
        else:
            life.reject(other, (RejectReason.OTHER_EXECUTION_RELATED, "The other order was rejected"))
        return self._outcome(life, {"orderId": one.id, "ocoId": other.id})

    def place_bracket(
        self,
        account_id: int,
        contract_id: int,
        entry: Ticketed,
        legs: Sequence[Ticketed],
        sender: Sender,
        now: datetime,
    ) -> Outcome:
        """Accept an entry with one or two legs that sleep until it trades (protocol 11.3)."""
        life = self._life(now)
        first = self._record(life, account_id, contract_id, entry, sender)
        made = [self._record(life, account_id, contract_id, leg, sender) for leg in legs]
        for leg in made:
            twin = next((other.id for other in made if other.id != leg.id), None)
            asleep = replace(leg, parent_id=first.id, oco_id=twin, ord_status=OrdStatus.SUSPENDED)
            life.journal.write(asleep, account_id)
        life.journal.cut()
        if self._review(life, first):
            for leg in made:
                life.desk.accept(self.state.records.need(Command, leg.id), leg)
        reply = {"orderId": first.id, **{f"oso{number}Id": leg.id for number, leg in enumerate(made, 1)}}
        return self._outcome(life, reply)

    def start_strategy(
        self,
        account_id: int,
        contract_id: int,
        entry: Ticketed,
        params: str,
        sender: Sender,
        now: datetime,
        *,
        uuid: str | None = None,
    ) -> tuple[OrderStrategy, tuple[Frame, ...]]:
        """Accept an entry whose brackets are placed when it trades (protocol 12.9)."""
        life = self._life(now)
        strategy = OrderStrategy(
            id=self.state.ids.take(),
            account_id=account_id,
            timestamp=now,
            contract_id=contract_id,
            order_strategy_type_id=strategies.BRACKETS,
            action=entry.action,
            params=params,
            uuid=uuid,
            status=OrderStrategyStatus.ACTIVE,
            sender_id=sender.user_id,
            custom_tag50=sender.tag50,
            user_session_id=sender.session_id,
        )
        life.journal.write(strategy, account_id)
        life.journal.cut()
        order = self._record(life, account_id, contract_id, entry, sender)
        strategies.link(life, strategy, order, strategies.ENTRY_LABEL)
        life.journal.cut()
        self._review(life, order)
        self._run_due(life)
        return strategy, life.journal.finish()

    def interrupt_strategy(
        self, strategy: OrderStrategy, now: datetime
    ) -> tuple[OrderStrategy, tuple[Frame, ...]]:
        """Stop a strategy and cancel its working orders."""
        life = self._life(now)
        stopped = strategies.interrupt(life, strategy)
        self._run_due(life)
        return stopped, life.journal.finish()

    def modify(self, order_id: int, terms: Terms, sender: Sender, now: datetime) -> Outcome:
        """Accept a replacement of all parameters; raises RefusedError when it comes too late or too early."""
        order = self._changeable(order_id)
        old = self.state.version(order_id)
        if old.time_in_force is TimeInForce.GTC and terms.time_in_force is not TimeInForce.GTC:
            raise RefusedError(RejectReason.OTHER_EXECUTION_RELATED, "cannot modify time-in-force")
        if TRAILING & {old.order_type, terms.order_type}:
            terms = self._only_qty(order, old, terms)
        life = self._life(now)
        command = life.desk.command(order, CommandType.MODIFY, sender)
        life.desk.version(command.id, order, terms)
        life.journal.cut()
        # A smaller order cannot break a limit that the larger one passed.
        refusal = None if terms.qty <= old.order_qty else risk.review(self.state, order, terms.qty)
        if refusal:
            life.desk.refuse(command, order, CommandStatus.RISK_REJECTED, refusal)
        else:
            life.desk.accept(command, order)
            self.state.plan(self._answered(life, order), Step.REPLACE, order.id, command_id=command.id)
        return self._outcome(life, {"commandId": command.id})

    def cancel(self, order_id: int, sender: Sender, now: datetime) -> Outcome:
        """Accept a cancel; raises RefusedError when the order is final or another command is in flight."""
        order = self._changeable(order_id)
        life = self._life(now)
        command = self._plan_cancel(life, order, sender)
        return self._outcome(life, {"commandId": command.id})

    def liquidate(self, account_id: int, contract_id: int, sender: Sender, now: datetime) -> Outcome:
        """Cancel the account's orders in a contract and close its position at the market (protocol 12.10)."""
        life = self._life(now)
        for order in list(self.state.alive(account_id, contract_id)):
            if self.state.pending_command(order.id) is None:
                self._plan_cancel(life, order, sender)
        net = self.state.holdings[account_id, contract_id].net
        if net == 0:
            return self._outcome(life, {})
        closing = Ticketed(
            action=Action.SELL if net > 0 else Action.BUY,
            terms=Terms(qty=abs(net), order_type=OrderType.MARKET),
        )
        order = self._record(life, account_id, contract_id, closing, sender)
        life.journal.cut()
        # No review: a way out of the market is never refused.
        self._accept(life, order)
        return self._outcome(life, {"orderId": order.id})

    def due(self) -> datetime | None:
        """Return when the next step is to happen."""
        return self.state.agenda[0].at if self.state.agenda else None

    def advance(self, now: datetime) -> tuple[Frame, ...]:
        """Take every step that is due."""
        return self.step(now, lambda life: None)

    def market_moved(self, contract_id: int, depth: Depth, now: datetime) -> tuple[Frame, ...]:
        """Take in a new outside market, with all that fills or triggers by it."""
        self.state.books[contract_id].refresh(depth)
        return self.step(now, lambda life: life.market_moved(contract_id))

    def step(self, now: datetime, work: Callable[[Lifecycle], None]) -> tuple[Frame, ...]:
        """Do something to the orders, take the steps that become due, and return the frames."""
        life = self._life(now)
        work(life)
        self._run_due(life)
        return life.journal.finish()

    def _life(self, now: datetime) -> Lifecycle:
        journal = Journal(records=self.state.records, now=now, session=self.state.session)
        return Lifecycle(self.state, journal, self._chance)

    def _outcome(self, life: Lifecycle, reply: dict[str, Any]) -> Outcome:
        self._run_due(life)
        return Outcome(reply=reply, frames=life.journal.finish())

    def _changeable(self, order_id: int) -> Order:
        order = self.state.records.need(Order, order_id)
        if order.ord_status.final:
            raise RefusedError(RejectReason.TOO_LATE, "Too late")
        if self.state.pending_command(order_id) is not None:
            raise RefusedError(RejectReason.ANOTHER_COMMAND_PENDING, "Another command is pending")
        return order

    def _only_qty(self, order: Order, old: OrderVersion, terms: Terms) -> Terms:
        """Return a trailing stop's terms with a new quantity; raises RefusedError on any other change."""
        first = self.state.records.need(OrderVersion, order.id)
        stops = (first.stop_price, old.stop_price)
        trail = self.state.price(order.contract_id, terms.trail)
        same = old.order_type is terms.order_type and trail in (None, old.peg_difference)
        if not same or self.state.price(order.contract_id, terms.stop) not in stops:
            reason = RejectReason.TRAILING_STOP_NON_ORDER_QTY_MODIFY
            raise RefusedError(reason, "Only the quantity of a trailing stop can be modified")
        ticket = self.state.ticket(order)
        return replace(terms, limit=ticket.limit, stop=ticket.stop, trail=ticket.trail)

    def _record(
        self, life: Lifecycle, account_id: int, contract_id: int, wanted: Ticketed, sender: Sender
    ) -> Order:
        return life.desk.order(account_id, contract_id, wanted.action, wanted.terms, sender)

    def _review(self, life: Lifecycle, order: Order) -> bool:
        refusal = risk.review(self.state, order, self.state.version(order.id).order_qty)
        if refusal is not None:
            life.reject(order, refusal)
            return False
        self._accept(life, order)
        return True

    def _accept(self, life: Lifecycle, order: Order) -> None:
        life.desk.accept(self.state.records.need(Command, order.id), order)
        if queue := self.state.next_parts[order.account_id]:
            self.state.parts[order.id] = queue.popleft()
        self.state.plan(life.later(order.account_id), Step.ARRIVE, order.id)

    def _plan_cancel(self, life: Lifecycle, order: Order, sender: Sender) -> Command:
        command = life.desk.command(order, CommandType.CANCEL, sender)
        # Taken now, because the report of a cancel has the id after its command's (protocol 8.2).
        report_id = self.state.ids.take()
        life.journal.cut()
        at = max(self._answered(life, order), sender.activates or life.journal.now)
        self.state.plan(at, Step.CANCEL, order.id, command_id=command.id, report_id=report_id)
        return command

    def _answered(self, life: Lifecycle, order: Order) -> datetime:
        window = timedelta(milliseconds=self.state.rules.command_window_ms)
        return max(life.later(order.account_id), life.journal.now + window)

    def _run_due(self, life: Lifecycle) -> None:
        agenda = self.state.agenda
        while agenda and agenda[0].at <= life.journal.now:
            due = heapq.heappop(agenda)
            order = self.state.records.get(Order, due.order_id)
            if order is not None:
                self._run(life, due, order)

    def _run(self, life: Lifecycle, due: Due, order: Order) -> None:
        match due.step:
            case Step.ARRIVE:
                life.arrive(order)
            case Step.REPLACE:
                life.replace_terms(order, self.state.records.need(Command, due.command_id))
            case Step.CANCEL:
                life.cancel(order, self.state.records.need(Command, due.command_id), due.report_id)
            case Step.EXPIRE:
                life.expire(order)
            case Step.PART if not order.ord_status.final:
                life.enter_book(order)
