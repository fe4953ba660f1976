"""What a follower should hold because of its group, and whether that can be said at this moment.

The expectation is Immediate mode's own: a follower should hold what it was told and what filled, never
more than sizing makes of the leader's present position. Who joined late or was refused is not in drift.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from syncgroups.core.book import Book
from syncgroups.core.copies import MAX_REFUSALS, Copy, CopyState, HoldingKey
from syncgroups.core.differences import NO_ORDER, DriftKey, DriftKind
from syncgroups.core.plan import FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.core.share import ratio_between
from syncgroups.core.sizing import scaled
from syncgroups.core.stated import within
from tradehaven.domain.contracts import known_product, product_of
from tradehaven.domain.enums import SizingMode
from tradehaven.domain.ids import AccountId, OrderId, Symbol
from tradehaven.domain.instruments import size_factor


@dataclass(frozen=True, slots=True)
class Pair:
    """One follower of one running group, in one contract. `own` is what it holds because of the group.

    `leads` is the leader's contract, `reverse` says that the follower stands against it; `follower` has the
    settings of that product.
    """

    group: GroupPlan
    follower: FollowerPlan
    symbol: Symbol
    leads: Symbol
    reverse: bool
    own: int

    @property
    def account(self) -> AccountId:
        """Return the follower's account."""
        return self.follower.account

    @property
    def holding(self) -> HoldingKey:
        """Return what the book knows the holding by."""
        return self.group.group, self.follower.account, self.symbol, self.leads

    def key(self, kind: DriftKind, order: OrderId = NO_ORDER) -> DriftKey:
        """Return the name of a difference of this kind."""
        return DriftKey(kind, *self.holding, order)


def entitled(book: Book, pair: Pair) -> tuple[int, int | None]:
    """Return the leader's position as it concerns this follower, and the most that sizing makes of it.

    Signed contracts of the follower's own contract. None: its size says nothing about how often it was
    entered, so only a flat leader bounds it. The one place that says what a position means for a follower.
    """
    held = book.positions.get((pair.group.leader, pair.leads), 0)
    leader = -held if pair.reverse else held
    return leader, should_hold(book, pair, leader)


def should_hold(book: Book, pair: Pair, leader: int) -> int | None:
    """Return the most that a follower should hold when its leader holds `leader`; None: that says nothing."""
    if not leader:
        return 0
    ratio = ratio_between(book, pair.group, pair.follower)
    if ratio is None or pair.follower.sizing is SizingMode.FIXED:
        return None
    return scaled(leader, ratio * factor_of(pair))


def factor_of(pair: Pair) -> Fraction:
    """Return how many of the follower's contracts are one of the leader's."""
    if pair.leads == pair.symbol:
        return Fraction(1)
    return Fraction(size_factor(product_of(pair.leads), product_of(pair.symbol)))


def excess(book: Book, pair: Pair) -> int:
    """Return how many contracts a follower certainly holds too many because of its group."""
    leader, bound = entitled(book, pair)
    held = abs(held_for_certain(book, pair))
    ahead = ahead_of_leader(book, pair)
    if leader * pair.own <= 0:
        return max(0, held - ahead)
    return max(0, held - abs(bound) - ahead) if bound is not None else 0


def held_for_certain(book: Book, pair: Pair) -> int:
    """Return the signed contracts of a holding that are really there."""
    return within(pair.own, book.positions.get((pair.account, pair.symbol), 0))


def ahead_of_leader(book: Book, pair: Pair) -> int:
    """Return contracts that came from orders which still rest at the leader: the follower filled first.

    What the leader has filled of such an order is a position like any other, and so is an answer to a fill.
    """
    return sum(_ahead(book, pair, order_id) for order_id in book.working.get(pair.group.leader, ()))


def _ahead(book: Book, pair: Pair, order_id: OrderId) -> int:
    copies = [
        copy
        for copy in book.copies_of_order(pair.group.leader, order_id)
        if copy.holding == pair.holding and copy.fill is None and copy.side.sign * pair.own > 0
    ]
    filled = sum(copy.filled for copy in copies)
    ratio = ratio_between(book, pair.group, pair.follower) if filled else None
    if ratio is None or pair.follower.sizing is SizingMode.FIXED:
        return filled
    record = book.orders[pair.group.leader, order_id]
    left = abs(record.unfilled)
    # In the size in which it was sent, or in today's, whichever is more: settings may have changed since.
    sent = max(Fraction(copy.sent.qty, copy.share_of or record.spec.qty) for copy in copies)
    return min(filled, ceil(left * max(sent, ratio * factor_of(pair))))


# -- what is sure ------------------------------------------------------------------------------------


def is_seen(plan: OwnerPlan, book: Book, account: AccountId) -> bool:
    """Say whether an account's login is up."""
    known = plan.accounts.get(account)
    return known is not None and known.connection in book.links


def is_contradicted(book: Book, account: AccountId, symbol: Symbol) -> bool:
    """Say whether fills and the broker's word on a position differ: fills may have been lost.

    The lists settle that within seconds (F11).
    """
    net = book.positions.get((account, symbol), 0)
    return book.reported.get((account, symbol), net) != net


def is_moving(book: Book, account: AccountId, symbol: Symbol) -> bool:
    """Say whether a contract of an account is in flight or in doubt, so that nothing can be concluded."""
    if account in book.flattening or (account, symbol) in book.assumed:
        return True
    if is_contradicted(book, account, symbol):
        return True
    chased = (book.copies[key] for key in book.chasing)
    if any(copy.follower == account and copy.symbol == symbol for copy in chased):
        return True
    if any(book.orders[account, order].symbol == symbol for order in book.market_orders.get(account, ())):
        return True
    return any(copy.symbol == symbol and _moves(copy) for copy in book.open_copies_of(account))


def _moves(copy: Copy) -> bool:
    if copy.state is not CopyState.LIVE or copy.in_flight is not None or copy.held_until:
        return True
    return copy.target is None and copy.refusals < MAX_REFUSALS


def is_sure(plan: OwnerPlan, book: Book, pair: Pair) -> bool:
    """Say whether what leader and follower hold is certain now; what only a list left out is not."""
    waits = any(waiting.follower == pair.account for waiting in book.waiting.values())
    sides = ((pair.group.leader, pair.leads), (pair.account, pair.symbol))
    still = all(is_seen(plan, book, who) and not is_moving(book, who, symbol) for who, symbol in sides)
    return still and not waits


def pairs(plan: OwnerPlan, book: Book) -> Iterator[Pair]:
    """Yield every follower of a running group with each contract that it copied or should have."""
    touched = {holding for holding, net in book.copied.items() if net}
    touched |= set(book.taken) | set(book.missed.values())
    for holding in touched:
        found = pair_of(plan.numbered.get(holding[0]), holding, book)
        if found is not None:
            yield found


def pair_of(group: GroupPlan | None, holding: HoldingKey, book: Book) -> Pair | None:
    """Return a holding with its settings, or None when its group or follower is no more."""
    if group is None or not group.active or group.group != holding[0]:
        return None
    _, account, symbol, leads = holding
    found = next((follower for follower in group.followers if follower.account == account), None)
    if found is None:
        return None
    traded = known_product(leads) if found.products else None
    mine = found.for_product(traded.symbol) if traded is not None else found
    own = book.copied.get(holding, 0)
    # What is held keeps the side it was opened on; what is not yet held has that of the settings.
    reverse = holding in book.reversed if own else mine.reverse
    return Pair(group, mine, symbol, leads, reverse, own)
