"""When an account that is made flat counts as flat, and how long what makes it so is given.

That nothing is known to be held is not enough where entries are barred: a line may be dead for seconds before
anybody notices, and frames get lost. There the broker must have said so in a list or a snapshot that came
after the closing began, for what it says later of an account that counts as flat is left alone (F39, I12).
"""

from collections.abc import Iterator

from risk.core.lockouts import running
from syncgroups.core.book import Book
from syncgroups.core.plan import OwnerPlan
from tradehaven.domain.enums import TradingState
from tradehaven.domain.ids import AccountId, Nanos

SECOND = 1_000_000_000
AGAIN = 3 * SECOND
"""How long a cancel or a close is given before it is told once more."""


def is_flat(plan: OwnerPlan, book: Book, account: AccountId, at: Nanos) -> bool:
    """Say whether an account in sight that is made flat has become flat.

    Where copying goes on (a person closed it and shut nothing) what is known is enough: waiting for a list
    would close what its leader enters next.
    """
    return _is_quiet(book, account) and (is_listed(book, account) or not _is_barred(plan, book, account, at))


def to_ask(book: Book) -> Iterator[AccountId]:
    """Yield accounts that are flat as far as is known, and of which the broker has not said so yet."""
    return (acct for acct in book.flattening if _is_quiet(book, acct) and not is_listed(book, acct))


def is_listed(book: Book, account: AccountId) -> bool:
    """Say whether the newest complete list of an account came since it is made flat, and shows nothing."""
    since = book.at_work.out_since.get(account)
    listed_at, listed = book.listed.get(account, (Nanos(0), {}))
    return since is not None and listed_at > since and not any(listed.values())


def _is_quiet(book: Book, account: AccountId) -> bool:
    # What was sent a moment ago may still become an order, or a position: an answer must have come first.
    quiet = not book.working[account] and not book.open_copies.get(account)
    return quiet and not any(book.held_symbols(account).values())


def _is_barred(plan: OwnerPlan, book: Book, account: AccountId, at: Nanos) -> bool:
    if running(book.risk.locks.get(account), at) is not None:
        return True
    return book.gates.strictest_of(plan.accounts[account].gates) is TradingState.HALTED
