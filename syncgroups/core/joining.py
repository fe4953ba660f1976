"""Our copies beside the broker's orders: which is which, and what its fills count toward."""

from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.copies import Copy, CopyState, as_seen
from syncgroups.core.keys import ManualKey, manual_group, manual_order, parse_key, parse_manual
from syncgroups.core.stated import within
from tradehaven.domain.enums import OrderStatus
from tradehaven.domain.events import (
    OrderFilled,
    OrderState,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from tradehaven.domain.transitions import is_final


def copy_named(book: Book, client_id: ClientOrderId | None) -> Copy | None:
    """Return the copy that an order's own id names, or None for a stranger's."""
    return book.copies.get(client_id) if client_id else None


def is_twin(copy: Copy, order_id: OrderId) -> bool:
    """Say whether an order carries the name of another one that its broker has numbered already.

    Only a disk that lost what was sent can have made the two.
    """
    return copy.order_id is not None and copy.order_id != order_id


def credit(book: Book, event: OrderFilled) -> None:
    """Count a fill of one of our own orders toward what the follower holds for its group."""
    copy = book.copy_of_order(event.account, event.order_id)
    if copy is None:
        return
    book.hold(copy.holding, book.copied[copy.holding] + event.qty * event.side.sign)
    filled, cost = copy.filled + event.qty, copy.cost + event.qty * event.price
    whole = copy.state is CopyState.FILLING and filled >= copy.sent.qty
    book.keep(copy.changed(filled=filled, cost=cost, state=CopyState.ENDED if whole else copy.state))


def clamp(book: Book, account: AccountId, symbol: Symbol) -> None:
    """Forget what a foreign hand closed: a group never counts more than the account really holds.

    Where several groups hold the same contract their sums net at the broker, and no one of them can be
    told apart; then nothing is forgotten here, unless all were on one side and nothing is left of them.
    """
    nets = {key: net for key, net in book.copied.items() if net and key[1] == account and key[2] == symbol}
    actual = book.positions[account, symbol]
    if len({net > 0 for net in nets.values()}) > 1 or (len(nets) > 1 and within(max(nets.values()), actual)):
        return
    for key, net in nets.items():
        left = within(net, actual)
        if left != net:
            book.hold(key, left)
            if account not in book.flattening:
                book.taken[key] = book.taken.get(key, 0) + net - left


def taken_by_guard(book: Book, fill: OrderFilled) -> None:
    """Count what a guard of ours has closed among holdings that stand against each other.

    Which of those on its side it closed nobody can say, and `clamp` says nothing of any: manual ones come
    first, for no leader's exit will close them. Without that the sum of all would not be what is held.
    """
    where, left = (fill.account, fill.symbol), fill.qty
    nets = {key: net for key, net in book.copied.items() if net and key[1:3] == where}
    if len({net > 0 for net in nets.values()}) < 2:
        return
    for key, net in sorted(nets.items()):
        part = min(left, abs(net)) * fill.side.sign if net * fill.side.sign < 0 else 0
        if not part:
            continue
        left -= abs(part)
        book.hold(key, net + part)
        if key[0] >= 0:
            book.taken[key] = book.taken.get(key, 0) - part


def clamp_manual(book: Book, account: AccountId, symbol: Symbol) -> None:
    """Forget manual contracts that are certainly gone; beside others only when nothing is left."""
    nets = {key: net for key, net in book.copied.items() if net and key[1] == account and key[2] == symbol}
    actual = book.positions.get((account, symbol), 0)
    alone = len(nets) == 1
    if not alone and (
        len({net > 0 for net in nets.values()}) != 1 or within(next(iter(nets.values())), actual)
    ):
        return
    for key, net in nets.items():
        left = within(net, actual)
        if key[0] < 0 and left != net:
            book.hold(key, left)


def state_of(status: OrderStatus, filled: int, qty: int) -> CopyState:
    """Return where an order stands; one that is said to be filled may be ahead of its fills."""
    if status is OrderStatus.FILLED and filled < qty:
        return CopyState.FILLING
    return CopyState.ENDED if is_final(status) else CopyState.LIVE


def attach(book: Book, copy: Copy, order_id: OrderId) -> None:
    """Join a copy to the broker's order, and catch up on what that order did before the two met."""
    record = book.orders.get((copy.follower, order_id))
    if record is None:  # taken, but not yet seen: it stays in flight until it is
        book.keep(copy.changed(order_id=order_id))
        return
    if record.spec.qty != copy.sent.qty:  # changed before it was ever seen: what was sent is not what works
        copy = as_seen(copy, record.spec)
    if copy.filled > record.filled:  # a list that lagged had left it out: its fills are no news any more
        record = replace(record, filled=copy.filled, cost=copy.cost)
        book.set_order(copy.follower, order_id, record)
    earlier = record.filled - copy.filled
    if earlier:
        book.hold(copy.holding, book.copied[copy.holding] + earlier * copy.side.sign)
    book.keep(
        copy.changed(
            order_id=order_id,
            state=state_of(record.status, record.filled, record.spec.qty),
            filled=record.filled,
            cost=record.cost,
            in_flight=None if copy.in_flight == copy.key else copy.in_flight,
        )
    )
    clamp(book, copy.follower, copy.symbol)


def adopted(
    book: Book, client_id: ClientOrderId | None, account: AccountId, order: OrderState
) -> Copy | None:
    """Return the copy that an order must be by its id alone: every record of ours may have been lost.

    Where it stands now is not said: whoever found the order joins the two.
    """
    manual = parse_manual(client_id)
    if manual is not None and manual.follower == account:
        book.adopted.add(manual.key)
        return _adopted_manual(manual, order)
    key = parse_key(client_id)
    if key is None or client_id is None or key.follower != account:
        return None
    answered = book.orders.get((key.leader, key.leader_order))
    leads = key.leads or (answered.symbol if answered is not None else order.symbol)
    reverse = answered is not None and answered.side is not order.side
    if key.repair:  # it stands against what is held, whatever the order was that it mends
        reverse = (key.group, account, order.symbol, leads) in book.reversed
    return Copy(
        key=client_id,
        group=key.group,
        leader=key.leader,
        leader_order=key.leader_order,
        follower=account,
        symbol=order.symbol,
        side=order.side,
        target=order.spec,
        sent=order.spec,
        enters=0 if key.repair else order.spec.qty,
        fill=key.fill,
        leads=leads,
        reverse=reverse,
    )


def _adopted_manual(named: ManualKey, order: OrderState) -> Copy:
    return Copy(
        key=named.key,
        group=manual_group(named.number),
        leader=named.leader,
        leader_order=manual_order(named.number),
        follower=named.follower,
        symbol=order.symbol,
        side=order.side,
        target=order.spec,
        sent=order.spec,
        enters=0 if named.leg else order.spec.qty,
    )
