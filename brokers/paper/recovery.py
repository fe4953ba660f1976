"""Brings a venue back from what was stored: holdings, resting orders and steps still to happen."""

from collections.abc import Iterable
from datetime import datetime

from brokers.paper.entities import Command, Evaluation, Fill, Order
from brokers.paper.evaluation import rule_sets
from brokers.paper.ledger import Holding, Lot
from brokers.paper.records import Row
from brokers.paper.state import State, Step
from brokers.paper.words import CommandType, OrdStatus


def restore(state: State, rows: Iterable[Row], now: datetime) -> None:
    """Put stored entities into an empty state and rebuild what follows from them.

    Raises ValueError when an account stands under a rule set that is not known any more.
    """
    for row in sorted(rows, key=lambda row: row.entity.id):
        state.records.put(row)
    # An account must not lose its limits because a file has changed.
    if lost := {item.rule_set for item in state.records.all(Evaluation)} - rule_sets().keys():
        raise ValueError(f"no rule set {', '.join(sorted(lost))}, but accounts stand under it")
    _holdings(state)
    for order in sorted(state.records.all(Order), key=lambda order: order.id):
        if not order.ord_status.final:
            _order(state, order)
    for command in sorted(state.records.all(Command), key=lambda command: command.id):
        if command.command_status.in_flight and not _rests(state, command):
            _command(state, command, now)


def _holdings(state: State) -> None:
    for fill in sorted(state.records.all(Fill), key=lambda fill: fill.id):
        left = fill.qty - fill.finally_paired
        if left and fill.active:
            order = state.records.need(Order, fill.order_id)
            key = (order.account_id, order.contract_id)
            lot = Lot(fill_id=fill.id, qty=left * fill.action.sign, price=fill.price)
            state.holdings[key] = Holding(lots=(*state.holdings[key].lots, lot))


def _order(state: State, order: Order) -> None:
    version = state.version(order.id)
    if order.ord_status is OrdStatus.WORKING:
        state.books[order.contract_id].add(state.ticket(order))
        if version.expire_time is not None:
            state.plan(version.expire_time, Step.EXPIRE, order.id)
    elif order.ord_status is OrdStatus.SUSPENDED and (wakes := state.activation(order.id)):
        if order.parent_id is None or state.filled(order.parent_id):
            state.plan(wakes, Step.ARRIVE, order.id)


def _rests(state: State, command: Command) -> bool:
    # The legs of a bracket have passed risk, but arrive only when their entry trades, or never.
    order = state.records.need(Order, command.order_id)
    return command.command_type is CommandType.NEW and order.ord_status is not OrdStatus.PENDING_NEW


def _command(state: State, command: Command, now: datetime) -> None:
    # What was under way when the process ended arrives now, in the order in which it was sent.
    step = {CommandType.NEW: Step.ARRIVE, CommandType.MODIFY: Step.REPLACE, CommandType.CANCEL: Step.CANCEL}
    late = command.activation_time if command.command_type is CommandType.CANCEL else None
    at = max(now, late or now)
    state.plan(at, step[command.command_type], command.order_id, command_id=command.id)
