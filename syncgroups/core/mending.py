"""The orders that mend a holding: what to cancel first, what to close, and when to give up.

Every one passes the gates as a copy does, is certain not to open or flip anything, and has a name made of
the holding and the second of the look that found it, so that a crash cannot send it twice.
"""

from collections.abc import Iterator
from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.case import case_of, seen_by
from syncgroups.core.converge import advance
from syncgroups.core.copies import Copy
from syncgroups.core.decision import CopyStep, Decision, Remark, RemarkKind, Step
from syncgroups.core.differences import NO_ORDER, Difference
from syncgroups.core.expected import Pair, entitled
from syncgroups.core.keys import CopyKey, repair_id
from syncgroups.core.place import send_share
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.share import leader_order
from syncgroups.core.stated import within
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import OrderType, Side, TradingState
from tradehaven.domain.ids import ClientOrderId, Nanos, OrderId
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.transitions import is_final

SECOND = 1_000_000_000
LONGEST_PAUSE = 30
QUARANTINE_AFTER = 3
"""Tries in vain after which a contract of a follower is shut for entries."""


def pause(tries: int) -> int:
    """Return how long to wait before the next try, in nanoseconds: 1, 2, 4 and so on to 30 seconds."""
    return min(1 << tries, LONGEST_PAUSE) * SECOND


def blocked(book: Book, pair: Pair) -> str:
    """Return what stands against closing anything, in words; nothing when it may be done."""
    shut = book.gates.strictest_of(pair.follower.gates) is TradingState.HALTED
    return "the kill switch is on" if shut else ""


def closing(
    plan: OwnerPlan, book: Book, pair: Pair, qty: int, at: Nanos, *, order: OrderId = NO_ORDER
) -> list[Step]:
    """Return the steps toward `qty` fewer contracts.

    What rests on the closing side and could fill at the same moment is cancelled first; the close follows
    when that has ended. Never more than is certainly held.
    """
    if blocked(book, pair):
        return []
    resting = list(in_the_way(book, pair))
    if resting:
        steps = (advance(plan, book, copy.changed(target=None)) for copy in resting)
        return [step for step in steps if step.command is not None]
    held = within(pair.own, book.positions[pair.account, pair.symbol])
    qty = min(qty, abs(held))
    return [_close(pair, qty, Side.SELL if held > 0 else Side.BUY, order, at)] if qty else []


def in_the_way(book: Book, pair: Pair) -> Iterator[Copy]:
    """Yield resting exits that may not fill beside a close: all behind a flat leader, else the left-over."""
    leader, _ = entitled(book, pair)
    for copy in book.open_copies_of(pair.account):
        if copy.holding != pair.holding or copy.side.sign * pair.own > 0:
            continue
        record = book.orders.get((copy.leader, copy.leader_order))
        ended = record is None or is_final(record.status)
        if copy.target is not None and (ended or leader * pair.own <= 0):
            yield copy


def _close(pair: Pair, qty: int, side: Side, order: OrderId, at: Nanos) -> CopyStep:
    group = pair.group
    whose = CopyKey(group=group.group, leader=group.leader, leader_order=order, follower=pair.account)
    key = repair_id(whose, pair.symbol, pair.leads, at // SECOND)
    spec = OrderSpec(order_type=OrderType.MARKET, qty=qty)
    copy = Copy(
        key=key,
        group=group.group,
        leader=group.leader,
        leader_order=order,
        follower=pair.account,
        symbol=pair.symbol,
        side=side,
        target=spec,
        sent=spec,
        enters=0,
        leads=pair.leads,
        reverse=pair.reverse,
        in_flight=key,
    )
    command = PlaceOrder(account=pair.account, client_order_id=key, symbol=pair.symbol, side=side, spec=spec)
    return CopyStep(copy=copy, command=command)


def placed_again(
    plan: OwnerPlan, book: Book, pair: Pair, order: OrderId, key: ClientOrderId, at: Nanos
) -> Decision:
    """Return a resting exit of the leader as it stands now, placed for a follower that holds and lacks it."""
    case = case_of(plan, book, pair.group, leader_order(book, pair.group.leader, order, at))
    seen = seen_by(case, pair.follower)
    if seen is not None:  # pragma: no branch  # what is held stands on terms that know the order
        send_share(*seen, key)
    return case.decision()


def quarantined(difference: Difference) -> tuple[Difference, list[Remark]]:
    """Return a difference that was tried in vain too often, with the remark that shuts its contract once."""
    if difference.attempts < QUARANTINE_AFTER or difference.shut:
        return difference, []
    key = difference.key
    shut = replace(difference, shut=True)
    remark = Remark(
        kind=RemarkKind.QUARANTINED,
        account=key.account,
        group=key.group,
        symbol=key.symbol,
        detail=f"{difference.attempts} tries to mend it were in vain: no entries here until it is released",
        difference=shut,
    )
    return shut, [remark]
