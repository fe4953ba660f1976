"""A manual copy (COPY-11): an order that its leader never placed becomes orders of chosen followers.

It only opens. Each follower gets its share of an entry from flat, through mapping, filters, caps, limits and
gates as for any entry, and is left out where its account holds the other side, which it would close unseen.
What it brings is kept in a ledger of its own, as that of a group with one order: the leader's exits, which
close what the group holds, do not count on it, and drift, which compares the group with its leader, does not
miss the leader behind it. What ends it is its own stop loss and take profit (`brackets`), or a hand.
"""

from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.case import Case, case_of, seen_by
from syncgroups.core.decision import NOTHING, Action, CopyRefused, CopyStep, Decision, joined
from syncgroups.core.guarded import Refusal
from syncgroups.core.keys import manual_group, manual_id, manual_order
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.share import CAP_REACHED, share
from syncgroups.core.sizing import Sized
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.enums import RefusalReason, SyncMode
from tradehaven.domain.events import OrderAsked
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId
from tradehaven.domain.orders import MAX_ORDER_QTY

LEFT = Refusal(reason=RefusalReason.SETTINGS_CHANGED, detail="it does not follow this leader any more")


def ordered(plan: OwnerPlan, book: Book, event: OrderAsked) -> Decision:
    """Return the chosen followers' orders, or why not; asked again, it returns nothing for those answered."""
    return joined(*(_answer(plan, book, event, account) for account in event.followers))


def _answer(plan: OwnerPlan, book: Book, event: OrderAsked, account: AccountId) -> Decision:
    key = manual_id(event.number, event.leader, account, event.stop_loss, event.take_profit)
    if book.is_decided(key):
        return NOTHING
    group = plan.led.get(event.leader)
    mine = next((one for one in group.followers if one.account == account), None) if group else None
    if group is None or mine is None:
        return Decision(refusals=(_left(event, key, account),))
    # Its group's mode is about how a leader is watched; here is nothing to watch, and no fill to wait for.
    case = case_of(plan, book, replace(group, mode=SyncMode.IMMEDIATE), _order(event))
    seen = seen_by(case, mine)
    if seen is not None:
        _place(*seen, key)
    return _named(case.decision(), key, event)


def _left(event: OrderAsked, key: ClientOrderId, account: AccountId) -> CopyRefused:
    return CopyRefused(
        key=key,
        group=GroupId(0),
        leader=event.leader,
        leader_order=manual_order(event.number),
        follower=account,
        symbol=event.symbol,
        action=Action.PLACE,
        reason=LEFT.reason,
        detail=LEFT.detail,
    )


def _order(event: OrderAsked) -> LeaderOrder:
    return LeaderOrder(
        account=event.leader,
        order_id=manual_order(event.number),
        symbol=event.symbol,
        leads=event.symbol,
        side=event.side,
        spec=event.spec,
        before=0,
        change=event.spec.qty * event.side.sign,
        at=event.at,
    )


def _place(case: Case, follower: FollowerPlan, key: ClientOrderId) -> None:
    accounts = case.plan.accounts
    sized, refusal, _, weighed = share(accounts, case.book, case.group, follower, case.order, case.barred)
    enter = min(sized.enter, _room(case, follower))
    if refusal is None:
        refusal = _other_side(case, follower.account) or (None if enter else CAP_REACHED)
    if refusal is not None:
        case.refuse(key, follower, Action.PLACE, refusal, weighed)
    else:
        case.send_as(key, follower, Sized(reduce=0, enter=enter), case.spec_of(enter), weighed)


def _other_side(case: Case, account: AccountId) -> Refusal | None:
    """Return why an account is left out that holds the other side, or is about to."""
    book, order = case.book, case.order
    held = book.positions.get((account, order.symbol), 0)
    for net in (held, held + book.flying(account, order.symbol)):
        if net * order.side.sign < 0:
            detail = f"its account stands at {net:+d} on the other side: this order would close that instead"
            return Refusal(reason=RefusalReason.OTHER_SIDE, detail=detail)
    return None


def _room(case: Case, follower: FollowerPlan) -> int:
    """Return how many contracts a follower's cap leaves, with what group and manual copies brought."""
    if follower.max_contracts is None:
        return MAX_ORDER_QTY
    sign, ours = case.order.side.sign, 0
    for (group, account, symbol, _), net in case.book.copied.items():
        same = account == follower.account and symbol == case.order.symbol
        ours += net * sign if same and _counts(case.group, group) else 0
    for copy in case.book.open_copies_of(follower.account):
        entering = copy.is_manual and copy.enters and copy.side is case.order.side
        ours += copy.outstanding if entering and copy.symbol == case.order.symbol else 0
    return max(0, follower.max_contracts - max(0, ours))


def _counts(mine: GroupPlan, group: GroupId) -> bool:
    return group == mine.group or group < 0


def _named(decision: Decision, key: ClientOrderId, event: OrderAsked) -> Decision:
    """Return an answer under the name and in the ledger of the manual copy."""
    return decision.changed(
        steps=tuple(_own(step, event) for step in decision.steps if isinstance(step, CopyStep)),
        refusals=tuple(replace(refusal, key=key) for refusal in decision.refusals),
    )


def _own(step: CopyStep, event: OrderAsked) -> CopyStep:
    ours = step.copy
    return step.changed(copy=ours.changed(group=manual_group(event.number), leads=ours.symbol, reverse=False))
