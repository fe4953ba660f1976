"""More than was asked for: an order that is there twice, and one that traded more than its size.

An id is sent once, so only a disk that lost what was sent before a machine died can have made two orders
of one name (reliability anchors, section 4: an id is for finding, never for trusting). The one that came
second is taken back. What it trades before it is gone is a position that came from no copy, see `drift`.
"""

from syncgroups.core.book import Book
from syncgroups.core.decision import NOTHING, AccountStep, Decision, Remark, RemarkKind, joined
from syncgroups.core.expected import is_seen
from syncgroups.core.flatness import AGAIN
from syncgroups.core.keys import close_id
from syncgroups.core.plan import OwnerPlan
from tradehaven.domain.commands import CancelOrder
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import Nanos

SECOND = 1_000_000_000


def taken_back(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    """Return the cancels of twins that work where they can be seen, and what is said of each once."""
    steps: list[AccountStep] = []
    remarks: list[Remark] = []
    for (account, order_id), tried_at in book.at_work.twins.items():
        record = book.orders[account, order_id]
        if not is_seen(plan, book, account) or at - tried_at < AGAIN:
            continue
        name = close_id(account, f"t{order_id}", at // SECOND)
        cancel = CancelOrder(account=account, client_order_id=name, order_id=order_id)
        steps.append(AccountStep(account=account, command=cancel, at=at))
        if not tried_at:
            detail = (
                f"order {order_id}, {record.side} {record.spec.qty}, was placed twice: this one is cancelled"
            )
            remarks.append(
                Remark(
                    kind=RemarkKind.DOUBLED, account=account, group=None, symbol=record.symbol, detail=detail
                )
            )
    return Decision(steps=tuple(steps), remarks=tuple(remarks))


def overfilled(book: Book, event: OrderFilled) -> Decision:
    """Return what is said of an order that its broker filled beyond its size (F26).

    That may show nowhere else: where a person holds contracts beside it, it took one of those.
    """
    copy = book.copy_of_order(event.account, event.order_id)
    if copy is None:
        return NOTHING
    most = max(copy.sent.qty, copy.asked, book.orders[event.account, event.order_id].spec.qty)
    if copy.filled <= most:
        return NOTHING
    detail = f"order {event.order_id} traded {copy.filled} of {most} contracts: look at the account"
    said = Remark(
        kind=RemarkKind.OVERFILLED,
        account=event.account,
        group=copy.group,
        symbol=event.symbol,
        detail=detail,
    )
    return Decision(remarks=(said,))


def overfilled_unseen(book: Book) -> Decision:
    """Return the same of what a snapshot was the first to tell of, once for each order."""
    last = {(fill.account, fill.order_id): fill for fill in book.at_work.caught_up}
    return joined(*(overfilled(book, fill) for fill in last.values()))
