"""A leader's order for a follower that was not there: placed later, and only because a person asked.

While the order works it is placed as it would have been. Once it has filled, the follower catches up to
what the leader holds now, at the leader's own price or a few ticks worse, or not at all.
"""

from syncgroups.core.book import Book
from syncgroups.core.case import Case, case_of, seen_by
from syncgroups.core.copies import HoldingKey
from syncgroups.core.decision import Action, Decision
from syncgroups.core.expected import Pair, entitled, is_moving, is_seen
from syncgroups.core.guarded import Refusal, guarded
from syncgroups.core.keys import parse_key, rest_id
from syncgroups.core.place import place_share, settings_of
from syncgroups.core.plan import FollowerPlan, OwnerPlan
from syncgroups.core.share import OFFLINE, leader_order, quarantine, ratio_of
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
    named, name = parse_key(key), _name(book, key)
    if named is None or name is None:
        return Decision()
    settings = settings_of(plan, named.leader, named.group, named.follower)
    record = book.orders.get((named.leader, named.leader_order))
    if settings is None or record is None:
        return Decision()
    group, follower = settings
    order = leader_order(book, named.leader, named.leader_order, at).changed(price=record.price)
    answer = case_of(plan, book, group, order)
    seen = seen_by(answer, follower)
    if seen is None:
        return answer.decision()
    case, mine = seen
    against = _against(case, mine)
    if against is not None:
        case.refuse(key, mine, Action.PLACE, against)
    elif is_final(record.status) or named.fill is not None:
        _after_the_fact(case, mine, name, record.filled)
    else:
        place_share(case, mine, name)
    return case.decision()


def _name(book: Book, key: ClientOrderId) -> ClientOrderId | None:
    """Return the name that a replay goes under; None where that order is out already, or its replay."""
    known = book.copies.get(key)
    if known is None:
        return key
    again = rest_id(key, 1)
    return None if known.is_open or known.order_id is not None or again in book.copies else again


def _against(case: Case, follower: FollowerPlan) -> Refusal | None:
    """Return why nothing can be replayed at this moment."""
    plan, book, order = case.plan, case.book, case.order
    if not is_seen(plan, book, follower.account):
        return OFFLINE
    if not is_seen(plan, book, order.account):
        return UNSEEN_LEADER
    return IN_FLIGHT if is_moving(book, follower.account, order.symbol) else None


def _pair(case: Case, follower: FollowerPlan) -> Pair:
    group, order = case.group, case.order
    own = case.book.copied.get((group.group, follower.account, order.symbol, order.leads), 0)
    return Pair(group, follower, order.symbol, order.leads, order.reverse, own)


def _after_the_fact(case: Case, follower: FollowerPlan, name: ClientOrderId, filled: int) -> None:
    """Enter what the leader still holds of a filled order, within the tolerance, or say why not."""
    pair = _pair(case, follower)
    order = case.order.changed(change=filled * case.order.side.sign)
    qty, price = _missing(case, pair, order), order.price
    against = case.barred or quarantine(case.book, case.group, follower, order) if qty else OVER
    if against is not None or price is None:  # without a price nothing has filled
        case.refuse(name, follower, Action.PLACE, against or OVER)
        return
    sized, refusal, weighed = guarded(
        case.plan.accounts, case.book, follower, order, Sized(reduce=0, enter=qty), pair.own
    )
    if refusal is not None:
        case.refuse(name, follower, Action.PLACE, refusal, weighed)
    if sized.qty:
        worst = Ticks(price + pair.group.drift_ticks * order.side.sign)
        spec = OrderSpec(order_type=OrderType.LIMIT, qty=sized.qty, limit=worst, tif=TimeInForce.IOC)
        case.send_as(name, follower, sized, spec, weighed)


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
