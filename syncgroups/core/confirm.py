"""Confirmed mode (COPY-06): the leader's fills are answered one by one, each as soon as it is known.

What a follower holds is protected at once, too: the leader's resting exits are mirrored as working orders,
in `place`. A fill of such an exit needs no answer while the follower's own one still works.
"""

from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.case import Case, case_of, seen_by
from syncgroups.core.decision import NOTHING, Decision
from syncgroups.core.keys import client_order_id
from syncgroups.core.place import place_share
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.sizing import split
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.enums import OrderType, SyncMode
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId
from tradehaven.domain.orders import OrderSpec


def filled(plan: OwnerPlan, book: Book, event: OrderFilled) -> Decision:
    """Return the followers' orders for a fill of their leader that has just happened."""
    group = confirmed_group(plan, event.account)
    if group is None:
        return NOTHING
    before = book.positions[event.account, event.symbol] - event.qty * event.side.sign
    case = case_of(plan, book, group, fill_order(event, before))
    for follower in group.followers:
        if not book.is_decided(case.key_of(follower)):
            _answer(case, follower)
    return case.decision()


def confirmed_group(plan: OwnerPlan, leader: AccountId) -> GroupPlan | None:
    """Return the running group in Confirmed mode that an account leads, if it leads one."""
    group = plan.led.get(leader)
    return group if group is not None and group.active and group.mode is SyncMode.CONFIRMED else None


def fill_order(event: OrderFilled, before: int) -> LeaderOrder:
    """Return a fill as the order that it was: so many contracts, at the market, from that position."""
    return LeaderOrder(
        account=event.account,
        order_id=event.order_id,
        symbol=event.symbol,
        leads=event.symbol,
        side=event.side,
        spec=OrderSpec(order_type=OrderType.MARKET, qty=event.qty),
        before=before,
        change=event.qty * event.side.sign,
        at=event.at,
        fill=event.fill_id,
        price=event.price,
    )


def covers(book: Book, group: GroupPlan, order: LeaderOrder, follower: AccountId) -> bool:
    """Say whether a follower's mirrored exit is still at work for an order of the leader."""
    copy = book.copies.get(client_order_id(group.group, order.account, order.order_id, follower))
    return copy is not None and copy.is_open and copy.target is not None


def _answer(case: Case, follower: FollowerPlan) -> None:
    order = case.order
    if covers(case.book, case.group, order, follower.account):
        reducing, entering = split(order.before, order.change)
        if not entering:
            return
        passed = reducing * order.side.sign
        order = order.changed(before=order.before + passed, change=order.change - passed)
    seen = seen_by(replace(case, order=order), follower)
    if seen is not None:
        place_share(*seen, case.key_of(follower))
