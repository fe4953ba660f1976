"""What one follower may send for one order of its leader, and why it is less than its share where it is.

Here sizing meets the book and the guard. Whether that becomes a new order or a change of one is not
decided here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

from syncgroups.core.book import Book
from syncgroups.core.copies import Copy
from syncgroups.core.decision import Weighed
from syncgroups.core.guarded import NO_OTHERS, Refusal, guarded
from syncgroups.core.pairs import ahead_in_pair
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan
from syncgroups.core.sizing import NOTHING, Sized, balance_ratio, follower_order, split
from syncgroups.core.stated import within
from syncgroups.core.waiting import ONE, Doubt, LeaderOrder
from tradehaven.domain.calendar import in_hours
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, RefusalReason, SessionHours, SizingMode, SyncMode
from tradehaven.domain.errors import UnknownInstrument
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos, OrderId
from tradehaven.domain.transitions import is_final
from tradehaven.domain.values import Value


class Own(Value, frozen=True, kw_only=True):
    """What an exit may count on: signed contracts that are certain, and that there may be in the end.

    `owes` says that the exit is not done with what is certain.
    """

    certain: int = 0
    possible: int = 0
    doubts: tuple[Doubt, ...] = ()
    owes: bool = False

    @property
    def filled(self) -> int:
        """Return the signed contracts that there are if everything on its way fills."""
        return self.certain + sum(doubt.left for doubt in self.doubts if not doubt.closes)


UNKNOWN = Own()
OFFLINE = Refusal(reason=RefusalReason.FOLLOWER_OFFLINE, detail="no connection to its broker")
NO_BALANCE = Refusal(
    reason=RefusalReason.LEADER_BALANCE_UNKNOWN, detail="the leader's balance is unknown or not positive"
)
QUARANTINED = Refusal(
    reason=RefusalReason.QUARANTINED, detail="this contract is in quarantine here: it only exits"
)
HOLDS_NOTHING = Refusal(
    reason=RefusalReason.NOTHING_TO_REDUCE, detail="it holds nothing that this exit closes"
)
CAP_REACHED = Refusal(
    reason=RefusalReason.ROUNDS_TO_ZERO, detail="it holds as many contracts as its cap lets it"
)
IN_DOUBT = Refusal(
    reason=RefusalReason.UNRESOLVED,
    detail="what its leader holds is not certain: an order of the leader's own is without an answer",
)
PAIR_FILLED = Refusal(
    reason=RefusalReason.COPY_ENDED, detail="the other leg of the pair has filled here already"
)


def leader_order(book: Book, account: AccountId, order_id: OrderId, at: Nanos) -> LeaderOrder:
    """Return an order that the book knows, with its leader's position around it."""
    record = book.orders[account, order_id]
    sign = record.side.sign
    others = book.flying(account, record.symbol, but=order_id)
    return LeaderOrder(
        account=account,
        order_id=order_id,
        symbol=record.symbol,
        leads=record.symbol,
        side=record.side,
        spec=record.spec,
        before=book.positions[account, record.symbol] - record.filled * sign + others,
        change=record.spec.qty * sign,
        at=at,
        unsure=book.unanswered(account, record.symbol, order_id),
    )


def group_refusal(group: GroupPlan, order: LeaderOrder) -> Refusal | None:
    """Return why nobody in the group may enter on this order; exits pass every filter of this kind."""
    if not group.instruments and group.hours is SessionHours.ALL:
        return None
    try:
        traded = product_of(order.leads)
    except UnknownInstrument as error:  # neither the filter nor the hours can know of it
        return Refusal(reason=RefusalReason.UNKNOWN_INSTRUMENT, detail=error.message)
    if group.instruments and traded.symbol not in group.instruments:
        detail = f"{order.leads} is not in the filter"
        return Refusal(reason=RefusalReason.INSTRUMENT_FILTERED, detail=detail)
    if group.hours is not SessionHours.ALL:
        when = datetime.fromtimestamp(order.at / 1e9, UTC)
        if not in_hours(when, traded, group.hours):
            return Refusal(reason=RefusalReason.OUTSIDE_HOURS, detail=f"the group copies {group.hours} only")
    return None


def share(
    accounts: Mapping[AccountId, AccountPlan],
    book: Book,
    group: GroupPlan,
    follower: FollowerPlan,
    order: LeaderOrder,
    barred: Refusal | None,
    but: Copy | None = None,
    others: Mapping[ClientOrderId, Copy] = NO_OTHERS,
) -> tuple[Sized, Refusal | None, Own, Weighed | None]:
    """Return what one follower may send now, why it is less than its share, and what both rest on.

    `barred` is the group's refusal; `but` is the copy that changes, `others` are those that the same event
    has changed already and the book does not know of. Only what is certainly held is
    closed: while `Own.owes` is true the rest has to wait until the doubts end, and is no refusal yet.
    """
    if group.mode is SyncMode.CONFIRMED and order.fill is None and not is_resting_exit(order):
        return NOTHING, None, UNKNOWN, None  # its fills will be answered, each as it comes
    if accounts[follower.account].connection not in book.links:
        return NOTHING, OFFLINE, UNKNOWN, None
    ratio = ratio_of(book, group, follower, order)
    if ratio is None:
        return NOTHING, NO_BALANCE, UNKNOWN, None
    own = own_of(book, group.group, follower.account, order, but)
    sized = _least(book, follower, ratio, own.certain, order)
    if own.doubts:
        own = own.changed(owes=reduction(book, follower, ratio, own.possible, order) > sized.reduce)
    in_doubt = _in_doubt(book, follower, ratio, own.certain, order, sized)
    if sized.qty == 0:
        why = in_doubt or _why_nothing(book, follower, ratio, own.certain, order)
        return NOTHING, None if own.owes else why, own, None
    sized, against = _allowed(book, group, follower, order, sized, barred)
    if not sized.qty:
        return NOTHING, against, own, None
    # What is left of a flip asks the gates like any exit: behind a shut one nothing is closed either.
    passed, refusal, weighed = guarded(accounts, book, follower, order, sized, own.certain, but, others)
    return passed, refusal or against or in_doubt, own, weighed


def _in_doubt(
    book: Book, follower: FollowerPlan, ratio: Fraction, own: int, order: LeaderOrder, sized: Sized
) -> Refusal | None:
    """Return that a size is less than its share because the leader's position is not certain."""
    if not order.unsure or sized == _sized(book, follower, ratio, own, order):
        return None
    return IN_DOUBT


def _allowed(
    book: Book,
    group: GroupPlan,
    follower: FollowerPlan,
    order: LeaderOrder,
    sized: Sized,
    barred: Refusal | None,
) -> tuple[Sized, Refusal | None]:
    """Return what its pair, the group's filters and a quarantine leave of a size, and why that is less."""
    ahead = ahead_in_pair(book, group.group, follower.account, order) if sized.enter else 0
    if ahead >= sized.qty:
        return NOTHING, PAIR_FILLED
    against = barred or quarantine(book, group, follower, order)
    if not ahead and against is None:
        return sized, None
    enter = max(0, sized.enter - ahead)
    if against is None or not enter:
        return Sized(reduce=sized.reduce, enter=enter), None
    return Sized(reduce=sized.reduce, enter=0), replace(against, room=enter)


def is_resting_exit(order: LeaderOrder) -> bool:
    """Say whether an order rests and only closes what its leader holds."""
    _, entering = split(order.before, order.change)
    return not entering and order.spec.order_type is not OrderType.MARKET


def _least(book: Book, follower: FollowerPlan, ratio: Fraction, own: int, order: LeaderOrder) -> Sized:
    """Return a follower's size where its leader's position is certain, else the least that it may be."""
    sized = _sized(book, follower, ratio, own, order)
    if not order.unsure:
        return sized
    without = _sized(book, follower, ratio, own, order.changed(before=order.before - order.unsure))
    return Sized(reduce=min(sized.reduce, without.reduce), enter=min(sized.enter, without.enter))


def _sized(book: Book, follower: FollowerPlan, ratio: Fraction, own: int, order: LeaderOrder) -> Sized:
    base = abs(order.before) if order.fill is not None and order.before * order.change > 0 else 0
    sized = follower_order(
        plan=follower, ratio=ratio, own=own, leader=order.before, change=order.change, base=base
    )
    if follower.sizing is not SizingMode.FIXED:
        return sized
    # A fixed size is that of a whole order, however many fills it comes in; out is out all the same.
    done = [copy for copy in _answers_to(book, follower, order) if copy.fill != order.fill]
    leaves = order.before + order.change == 0
    reduce = sized.reduce if leaves or all(copy.enters == copy.sent.qty for copy in done) else 0
    entered = any(copy.enters for copy in done) or _is_entering(book, follower, order)
    return Sized(reduce=reduce, enter=0 if entered else sized.enter)


def _answers_to(book: Book, follower: FollowerPlan, order: LeaderOrder) -> list[Copy]:
    copies = book.copies_of_order(order.account, order.order_id)
    return [copy for copy in copies if copy.follower == follower.account]


def _is_entering(book: Book, follower: FollowerPlan, order: LeaderOrder) -> bool:
    """Say whether an earlier fill of the same order waits to open the follower's fixed size."""
    return any(
        waiting.enter and waiting.follower == follower.account and waiting.order.order_id == order.order_id
        for waiting in book.waiting.values()
        if waiting.order.account == order.account
    )


def reduction(book: Book, follower: FollowerPlan, ratio: Fraction, own: int, order: LeaderOrder) -> int:
    """Return how many contracts a follower that holds `own` closes on a leader's order."""
    return _least(book, follower, ratio, own, order).reduce


def entry(book: Book, follower: FollowerPlan, ratio: Fraction, own: int, order: LeaderOrder) -> int:
    """Return how many contracts a follower that holds `own` opens on a leader's order."""
    return _sized(book, follower, ratio, own, order).enter


def quarantine(book: Book, group: GroupPlan, follower: FollowerPlan, order: LeaderOrder) -> Refusal | None:
    """Return that a follower may not enter in this contract, where a person or a repair in vain said so."""
    shut = order.symbol in follower.quarantined
    if shut or (book.quarantined and (group.group, follower.account, order.symbol) in book.quarantined):
        return QUARANTINED
    return None


def _why_nothing(
    book: Book, follower: FollowerPlan, ratio: Fraction, own: int, order: LeaderOrder
) -> Refusal:
    if follower.max_contracts is not None and entry(book, follower, ratio, 0, order) > 0:
        return CAP_REACHED
    if order.before * order.change < 0 and own == 0:
        return HOLDS_NOTHING
    detail = f"its share of {order.spec.qty} rounds down to 0 contracts"
    return Refusal(reason=RefusalReason.ROUNDS_TO_ZERO, detail=detail)


def ratio_of(book: Book, group: GroupPlan, follower: FollowerPlan, order: LeaderOrder) -> Fraction | None:
    """Return the exact ratio that sizes a follower's orders, or None where a balance is unknown."""
    ratio = ratio_between(book, group, follower)
    return ratio if ratio is None or order.factor is ONE else ratio * order.factor


def ratio_between(book: Book, group: GroupPlan, follower: FollowerPlan) -> Fraction | None:
    """Return the ratio of the accounts alone, before the sizes of the two contracts come in."""
    if follower.sizing is not SizingMode.BALANCE:
        return follower.ratio
    leader = book.sizing_balances.get(group.leader)
    own = book.sizing_balances.get(follower.account)
    return balance_ratio(own, leader) if leader is not None and own is not None else None


def own_of(
    book: Book, group: GroupId, account: AccountId, order: LeaderOrder, but: Copy | None = None
) -> Own:
    """Return what a follower holds because of a group, never more than it really holds.

    Orders without a known end count on the careful side: those that trade as the exit does as if they
    filled, those that would bring more to close as if they did not.
    """
    copied = book.copied.get((group, account, order.symbol, order.leads), 0)
    actual = book.positions.get((account, order.symbol), 0)
    if but is not None:  # a changed order is sized as if it had not been there
        copied, actual = copied - but.filled * but.side.sign, actual - but.filled * but.side.sign
    doubts = _doubts(book, account, order, but)
    foreign = book.foreign_flying(account, order.symbol)
    if not doubts and not foreign:
        net = within(copied, actual) if copied else 0
        return Own(certain=net, possible=net) if net else UNKNOWN
    ours = tuple(doubt for doubt in doubts if _answers(book.copies[doubt.key], group, order))
    against = foreign if foreign * order.side.sign > 0 else 0
    return Own(
        certain=within(copied + _left(ours, closes=True), actual + _left(doubts, closes=True) + against),
        possible=within(
            copied + _left(ours, closes=False), actual + _left(doubts, closes=False) + foreign - against
        ),
        doubts=ours,
    )


def _answers(copy: Copy, group: GroupId, order: LeaderOrder) -> bool:
    return copy.group == group and copy.leads == order.leads


def _left(doubts: Iterable[Doubt], *, closes: bool) -> int:
    return sum(doubt.left for doubt in doubts if doubt.closes is closes)


def _doubts(book: Book, account: AccountId, order: LeaderOrder, but: Copy | None) -> Sequence[Doubt]:
    """Return the follower's orders in the contract that may trade at any moment, or turn out to have.

    These are market orders. An exit at the market, which cannot be taken back, also weighs orders whose
    cancel is on its way, for they fill in the meantime as they like (F39), and entries that still rest
    although their leader's order has ended.
    """
    at_market = order.spec.order_type is OrderType.MARKET
    keys = (book.open_copies if at_market else book.market_copies).get(account)
    if not keys:
        return ()
    found = []
    for key in keys:
        copy = book.copies[key]
        if copy.symbol != order.symbol or not copy.outstanding or (but is not None and copy.key == but.key):
            continue
        closes = copy.side is order.side
        stale = copy.target is None or (not closes and _leader_has_ended(book, copy))
        if stale or copy.sent.order_type is OrderType.MARKET:
            left = copy.outstanding * copy.side.sign
            found.append(Doubt(key=copy.key, left=left, filled=copy.filled, closes=closes))
    return found


def _leader_has_ended(book: Book, copy: Copy) -> bool:
    record = book.orders.get((copy.leader, copy.leader_order))
    return record is None or is_final(record.status)
