"""One-cancels-other (COPY-02): what the other leg of a pair has done at a follower already.

The relation is kept here, not by a pair at the follower's broker: whether the second leg of such a pair
carries our id, what a partial fill does to it, and whether a cancel takes both is written nowhere (protocol
11.2, 11.5, 12.7), and an order that cannot be found by its id may be placed twice. Exits need no such care,
for together they never close more than is held.
"""

from fractions import Fraction

from syncgroups.core.book import Book
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.ids import AccountId, GroupId


def ahead_in_pair(book: Book, group: GroupId, follower: AccountId, order: LeaderOrder) -> int:
    """Return how many contracts more of the other leg a follower has filled than its share of the leader's.

    What the leader's own other leg has filled is not counted: its broker takes that off this leg, or leaves
    it, and the follower's order does the same.
    """
    record = book.orders.get((order.account, order.order_id))
    oco = record.oco if record is not None else None
    if oco is None:
        return 0
    copies = [
        copy
        for copy in book.copies_of_order(order.account, oco)
        if copy.follower == follower and copy.group == group
    ]
    other = book.orders.get((order.account, oco))
    done = Fraction(other.filled, other.spec.qty) if other is not None else Fraction(0)
    due = int(max((copy.sent.qty for copy in copies), default=0) * done)
    return max(0, sum(copy.filled for copy in copies) - due)
