"""Facts into the book. Each fold says whether its event was news, so that a repeat changes nothing.

Events of one login arrive in any order between their kinds: a fill may come before its order, an answer
after both (protocol 7.3). So every fold stands alone and none waits for another.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, assert_never

from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.copies import Copy, CopyState, held_back
from syncgroups.core.forgetting import tidy
from syncgroups.core.joining import adopted, attach, clamp, clamp_manual, credit, state_of
from syncgroups.core.stated import positions_listed, positions_stated
from syncgroups.core.watch import put_off_flatten
from tradehaven.domain.calendar import next_reset
from tradehaven.domain.commands import Confirmed, Denied, Outcome, Rejected, Unresolved
from tradehaven.domain.enums import OrderStatus, RefusalReason
from tradehaven.domain.events import (
    AccountSnapshot,
    BalanceReported,
    Event,
    GateChanged,
    LinkLost,
    OrderAsked,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderState,
    OrderWorking,
    PersonAsked,
    PositionReported,
    SilenceAsked,
    SnapshotTaken,
    TimePassed,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId
from tradehaven.domain.money import Ticks
from tradehaven.domain.transitions import is_final

SECOND = 1_000_000_000
SECOND_LOOK = 6 * SECOND
"""An order was never accepted when two complete lists this far apart both lack it (I12)."""


def fold(book: Book, event: Event) -> bool:
    """Take a fact in. Return False when it changes nothing, as a repeat does."""
    return _FOLDS[type(event)](book, event)


def _position(book: Book, event: PositionReported) -> bool:
    before = book.reported.get((event.account, event.symbol))
    book.reported[event.account, event.symbol] = event.net
    book.assumed.pop((event.account, event.symbol), None)
    return before != event.net


def _asked(book: Book, event: PersonAsked) -> bool:
    known = event.request in book.requests
    book.requests.add(event.request)
    return not known


def _order_asked(book: Book, event: OrderAsked) -> bool:
    known = event.number in book.orders_asked
    book.orders_asked.add(event.number)
    return not known


def _listed(book: Book, event: OrdersListed) -> bool:
    if event.positions is not None:
        positions_listed(book, event.accounts, event.positions, event.at)
    for account in event.accounts:
        _missing_copies(book, account, event.client_order_ids, event.at)
    return True


def _link_lost(book: Book, event: LinkLost) -> bool:
    known = event.connection in book.links
    book.links.discard(event.connection)
    return known


def _silence(book: Book, event: SilenceAsked) -> bool:
    known = book.silent_until.get(event.connection, 0)
    book.silent_until[event.connection] = max(event.until, Nanos(known))
    return event.until > known


def _time_passed(book: Book, event: TimePassed) -> bool:
    resting = [
        key for keys in book.open_copies.values() for key in keys if _is_resting(book, book.copies[key])
    ]
    late = [link for link in book.settling if event.at - book.first_seen[link] >= SECOND_LOOK]
    book.settling.difference_update(late)
    book.settled = frozenset(late)
    book.resting_since = {key: book.resting_since.get(key, event.at) for key in resting}
    for account, keys in book.manual.items():
        for symbol in {book.copies[key].symbol for key in keys}:
            if (account, symbol) not in book.assumed:  # what was closed while nobody looked is gone
                clamp_manual(book, account, symbol)
    book.forget_manual()
    if event.at >= book.sizing_until:  # a new limit day: sizes by balance start from what is there now
        book.sizing_balances = dict(book.balances)
        moment = datetime.fromtimestamp(event.at / SECOND, UTC)
        book.sizing_until = Nanos(int(next_reset(moment).timestamp()) * SECOND)
        tidy(book, event.at)
    return True


def _is_resting(book: Book, copy: Copy) -> bool:
    """Say whether a follower's order still works although its leader has what it wanted."""
    if copy.state is not CopyState.LIVE or copy.target is None or copy.in_flight is not None:
        return False
    return copy.fill is not None or book.is_filled(copy.leader, copy.leader_order)


def _gate(book: Book, event: GateChanged) -> bool:
    known = book.gates.get(event.gate)
    if known is not None and known.version >= event.version:
        return False
    book.gates[event.gate] = event
    return True


def _balance(book: Book, event: BalanceReported) -> bool:
    # Sizes by balance keep the day's first figure: a ratio that moves makes exits unequal to entries.
    book.sizing_balances.setdefault(event.account, event.cash)
    before = book.balances.get(event.account)
    book.balances[event.account] = event.cash
    return before != event.cash


def _order_working(book: Book, event: OrderWorking) -> bool:
    order = (event.account, event.order_id)
    if order in book.orders or book.is_forgotten(*order):
        return False
    record = OrderRecord(
        symbol=event.symbol, side=event.side, spec=event.spec, status=OrderStatus.WORKING, oco=event.oco
    )
    book.set_order(event.account, event.order_id, record)
    _paired(book, event)
    copy = _copy_named(book, event.client_order_id) or adopted(
        book, event.client_order_id, event.account, _state_of_event(event)
    )
    if copy is not None:
        attach(book, copy, event.order_id)
    return True


def _paired(book: Book, event: OrderWorking) -> None:
    """Tell the first leg of a pair of the second one: when it was told, that one had no name yet."""
    first = book.orders.get((event.account, event.oco)) if event.oco is not None else None
    if event.oco is not None and first is not None and first.oco is None:
        book.set_order(event.account, event.oco, replace(first, oco=event.order_id))


def _order_changed(book: Book, event: OrderChanged) -> bool:
    order = (event.account, event.order_id)
    record = book.orders.get(order)
    if record is None or record.spec == event.spec or is_final(record.status):
        return False
    book.orders[order] = replace(record, spec=event.spec)
    copy = book.copy_of_order(*order)
    if copy is not None and event.spec.trails and event.spec.qty == record.spec.qty:
        book.keep(replace(copy, sent=event.spec))  # the market drew it along: that answers no command of ours
    elif copy is not None:
        book.keep(replace(copy, sent=event.spec, in_flight=None, asked=0, refusals=0))
    return True


def _order_filled(book: Book, event: OrderFilled) -> bool:
    if book.has_counted(event.account, event.fill_id):
        return False
    book.fills.add((event.account, event.fill_id))
    signed = event.qty * event.side.sign
    book.positions[event.account, event.symbol] += signed
    book.assumed.pop((event.account, event.symbol), None)
    order = (event.account, event.order_id)
    record = book.orders.get(order)
    if record is not None:
        cost = record.cost + event.qty * event.price
        book.orders[order] = replace(record, filled=record.filled + event.qty, price=event.price, cost=cost)
    credit(book, event)
    clamp(book, event.account, event.symbol)
    return True


def _order_ended(book: Book, event: OrderEnded) -> bool:
    order = (event.account, event.order_id)
    record = book.orders.get(order)
    if record is not None and is_final(record.status):
        return False
    if record is not None:
        book.set_order(event.account, event.order_id, replace(record, status=event.status))
    copy = book.copy_of_order(*order) or _copy_named(book, event.client_order_id)
    if copy is not None:
        state = state_of(event.status, copy.filled, copy.sent.qty)
        book.keep(replace(copy, order_id=event.order_id, state=state, in_flight=None))
        if copy.chased and event.status is OrderStatus.CANCELLED:
            book.chasing[copy.key] = event.at
    return record is not None or copy is not None


def _outcome(book: Book, event: Outcome) -> bool:
    copy = _copy_in_flight(book, event.account, event.client_order_id)
    if copy is None:
        return isinstance(event, Denied) and put_off_flatten(book, event)
    if not copy.is_open:
        return False
    placing = event.client_order_id == copy.key
    match event:
        case Confirmed():
            if placing and copy.order_id is None and event.order_id is not None:
                attach(book, copy, event.order_id)
        case Denied(reason=RefusalReason.RATE_LIMITED):
            book.keep(held_back(copy, event, placing=placing))
        case Rejected() | Denied() if placing:
            book.keep(replace(copy, state=CopyState.ENDED, in_flight=None))
        case Denied():  # it never left: it is tried for as long as that takes
            book.keep(replace(copy, in_flight=None, asked=0, refusals=max(1, copy.refusals)))
        case Rejected():
            book.keep(replace(copy, in_flight=None, asked=0, refusals=copy.refusals + 1))
        case Unresolved() if placing:
            if copy.order_id is None:
                book.keep(replace(copy, state=CopyState.UNRESOLVED))
        case Unresolved():
            # A change or cancel may safely be told again once its order has been seen as it is.
            book.keep(replace(copy, in_flight=None, refusals=copy.refusals + 1))
        case _:  # pragma: no cover
            assert_never(event)
    return True


def _copy_named(book: Book, client_id: ClientOrderId | None) -> Copy | None:
    return book.copies.get(client_id) if client_id else None


def _copy_in_flight(book: Book, account: AccountId, client_id: ClientOrderId) -> Copy | None:
    named = book.copies.get(client_id)
    if named is not None:
        return named
    return next((c for c in book.open_copies_of(account) if c.in_flight == client_id), None)


def _state_of_event(event: OrderWorking) -> OrderState:
    return OrderState(
        order_id=event.order_id,
        client_order_id=event.client_order_id,
        symbol=event.symbol,
        side=event.side,
        spec=event.spec,
        status=OrderStatus.WORKING,
        created_at=event.at,
    )


# -- snapshots --------------------------------------------------------------------------------------


def _snapshot(book: Book, event: SnapshotTaken) -> bool:
    book.links.add(event.connection)
    if event.connection not in book.first_seen:
        book.first_seen[event.connection] = event.at
        book.settling.add(event.connection)
    for account in event.accounts:
        _orders_as_stated(book, account)
        for fill in account.fills:
            if not book.has_counted(fill.account, fill.fill_id):
                book.fills.add((fill.account, fill.fill_id))
                credit(book, fill)
        positions_stated(book, account, event.at)
        if account.balance is not None:
            _balance(book, account.balance)
        listed = {order.client_order_id for order in account.orders if order.client_order_id}
        _missing_copies(book, account.account, listed, event.at)
    return True


def _orders_as_stated(book: Book, account: AccountSnapshot) -> None:
    filled: dict[OrderId, int] = {}
    prices: dict[OrderId, Ticks] = {}
    costs: dict[OrderId, int] = {}
    for fill in account.fills:
        filled[fill.order_id] = filled.get(fill.order_id, 0) + fill.qty
        prices[fill.order_id] = fill.price
        costs[fill.order_id] = costs.get(fill.order_id, 0) + fill.qty * fill.price
    book.forget_orders(account.account)
    for order in account.orders:
        if is_final(order.status) and book.is_forgotten(account.account, order.order_id):
            continue  # long over: what answered it is forgotten as well
        record = OrderRecord(
            symbol=order.symbol,
            side=order.side,
            spec=order.spec,
            status=order.status,
            filled=filled.get(order.order_id, 0),
            price=prices.get(order.order_id),
            cost=costs.get(order.order_id, 0),
            oco=order.oco,
        )
        book.set_order(account.account, order.order_id, record)
        _copy_as_stated(book, account.account, order)


def _copy_as_stated(book: Book, account: AccountId, order: OrderState) -> None:
    copy = (
        _copy_named(book, order.client_order_id)
        or book.copy_of_order(account, order.order_id)
        or adopted(book, order.client_order_id, account, order)
    )
    if copy is None:
        return
    state = CopyState.ENDED if is_final(order.status) else CopyState.LIVE
    book.keep(
        replace(
            copy, state=state, order_id=order.order_id, sent=order.spec, in_flight=None, asked=0, refusals=0
        )
    )


def _missing_copies(book: Book, account: AccountId, listed: Collection[ClientOrderId], at: Nanos) -> None:
    """Look for copies that the broker does not list; the second look decides that they never were."""
    for copy in list(book.open_copies_of(account)):
        if copy.key in listed or copy.is_unsent:  # what never left cannot be missing
            book.absent_since.pop(copy.key, None)
            continue
        first_look = book.absent_since.setdefault(copy.key, at)
        if at - first_look >= SECOND_LOOK:
            state = CopyState.MISSED if copy.order_id is None else CopyState.ENDED
            book.keep(replace(copy, state=state, in_flight=None))
        elif copy.state is CopyState.SENDING:
            book.keep(replace(copy, state=CopyState.UNRESOLVED))


_FOLDS: dict[type, Callable[[Book, Any], bool]] = {
    OrderWorking: _order_working,
    OrderChanged: _order_changed,
    OrderFilled: _order_filled,
    OrderEnded: _order_ended,
    PositionReported: _position,
    BalanceReported: _balance,
    SnapshotTaken: _snapshot,
    OrdersListed: _listed,
    LinkLost: _link_lost,
    SilenceAsked: _silence,
    GateChanged: _gate,
    TimePassed: _time_passed,
    PersonAsked: _asked,
    OrderAsked: _order_asked,
    Confirmed: _outcome,
    Rejected: _outcome,
    Denied: _outcome,
    Unresolved: _outcome,
}
"""One fold for each kind of event; a test holds this against the list of events."""
