"""A leader's order for a follower that was not there: placed later, and only because a person asked.

While the order works it is placed as it would have been. Once it has filled, the follower catches up to
what the leader holds now, at the leader's own price or a few ticks worse, or not at all.
"""

from dataclasses import replace

from syncgroups.core.book import Book
from syncgroups.core.copies import Copy
from syncgroups.core.decision import Action, CopyStep, Decision, HoldingKey
from syncgroups.core.expected import Pair, entitled, is_moving, is_seen, pair_of
from syncgroups.core.keys import parse_key, rest_id
from syncgroups.core.place import Case, case_of, place_share
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.share import OFFLINE, Refusal, guarded, leader_order, ratio_of
from syncgroups.core.sizing import Sized, follower_order
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.commands import PlaceOrder
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
    pair = pair_of(plan.led.get(named.leader), (named.group, named.follower, record.symbol), book)
    if pair is None or pair.group.group != named.group:
        return Decision()
    known = book.copies.get(key)
    if known is not None and (known.is_open or known.order_id is not None or known.filled):
        return Decision()
    name = rest_id(key, 1) if known is not None else key
    if name in book.copies:
        return Decision()
    case = case_of(plan, book, pair.group, leader_order(book, named.leader, named.leader_order, at))
    if not is_seen(plan, book, pair.account):
        case.refuse(key, pair.follower, Action.PLACE, OFFLINE)
    elif not is_seen(plan, book, named.leader):
        case.refuse(key, pair.follower, Action.PLACE, UNSEEN_LEADER)
    elif is_moving(book, pair.account, pair.symbol):
        case.refuse(key, pair.follower, Action.PLACE, IN_FLIGHT)
    elif is_final(record.status):
        _after_the_fact(case, pair, name, record.filled, record.price)
    else:
        place_share(case, pair.follower, name)
    return case.decision()


def _after_the_fact(case: Case, pair: Pair, name: ClientOrderId, filled: int, price: Ticks | None) -> None:
    """Enter what the leader still holds of a filled order, within the tolerance, or say why not."""
    order = replace(case.order, change=filled * case.order.side.sign)
    qty = _missing(case, pair, order)
    if not qty or price is None:
        case.refuse(name, pair.follower, Action.PLACE, OVER)
        return
    if case.barred is not None:
        case.refuse(name, pair.follower, Action.PLACE, case.barred)
        return
    sized, refusal = guarded(case.book, pair.follower, order, Sized(reduce=0, enter=qty))
    if refusal is not None:
        case.refuse(name, pair.follower, Action.PLACE, refusal)
    if sized.qty:
        worst = Ticks(price + pair.group.drift_ticks * order.side.sign)
        case.steps.append(_entry(pair, order, name, sized.qty, worst))


def _missing(case: Case, pair: Pair, order: LeaderOrder) -> int:
    """Return the contracts that this order entered, that the leader holds still and the follower lacks."""
    leader, bound = entitled(case.book, pair)
    ratio = ratio_of(case.book, case.group, pair.follower)
    if ratio is None or leader * order.side.sign <= 0 or pair.own * leader < 0:
        return 0
    sized = follower_order(
        plan=pair.follower, ratio=ratio, own=pair.own, leader=order.before, change=order.change
    )
    if bound is None:
        return sized.enter if not pair.own else 0
    return min(sized.enter, max(0, abs(bound) - abs(pair.own)))


def _entry(pair: Pair, order: LeaderOrder, name: ClientOrderId, qty: int, worst: Ticks) -> CopyStep:
    spec = OrderSpec(order_type=OrderType.LIMIT, qty=qty, limit=worst, tif=TimeInForce.IOC)
    copy = Copy(
        key=name,
        group=pair.group.group,
        leader=order.account,
        leader_order=order.order_id,
        follower=pair.account,
        symbol=pair.symbol,
        side=order.side,
        target=spec,
        sent=spec,
        enters=qty,
        in_flight=name,
    )
    command = PlaceOrder(
        account=pair.account, client_order_id=name, symbol=pair.symbol, side=order.side, spec=spec
    )
    return CopyStep(copy=copy, command=command)
