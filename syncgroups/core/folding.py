"""Facts into the book. Each fold says whether its event was news, so that a repeat changes nothing.

Events of one login arrive in any order between their kinds: a fill may come before its order, an answer
after both (protocol 7.3). So every fold stands alone and none waits for another.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, assert_never

from risk.core.standing import Lock
from syncgroups.core import accounting, guarding, snapshots
from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.copies import Copy, CopyState, as_seen, held_back
from syncgroups.core.forgetting import tidy
from syncgroups.core.joining import (
    adopted,
    attach,
    clamp,
    clamp_manual,
    copy_named,
    credit,
    is_twin,
    state_of,
)
from syncgroups.core.keys import is_chase
from syncgroups.core.stated import positions_listed
from syncgroups.core.watch import put_off_flatten
from tradehaven.domain.calendar import next_reset
from tradehaven.domain.commands import Confirmed, Denied, Outcome, Rejected, Unresolved
from tradehaven.domain.enums import OrderStatus, RefusalReason
from tradehaven.domain.events import (
    AccountLocked,
    BalanceReported,
    Event,
    GateChanged,
    HaltPressed,
    LimitsReported,
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
    PriceMoved,
    PricesLost,
    SilenceAsked,
    SnapshotTaken,
    TimePassed,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos
from tradehaven.domain.transitions import is_final

SECOND = 1_000_000_000


def fold(book: Book, event: Event) -> bool:
    """Take a fact in. Return False when it changes nothing, as a repeat does."""
    return _FOLDS[type(event)](book, event)


def _position(book: Book, event: PositionReported) -> bool:
    before = book.reported.get((event.account, event.symbol))
    book.reported[event.account, event.symbol] = event.net
    book.assumed.pop((event.account, event.symbol), None)
    accounting.position_said(book, event)
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
    guarding.listed(book, event)
    for account in event.accounts:
        snapshots.missing_copies(book, account, event.client_order_ids, event.at)
    return True


def _link_lost(book: Book, event: LinkLost) -> bool:
    known = event.connection in book.links
    book.links.discard(event.connection)
    return known


def _silence(book: Book, event: SilenceAsked) -> bool:
    known = book.silent_until.get(event.connection, 0)
    book.silent_until[event.connection] = max(event.until, Nanos(known))
    return event.until > known


def _price(book: Book, event: PriceMoved) -> bool:
    return accounting.price_moved(book, event)


def _prices_lost(book: Book, event: PricesLost) -> bool:
    known = event.environment in book.risk.blind
    book.risk.blind.add(event.environment)
    return not known


def _locked(book: Book, event: AccountLocked) -> bool:
    known = book.risk.locks.get(event.account)
    if known is not None and known.until >= event.until:
        return False  # it is never shortened while it runs
    lock = Lock(reason=event.reason, detail=event.detail, since=event.at, until=event.until)
    book.risk.locked(event.account, lock)
    return True


def _time_passed(book: Book, event: TimePassed) -> bool:
    accounting.time_passed(book, event.at)
    guarding.forgive(book)
    book.at_work.made_flat(book.flattening, event.at)
    resting = [
        key for keys in book.open_copies.values() for key in keys if _is_resting(book, book.copies[key])
    ]
    late = [link for link in book.settling if event.at - book.first_seen[link] >= snapshots.SECOND_LOOK]
    book.settling.difference_update(late)
    book.settled = frozenset(late)
    book.back = frozenset(book.rejoined)
    book.rejoined.clear()
    book.resting_since = {key: book.resting_since.get(key, event.at) for key in resting}
    for account in book.manual.keys() & book.in_sight:  # of others nobody has said yet what they hold
        keys = book.manual[account]
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
    """Say whether a follower's order still works although its leader has what it wanted.

    What took the place of such an order rests as its limit says: it has no successor of its own.
    """
    stands = copy.state is CopyState.LIVE and copy.target is not None and copy.in_flight is None
    wanted = copy.fill is not None or book.is_filled(copy.leader, copy.leader_order)
    return stands and wanted and not is_chase(copy.key)


def _gate(book: Book, event: GateChanged) -> bool:
    return book.gates.turn(event)


def _pressed(book: Book, event: HaltPressed) -> bool:
    return book.gates.press(event)


def _balance(book: Book, event: BalanceReported) -> bool:
    return accounting.balance_said(book, event)


def _limits(book: Book, event: LimitsReported) -> bool:
    return accounting.limits_said(book, event)


def _snapshot(book: Book, event: SnapshotTaken) -> bool:
    snapshots.taken(book, event)
    return True


def _order_working(book: Book, event: OrderWorking) -> bool:
    order = (event.account, event.order_id)
    if order in book.orders or book.is_forgotten(*order):
        return False
    record = OrderRecord(
        symbol=event.symbol, side=event.side, spec=event.spec, status=OrderStatus.WORKING, oco=event.oco
    )
    book.set_order(event.account, event.order_id, record)
    _paired(book, event)
    guarding.seen(book, event.account, event, event.at)
    copy = copy_named(book, event.client_order_id) or adopted(
        book, event.client_order_id, event.account, _state_of_event(event)
    )
    if copy is not None and is_twin(copy, event.order_id):
        book.at_work.twins[order] = Nanos(0)
    elif copy is not None:
        attach(book, copy, event.order_id)
    return True


def _paired(book: Book, event: OrderWorking) -> None:
    """Tell the first leg of a pair of the second one: when it was told, that one had no name yet."""
    if event.oco is None:
        return
    first = book.orders.get((event.account, event.oco))
    if first is not None and first.oco is None:
        book.set_order(event.account, event.oco, replace(first, oco=event.order_id))


def _order_changed(book: Book, event: OrderChanged) -> bool:
    order = (event.account, event.order_id)
    record = book.orders.get(order)
    if record is None or record.spec == event.spec or is_final(record.status):
        return False
    book.orders[order] = replace(record, spec=event.spec)
    guarding.changed(book, event)
    copy = book.copy_of_order(*order)
    if copy is not None and event.spec.trails and event.spec.qty == record.spec.qty:
        book.keep(copy.changed(sent=event.spec))  # the market drew it along: that answers no command of ours
    elif copy is not None:
        book.keep(as_seen(copy, event.spec))
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
    accounting.filled(book, event)
    guarding.filled(book, event)
    return True


def _order_ended(book: Book, event: OrderEnded) -> bool:
    order = (event.account, event.order_id)
    record = book.orders.get(order)
    if record is not None and is_final(record.status):
        return False
    if record is not None:
        book.set_order(event.account, event.order_id, replace(record, status=event.status))
    guarding.ended(book, event)
    copy = book.copy_of_order(*order) or copy_named(book, event.client_order_id)
    if copy is not None and is_twin(copy, event.order_id):
        return record is not None
    if copy is not None and copy.order_id is None:  # it was seen without its name: what it did counts now
        attach(book, copy, event.order_id)
        copy = book.copies[copy.key]
    if copy is not None:
        state = state_of(event.status, copy.filled, copy.sent.qty)
        book.keep(copy.changed(state=state, in_flight=None))
        if copy.chased and event.status is OrderStatus.CANCELLED:
            book.chasing[copy.key] = event.at
    return record is not None or copy is not None


def _outcome(book: Book, event: Outcome) -> bool:
    copy = _copy_in_flight(book, event.account, event.client_order_id)
    if copy is None:
        flattens = isinstance(event, Denied) and put_off_flatten(book, event)
        return guarding.outcome(book, event) or flattens
    if not copy.is_open:
        return False
    if event.client_order_id == copy.key:
        if isinstance(event, Denied) and copy.order_id is not None:
            return False  # its broker has numbered it: an old word that came once more (I12)
        _order_answered(book, copy, event)
    else:
        _command_answered(book, copy, event)
    return True


def _order_answered(book: Book, copy: Copy, event: Outcome) -> None:
    """Take the answer to a new order."""
    match event:
        case Confirmed():
            if copy.order_id is None and event.order_id is not None:
                attach(book, copy, event.order_id)
        case Denied(reason=RefusalReason.RATE_LIMITED):
            # It was not there to be listed: looks for it begin again when it leaves (I12).
            book.absent_since.pop(copy.key, None)
            book.keep(held_back(copy, event, placing=True))
        case Rejected() | Denied():
            book.keep(copy.changed(state=CopyState.ENDED, in_flight=None))
        case Unresolved():
            if copy.order_id is None:
                book.keep(copy.changed(state=CopyState.UNRESOLVED))
                book.absent_since.pop(copy.key, None)  # lists from before it was given up say nothing
        case _:  # pragma: no cover
            assert_never(event)


def _command_answered(book: Book, copy: Copy, event: Outcome) -> None:
    """Take the answer to a change or a cancel; that it is in force is told by the order's own news."""
    match event:
        case Confirmed():
            pass
        case Denied(reason=RefusalReason.RATE_LIMITED):
            book.keep(held_back(copy, event, placing=False))
        case Denied():  # it never left: it is tried for as long as that takes
            book.keep(copy.changed(in_flight=None, asked=0, refusals=max(1, copy.refusals)))
        case Rejected():
            book.keep(copy.changed(in_flight=None, asked=0, refusals=copy.refusals + 1))
        case Unresolved():
            # It may safely be told again once its order has been seen as it is.
            book.keep(copy.changed(in_flight=None, refusals=copy.refusals + 1))
        case _:  # pragma: no cover
            assert_never(event)


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


_FOLDS: dict[type, Callable[[Book, Any], bool]] = {
    OrderWorking: _order_working,
    OrderChanged: _order_changed,
    OrderFilled: _order_filled,
    OrderEnded: _order_ended,
    PositionReported: _position,
    BalanceReported: _balance,
    LimitsReported: _limits,
    SnapshotTaken: _snapshot,
    OrdersListed: _listed,
    LinkLost: _link_lost,
    SilenceAsked: _silence,
    GateChanged: _gate,
    AccountLocked: _locked,
    PriceMoved: _price,
    PricesLost: _prices_lost,
    HaltPressed: _pressed,
    TimePassed: _time_passed,
    PersonAsked: _asked,
    OrderAsked: _order_asked,
    Confirmed: _outcome,
    Rejected: _outcome,
    Denied: _outcome,
    Unresolved: _outcome,
}
"""One fold for each kind of event; a test holds this against the list of events."""
