"""When each login's lists are asked for: soon where something is in doubt, now and then everywhere.

A socket that lost a frame tells nobody, so every login that copies is looked at in turn (fault F11). What a
look finds is the gateway's business, what it costs the governor's.
"""

from collections.abc import Iterable

from syncgroups.core.book import Book
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.drift import to_look_at
from syncgroups.core.flatness import to_ask
from syncgroups.core.plan import OwnerPlan
from tradehaven.domain.ids import AccountId, ConnectionId

IN_DOUBT = 5.0
IN_TURN = 30.0
"""Seconds between two looks. Five lists every half minute are 600 of a login's 5,000 calls an hour."""


class Looks:
    """Remembers when each login was asked. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._asked: dict[ConnectionId, float] = {}

    def due(self, owners: Iterable[tuple[OwnerPlan, Book]], now: float) -> list[ConnectionId]:
        """Return the logins to be asked now; they count as asked."""
        found: list[ConnectionId] = []
        for plan, book in owners:
            doubtful = _logins(plan, _in_doubt(book))
            for connection in sorted(doubtful | _logins(plan, _in_play(plan, book))):
                # Logins that came together are not asked together for ever.
                asked = self._asked.setdefault(connection, now - connection % IN_TURN)
                if now - asked >= (IN_DOUBT if connection in doubtful else IN_TURN):
                    self._asked[connection] = now
                    found.append(connection)
        return found


def _logins(plan: OwnerPlan, accounts: Iterable[AccountId]) -> set[ConnectionId]:
    return {plan.accounts[account].connection for account in accounts if account in plan.accounts}


def _in_doubt(book: Book) -> set[AccountId]:
    """Return accounts with an order that was never answered or never shown, or a position in doubt.

    And those that were closed out and are flat by our own word alone.
    """
    unanswered = {
        account
        for account, keys in book.open_copies.items()
        if any(_is_in_doubt(book.copies[key]) for key in keys)
    }
    unheard = {guard.account for guard in book.risk.guards.values() if guard.order_id is None}
    return unanswered | unheard | to_look_at(book) | set(to_ask(book))


def _is_in_doubt(copy: Copy) -> bool:
    # What was answered with a number and is not shown cannot be changed or cancelled: its news was lost.
    unshown = copy.state is CopyState.SENDING and copy.order_id is not None
    return unshown or copy.state is CopyState.UNRESOLVED


def _in_play(plan: OwnerPlan, book: Book) -> set[AccountId]:
    """Return accounts that copy or have rules, and those that hold or work something without either.

    Who trades by hand under rules is closed in time and locked by what a lost frame has said, too.
    """
    running = [group for group in plan.groups if group.active]
    copying = {group.leader for group in running} | {f.account for group in running for f in group.followers}
    working = {account for account, keys in book.open_copies.items() if keys}
    held = {account for (account, _), net in book.positions.items() if net}
    return copying | working | held | plan.watched.keys()
