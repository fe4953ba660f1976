"""What the rules of accounts make of an event: who is locked, who has to be flat, what must be protected.

Standings are worked out here from money that is known already; a broken rule shuts the account for entries
and, where it says so, closes it out. Nothing of one account ever depends on another, but for sums that a
person has put a limit on (RISK-11).
"""

from syncgroups.core import protect
from syncgroups.core.book import Book
from syncgroups.core.decision import NOTHING, Decision
from syncgroups.core.plan import OwnerPlan
from tradehaven.domain.commands import Confirmed, Denied, Rejected, Unresolved
from tradehaven.domain.events import (
    Event,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrdersListed,
    OrderWorking,
    SnapshotTaken,
    TimePassed,
)


def after(plan: OwnerPlan, book: Book, event: Event) -> Decision:
    """Return what an event means for the accounts that have rules."""
    match event:
        case TimePassed() | SnapshotTaken() | OrdersListed():
            return protect.all_looked_at(plan, book, event.at)
        case OrderFilled() | OrderWorking() | OrderChanged() | OrderEnded():
            return protect.looked_at(plan, book, event.account, event.at)
        case Confirmed() | Rejected() | Denied() | Unresolved():
            return protect.looked_at(plan, book, event.account, event.at)
        case _:
            return NOTHING
