"""A leader's order for a follower that was not there: placed later, and only because a person asked.

While the order works it is placed as it would have been. Once it has filled, the follower catches up to
what the leader holds now, at the leader's own price or a few ticks worse, or not at all.
"""

from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.case import Case, case_of, seen_by
from syncgroups.core.copies import HoldingKey
from syncgroups.core.decision import Action, Decision
from syncgroups.core.expected import Pair, entitled, is_moving, is_seen
from syncgroups.core.guarded import Refusal, guarded
from syncgroups.core.keys import CopyKey, parse_key, rest_id
from syncgroups.core.place import place_share
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.share import OFFLINE, leader_order, ratio_of
from syncgroups.core.sizing import Sized, follower_order
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.enums import OrderType, RefusalReason, TimeInForce
from tradehaven.domain.ids import ClientOrderId, Nanos
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.transitions import is_final

OVER = Refusal(
    reason=RefusalReason.STALE,
    detail="the leader has left what this order entered: there is nothing to replay",
)
UNSEEN_LEADER = Refusal(
    reason=RefusalReason.UNRESOLVED, detail="the leader's login is down: what it holds is not known"
)
IN_FLIGHT = Refusal(
    reason=RefusalReason.UNRESOLVED, detail="something of this contract is in flight: try again in a moment"
)


def missed_key(book: Book, holding: HoldingKey) -> ClientOrderId | None:
    """Return the newest order that a follower missed in a contract."""
    found = [(_order(key), key) for key, missed in book.missed.items() if missed == holding]
    return max(found)[1] if found else None


def _order(key: ClientOrderId) -> int:
    named = parse_key(key)
    return named.leader_order if named is not None else 0


def caught_up(plan: OwnerPlan, book: Book, key: ClientOrderId, at: Nanos) -> Decision:
    """Return the order that a follower missed, or the reason why it is not placed now either.

    A copy that was decided but never sent keeps its name on record; its replay has that name with a number.
    The same click, or another one, finds that name taken and does nothing.
    """
    named = parse_key(key)
    record = book.orders.get((named.leader, named.leader_order)) if named is not None else None
    if named is None or record is None:
        return Decision()
    group = plan.led.get(named.leader)
    follower = _follower(group, named)
    if group is None or follower is None:
        return Decision()
    known = book.copies.get(key)
    if known is not None and (known.is_open or known.order_id is not None or known.filled):
        return Decision()
    name = rest_id(key, 1) if known is not None else key
    if name in book.copies:
        return Decision()
    order = replace(leader_order(book, named.leader, named.leader_order, at), price=record.price)
    answer = case_of(plan, book, group, order)
    seen = seen_by(answer, follower)
    if seen is None:
        return answer.decision()
    case, mine = seen
    holding = (named.group, named.follower, case.order.symbol, case.order.leads)
    pair = Pair(group, mine, *holding[2:], case.order.reverse, book.copied.get(holding, 0))
    if not is_seen(plan, book, pair.account):
        case.refuse(key, mine, Action.PLACE, OFFLINE)
    elif not is_seen(plan, book, named.leader):
        case.refuse(key, mine, Action.PLACE, UNSEEN_LEADER)
    elif is_moving(book, pair.account, pair.symbol):
        case.refuse(key, mine, Action.PLACE, IN_FLIGHT)
    elif is_final(record.status) or named.fill is not None:
        _after_the_fact(case, pair, name, record.filled)
    else:
        place_share(case, mine, name)
    return case.decision()


def _follower(group: GroupPlan | None, named: CopyKey) -> FollowerPlan | None:
    if group is None or group.group != named.group or not group.active:
        return None
    return next((found for found in group.followers if found.account == named.follower), None)


def _after_the_fact(case: Case, pair: Pair, name: ClientOrderId, filled: int) -> None:
    """Enter what the leader still holds of a filled order, within the tolerance, or say why not."""
    order = replace(case.order, change=filled * case.order.side.sign)
    qty, price = _missing(case, pair, order), order.price
    if not qty or price is None:
        case.refuse(name, pair.follower, Action.PLACE, OVER)
        return
    if case.barred is not None:
        case.refuse(name, pair.follower, Action.PLACE, case.barred)
        return
    sized, refusal, weighed = guarded(
        case.plan.accounts, case.book, pair.follower, order, Sized(reduce=0, enter=qty), pair.own
    )
    if refusal is not None:
        case.refuse(name, pair.follower, Action.PLACE, refusal, weighed)
    if sized.qty:
        worst = Ticks(price + pair.group.drift_ticks * order.side.sign)
        spec = OrderSpec(order_type=OrderType.LIMIT, qty=sized.qty, limit=worst, tif=TimeInForce.IOC)
        case.send_as(name, pair.follower, sized, spec, weighed)


def _missing(case: Case, pair: Pair, order: LeaderOrder) -> int:
    """Return the contracts that this order entered, that the leader holds still and the follower lacks."""
    leader, bound = entitled(case.book, pair)
    ratio = ratio_of(case.book, case.group, pair.follower, order)
    if ratio is None or leader * order.side.sign <= 0 or pair.own * leader < 0:
        return 0
    sized = follower_order(
        plan=pair.follower, ratio=ratio, own=pair.own, leader=order.before, change=order.change
    )
    if bound is None:
        return sized.enter if not pair.own else 0
    return min(sized.enter, max(0, abs(bound) - abs(pair.own)))
