"""What a follower's order comes behind: exits that wait already, and exits whose fills will free its cap.

An entry that finds its follower's cap full only because the exit before it is still on its way waits for
that exit. Who waits, and for how long, is kept in `waiting` and looked at again in `resume`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from syncgroups.core.case import Case
from syncgroups.core.plan import FollowerPlan
from syncgroups.core.share import Own, entry, quarantine, ratio_of
from syncgroups.core.waiting import Doubt, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Contracts that an order may open beside what it opens now, once the orders in doubt have ended."""

    enter: int = 0
    doubts: tuple[Doubt, ...] = ()


NO_MORE = Later()


def waiting_of(case: Case, follower: FollowerPlan) -> Iterator[Waiting]:
    """Yield what a follower waits for in this contract already, on either side."""
    for waiting in case.book.waiting.values():
        ours = waiting.follower == follower.account and waiting.group == case.group.group
        same = waiting.order.symbol == case.order.symbol and waiting.order.leads == case.order.leads
        if ours and same:
            yield waiting


def ahead(case: Case, follower: FollowerPlan) -> Iterator[Waiting]:
    """Yield what a follower's orders in this contract and on this side wait for already."""
    for waiting in waiting_of(case, follower):
        if waiting.order.side is case.order.side:
            yield waiting


def room_to_come(case: Case, follower: FollowerPlan, enter: int, own: Own) -> Later:
    """Return what an order may open beside `enter` contracts once exits on their way have filled.

    That is nothing where no cap holds it up, and for what may not open anything at all.
    """
    ratio = ratio_of(case.book, case.group, follower, case.order)
    if follower.max_contracts is None or ratio is None:
        return NO_MORE
    if case.barred is not None or quarantine(case.book, case.group, follower, case.order) is not None:
        return NO_MORE
    # How much exits that wait close shows when their own doubts have ended.
    left = 0 if any(_exits(case, follower)) else own.filled
    later = entry(case.book, follower, ratio, left, case.order) - enter
    return Later(enter=later, doubts=freeing(case, follower, own)) if later > 0 else NO_MORE


def freeing(case: Case, follower: FollowerPlan, own: Own) -> tuple[Doubt, ...]:
    """Return the orders in doubt that have to end before it is known what a follower's exits have closed."""
    found = {doubt.key: doubt for doubt in own.doubts if not doubt.closes}
    for waiting in _exits(case, follower):
        found |= {doubt.key: doubt for doubt in waiting.doubts}
    return tuple(found.values())


def _exits(case: Case, follower: FollowerPlan) -> Iterator[Waiting]:
    for waiting in waiting_of(case, follower):
        if waiting.order.side is not case.order.side:
            yield waiting
