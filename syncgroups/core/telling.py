"""What a live order is told of a wish that was decided on before.

The wish waited: for the order's name, for an answer that was out, for room, or for a link. What it is to
open may have come over a cap, into a quarantine or past the time to be flat since, so the rules are asked
again.
"""

from syncgroups.core.book import Book
from syncgroups.core.converge import advance, grown_to_close, stuck
from syncgroups.core.copies import MAX_REFUSALS, Copy
from syncgroups.core.decision import NOTHING, Action, CopyRefused, CopyStep, Decision
from syncgroups.core.guarded import Refusal, guarded
from syncgroups.core.keys import command_id
from syncgroups.core.place import settings_of
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.share import group_refusal, quarantine
from syncgroups.core.sizing import Sized
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.commands import Denied, Outcome, Rejected, Unresolved
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.events import OrderChanged, OrderWorking
from tradehaven.domain.ids import Nanos
from tradehaven.domain.orders import OrderSpec

GROUP_STOPPED = Refusal(
    reason=RefusalReason.GROUP_OFF, detail="copying was stopped before the order could grow"
)


def own_order(plan: OwnerPlan, book: Book, event: OrderWorking | OrderChanged) -> Decision:
    """Return what is still to be said about an order of ours of which news came.

    How a manual one stands now is written down in any case: where a hand has put it no leader says.
    """
    copy = book.copy_of_order(event.account, event.order_id)
    if copy is None:
        return NOTHING
    said = wished(plan, book, copy, event.at)
    if said.steps or not copy.is_manual or isinstance(event, OrderWorking):
        return said
    return said.changed(steps=(CopyStep(copy=copy, command=None),))


def after_outcome(plan: OwnerPlan, book: Book, outcome: Outcome) -> Decision:
    """Return the next step of the order that an answer belongs to, or the remark that it is stuck."""
    if isinstance(outcome, Denied):
        return NOTHING  # it never left: `held` tries again when there is room, `watch` each second
    name = outcome.client_order_id
    numbered = (c for c in book.open_copies_of(outcome.account) if command_id(c.key, c.commands) == name)
    copy = book.copies.get(name) or next(numbered, None)
    if copy is None:
        return NOTHING
    if copy.refusals >= MAX_REFUSALS and isinstance(outcome, Rejected | Unresolved):
        code = f"{outcome.code} " if isinstance(outcome, Rejected) else ""
        detail = f"the broker did not do it {copy.refusals} times: {code}{outcome.text}".strip()
        return Decision(remarks=(stuck(copy, detail),))
    step, refusals = told(plan, book, copy, outcome.at)
    return Decision(steps=(step,) if step.command is not None else (), refusals=refusals)


def wished(plan: OwnerPlan, book: Book, copy: Copy, at: Nanos) -> Decision:
    """Return what of a copy's wish is told now, and what of it must not be; nothing where nothing is told."""
    step, refusals = told(plan, book, copy, at)
    return Decision(steps=(step,), refusals=refusals) if step.command is not None else NOTHING


def told(
    plan: OwnerPlan, book: Book, copy: Copy, at: Nanos, *, retry: bool = False
) -> tuple[CopyStep, tuple[CopyRefused, ...]]:
    """Return what a live order is told now of its wish, and what the rules of now leave out of it.

    Where nothing else is to be told, the wish is kept as it is.
    """
    barred = _barred(plan, book, copy, at)
    if barred is None:
        return advance(plan, book, copy, retry=retry), ()
    step = advance(plan, book, grown_to_close(copy), retry=retry)
    said = (barred.about(copy, Action.CHANGE),)
    return (step if step.command is not None else CopyStep(copy=copy, command=None)), said


def _barred(plan: OwnerPlan, book: Book, copy: Copy, at: Nanos) -> Refusal | None:
    """Return what speaks by now against an order that is to open more than its broker knows of."""
    target = copy.target
    if target is None or not copy.enters or target.qty <= copy.sent.qty or copy.is_manual:
        return None
    settings = settings_of(plan, copy.leader, copy.group, copy.follower)
    if settings is None:
        return GROUP_STOPPED
    group, follower = settings
    order = order_of(copy, target, at)
    sized = Sized(reduce=target.qty - copy.enters, enter=copy.enters)
    _, refusal, _ = guarded(plan.accounts, book, follower, order, sized, 0, copy)
    return group_refusal(group, order) or quarantine(book, group, follower, order) or refusal


def order_of(copy: Copy, target: OrderSpec, at: Nanos) -> LeaderOrder:
    """Return a wish of a copy as an order by itself."""
    return LeaderOrder(
        account=copy.leader,
        order_id=copy.leader_order,
        symbol=copy.symbol,
        leads=copy.leads,
        side=copy.side,
        spec=target,
        before=0,
        change=target.qty * copy.side.sign,
        at=at,
    )
