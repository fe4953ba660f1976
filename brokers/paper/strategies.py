"""Order strategies: an entry whose brackets the server places once it trades (protocol 11.7, 12.9).

Unlike the legs of a bracket order these do not exist before the entry's fill; their prices are distances
from it. What the client asked for stays in the strategy as text, so that a restart reads it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from brokers.paper.catalogue import Listing
from brokers.paper.entities import Command, Fill, Order, OrderStrategy, OrderStrategyLink
from brokers.paper.terms import Terms
from brokers.paper.words import Action, OrderStrategyStatus, OrderType, TimeInForce

if TYPE_CHECKING:
    from brokers.paper.lifecycle import Lifecycle

BRACKETS = 2
"""The one strategy type on offer."""
ENTRY_LABEL = "256"
_LASTING = (TimeInForce.DAY, TimeInForce.GTC)


class PlanError(Exception):
    """The parameters of a strategy make no sense; carries a sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """Contracts with their way out; distances are signed ticks from the entry's price."""

    qty: int
    target: int | None
    stop: int | None
    trails: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a strategy is to do; `entry` are the members of its entry order."""

    entry: dict[str, Any]
    brackets: tuple[Bracket, ...]


def read_plan(text: str, action: Action, listing: Listing) -> Plan:
    """Return the plan that a client sent as JSON text; raises PlanError with what is wrong."""
    try:
        body = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise PlanError("params is not JSON text") from None
    entry = body.get("entryVersion") if isinstance(body, dict) else None
    if not isinstance(entry, dict):
        raise PlanError("params.entryVersion is required")
    rows = body.get("brackets") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PlanError("params.brackets must be a list of objects")
    brackets = tuple(_bracket(row, action, listing) for row in rows)
    total = entry.get("orderQty")
    if isinstance(total, int) and sum(bracket.qty for bracket in brackets) > total:
        raise PlanError("params.brackets hold more contracts than the entry")
    return Plan(entry=entry, brackets=brackets)


def _bracket(row: dict[str, Any], action: Action, listing: Listing) -> Bracket:
    qty = row.get("qty")
    if not isinstance(qty, int) or isinstance(qty, bool) or qty <= 0:
        raise PlanError("params.brackets.qty must be a whole number above zero")
    target = _distance(row, "profitTarget", listing)
    stop = _distance(row, "stopLoss", listing)
    if target is not None and target * action.sign <= 0:
        raise PlanError("params.brackets.profitTarget must lie on the winning side of the entry")
    if stop is not None and stop * action.sign >= 0:
        raise PlanError("params.brackets.stopLoss must lie on the losing side of the entry")
    return Bracket(qty=qty, target=target, stop=stop, trails=row.get("trailingStop") is True)


def _distance(row: dict[str, Any], name: str, listing: Listing) -> int | None:
    given = row.get(name)
    if given is None:
        return None
    try:
        points = Decimal(str(given))
    except InvalidOperation:
        raise PlanError(f"params.brackets.{name} must be a distance in points") from None
    ticks = listing.spec.ticks(points) if points.is_finite() else None
    if ticks is None:
        raise PlanError(f"params.brackets.{name} is not a multiple of the tick {listing.spec.tick}")
    return ticks


def link(life: "Lifecycle", strategy: OrderStrategy, order: Order, label: str) -> None:
    """Write that an order belongs to a strategy."""
    joined = OrderStrategyLink(id=order.id, order_strategy_id=strategy.id, order_id=order.id, label=label)
    life.journal.write(joined, order.account_id)


def strategy_of(life: "Lifecycle", order: Order) -> OrderStrategy | None:
    """Return the running strategy that an order belongs to."""
    joined = life.state.records.get(OrderStrategyLink, order.id)
    strategy = life.state.records.get(OrderStrategy, joined.order_strategy_id) if joined else None
    return strategy if strategy and strategy.status is OrderStrategyStatus.ACTIVE else None


def follow(life: "Lifecycle", order: Order) -> None:
    """Place what an entry's fills call for, and end a strategy of which nothing works any more."""
    strategy = strategy_of(life, order)
    if strategy is None:
        return
    if order.id == _entry(life, strategy).id:
        _place_legs(life, strategy)
    _finish(life, strategy)


def fail(life: "Lifecycle", order: Order, text: str) -> None:
    """End a strategy whose order was rejected."""
    strategy = strategy_of(life, order)
    if strategy is not None:
        failed = replace(strategy, status=OrderStrategyStatus.FAILED, failure_message=text)
        life.journal.write(failed, strategy.account_id)
        life.journal.cut()


def interrupt(life: "Lifecycle", strategy: OrderStrategy) -> OrderStrategy:
    """Stop a strategy and cancel what it has working; the position stays (protocol 11.8)."""
    stopped = replace(strategy, status=OrderStrategyStatus.INTERRUPTED)
    # Written first, or the cancels would end it as finished.
    life.journal.write(stopped, strategy.account_id)
    life.journal.cut()
    for order in _orders(life, strategy):
        life.cancel_by_server(life.state.records.need(Order, order.id))
    return stopped


def _entry(life: "Lifecycle", strategy: OrderStrategy) -> Order:
    return next(_orders(life, strategy))


def _orders(life: "Lifecycle", strategy: OrderStrategy) -> Iterator[Order]:
    """Yield the strategy's orders, the entry first: its id is the lowest."""
    links = life.state.records.of_master(OrderStrategyLink, strategy.id)
    for number in sorted(joined.order_id for joined in links):
        yield life.state.records.need(Order, number)


def _finish(life: "Lifecycle", strategy: OrderStrategy) -> None:
    if all(order.ord_status.final for order in _orders(life, strategy)):
        done = replace(strategy, status=OrderStrategyStatus.FINISHED)
        life.journal.write(done, strategy.account_id)
        life.journal.cut()


def _place_legs(life: "Lifecycle", strategy: OrderStrategy) -> None:
    """Give every bracket legs for as much of it as has been bought so far."""
    entry = _entry(life, strategy)
    listing = life.state.listing(strategy.contract_id)
    plan = read_plan(strategy.params, strategy.action, listing)
    left = life.state.filled(entry.id)
    for number, bracket in enumerate(plan.brackets):
        qty = min(left, bracket.qty)
        left -= qty
        legs = _legs(life, strategy, str(number))
        alive = [leg for leg in legs if not leg.ord_status.final]
        unprotected = qty - _covered(life, legs)
        if unprotected and not alive:
            _open(life, strategy, entry, replace(bracket, qty=unprotected), str(number))
        for leg in alive if unprotected else ():
            life.resize(leg, life.state.version(leg.id).order_qty + unprotected)


def _covered(life: "Lifecycle", legs: list[Order]) -> int:
    """Return the contracts for which a bracket's legs traded or work; both of a pair work for the same."""
    done = sum(life.state.filled(leg.id) for leg in legs)
    open_ = (
        life.state.version(leg.id).order_qty - life.state.filled(leg.id)
        for leg in legs
        if not leg.ord_status.final
    )
    return done + max(open_, default=0)


def _legs(life: "Lifecycle", strategy: OrderStrategy, label: str) -> list[Order]:
    links = life.state.records.of_master(OrderStrategyLink, strategy.id)
    return [life.state.records.need(Order, joined.order_id) for joined in links if joined.label == label]


def _open(life: "Lifecycle", strategy: OrderStrategy, entry: Order, bracket: Bracket, label: str) -> None:
    sender, away = life.server_sender(entry), entry.action.opposite
    legs = [
        life.desk.order(entry.account_id, entry.contract_id, away, terms, sender)
        for terms in _leg_terms(life, entry, bracket)
    ]
    for leg in legs:
        twin = next((other.id for other in legs if other.id != leg.id), None)
        life.journal.write(replace(leg, oco_id=twin), leg.account_id)
        link(life, strategy, leg, label)
    life.journal.cut()
    for leg in legs:
        life.desk.accept(life.state.records.need(Command, leg.id), leg)
    for leg in legs:
        # The first leg may trade at once and take the second one with it.
        life.arrive(life.state.records.need(Order, leg.id))


def _leg_terms(life: "Lifecycle", entry: Order, bracket: Bracket) -> Iterator[Terms]:
    price = _average(life, entry)
    wanted = life.state.version(entry.id).time_in_force
    lasting = wanted if wanted in _LASTING else TimeInForce.DAY
    if bracket.target is not None:
        limit = price + bracket.target
        yield Terms(qty=bracket.qty, order_type=OrderType.LIMIT, limit=limit, time_in_force=lasting)
    if bracket.stop is not None:
        kind = OrderType.TRAILING_STOP if bracket.trails else OrderType.STOP
        trail = abs(bracket.stop) if bracket.trails else None
        yield Terms(
            qty=bracket.qty, order_type=kind, stop=price + bracket.stop, trail=trail, time_in_force=lasting
        )


def _average(life: "Lifecycle", entry: Order) -> int:
    """Return the entry's average price in whole ticks, halves to even."""
    fills = life.state.records.of_master(Fill, entry.id)
    value = sum((fill.price * fill.qty for fill in fills), Decimal(0))
    tick = life.state.listing(entry.contract_id).spec.tick
    average = value / sum(fill.qty for fill in fills) / tick
    return int(average.quantize(Decimal(1), ROUND_HALF_EVEN))
