"""Snapshots into the book: everything that a broker says of a login at one moment (I12, F29).

Orders are stated anew, fills that were missed are counted, and our own orders that it does not list are
looked for again before they count as never taken.
"""

from collections.abc import Collection

from syncgroups.core import accounting, guarding
from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.copies import Copy, CopyState, as_seen
from syncgroups.core.guards import leg_of
from syncgroups.core.joining import adopted, copy_named, credit, is_twin
from syncgroups.core.stated import positions_stated
from tradehaven.domain.events import AccountSnapshot, OrderState, SnapshotTaken
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId
from tradehaven.domain.money import Ticks
from tradehaven.domain.transitions import is_final

SECOND_LOOK = 6 * 1_000_000_000
"""An order was never accepted when two complete lists this far apart both lack it (I12)."""
NO_WORD = 60 * 1_000_000_000
"""So long may a request be under way with all its penalties: whoever sent it has given up before that."""


def taken(book: Book, event: SnapshotTaken) -> None:
    """Take a login's whole truth: what it states replaces what was known, and nothing in it is new."""
    book.links.add(event.connection)
    is_first = event.connection not in book.first_seen
    if is_first:
        book.first_seen[event.connection] = event.at
        book.settling.add(event.connection)
    book.at_work.caught_up = []
    for account in event.accounts:
        book.in_sight.add(account.account)
        live = {guard.order_id for guard in book.risk.guards_of(account.account)}
        _orders_as_stated(book, account)
        guards = {order.order_id for order in account.orders if leg_of(order.client_order_id) is not None}
        for fill in account.fills:
            if not book.has_counted(fill.account, fill.fill_id):
                book.fills.add((fill.account, fill.fill_id))
                book.at_work.caught_up.append(fill)
                credit(book, fill)
                if fill.order_id in guards:
                    # One that still worked when it was last seen has filled since: that is news, however old.
                    guarding.closed(book, fill, event.at if fill.order_id in live else fill.traded_at)
        positions_stated(book, account, event.at)
        accounting.snapshot_taken(book, account)
        if account.balance is not None:
            accounting.balance_said(book, account.balance)
        listed = {book.by_order.get((account.account, order.order_id)) for order in account.orders}
        _in_doubt(book, account.account)
        missing_copies(book, account.account, listed, event.at)
        if is_first:
            _from_before(book, account.account)


def _from_before(book: Book, account: AccountId) -> None:
    """Note the manual copies that had traded before this life began: their legs may be under way already."""
    entries = (book.copies[key] for key in book.manual.get(account, ()))
    book.adopted.update(entry.key for entry in entries if entry.filled)


def _orders_as_stated(book: Book, account: AccountSnapshot) -> None:
    filled: dict[OrderId, int] = {}
    prices: dict[OrderId, Ticks] = {}
    costs: dict[OrderId, int] = {}
    for fill in account.fills:
        filled[fill.order_id] = filled.get(fill.order_id, 0) + fill.qty
        prices[fill.order_id] = fill.price
        costs[fill.order_id] = costs.get(fill.order_id, 0) + fill.qty * fill.price
    # What was known until now is not forgotten, however many younger orders are: it rested for that long.
    gone = {order.order_id for order in account.orders if book.is_forgotten(account.account, order.order_id)}
    book.forget_orders(account.account)
    guarding.restated(book, account.account)
    for order in account.orders:
        if is_final(order.status) and order.order_id in gone:
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
        _copy_as_stated(book, account, order)
        guarding.seen(book, account.account, order, order.created_at)


def _copy_as_stated(book: Book, stated: AccountSnapshot, order: OrderState) -> None:
    account = stated.account
    copy = copy_named(book, order.client_order_id) or book.copy_of_order(account, order.order_id)
    if copy is None:
        copy = _adopted(book, stated, order)
    if copy is None:
        return
    if is_twin(copy, order.order_id):
        if not is_final(order.status):
            book.at_work.twins[account, order.order_id] = Nanos(0)
        return
    state = CopyState.ENDED if is_final(order.status) else CopyState.LIVE
    book.keep(as_seen(copy, order.spec).changed(state=state, order_id=order.order_id))


def _adopted(book: Book, stated: AccountSnapshot, order: OrderState) -> Copy | None:
    """Return the copy that an order is by its name, with what a life before this one has counted of it."""
    copy = adopted(book, order.client_order_id, stated.account, order)
    if copy is None:
        return None
    mine = [fill for fill in stated.fills if fill.order_id == order.order_id]
    known = [fill for fill in mine if book.has_counted(fill.account, fill.fill_id)]
    filled, cost = sum(fill.qty for fill in known), sum(fill.qty * fill.price for fill in known)
    return copy.changed(filled=filled, cost=cost)


def missing_copies(
    book: Book, account: AccountId, listed: Collection[ClientOrderId | None], at: Nanos
) -> None:
    """Look for copies that the broker does not list; the second look decides that they never were.

    What is still being asked for may wait for its turn or for the end of a penalty, and comes to an end of
    its own: only where no word of that comes for very long is it looked for like the others.
    """
    for copy in list(book.open_copies_of(account)):
        if copy.key in listed or copy.is_unsent:  # what never left cannot be missing
            book.absent_since.pop(copy.key, None)
            continue
        first_look = book.absent_since.setdefault(copy.key, at)
        is_asked_for = copy.state is CopyState.SENDING and copy.order_id is None
        if at - first_look >= (NO_WORD if is_asked_for else SECOND_LOOK):
            state = CopyState.MISSED if copy.order_id is None else CopyState.ENDED
            book.keep(copy.changed(state=state))


def _in_doubt(book: Book, account: AccountId) -> None:
    """Put in doubt what was asked for in the session before."""
    for copy in list(book.open_copies_of(account)):
        if copy.state is CopyState.SENDING and not copy.is_unsent:
            book.keep(copy.changed(state=CopyState.UNRESOLVED))
