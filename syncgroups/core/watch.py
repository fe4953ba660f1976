"""What gates and passing time ask for: flatten until flat, retry what was turned down, say what drifts."""

from collections.abc import Iterator, Mapping

from risk.core.flatten import flatten
from syncgroups.core.book import Book
from syncgroups.core.converge import advance
from syncgroups.core.copies import HoldingKey
from syncgroups.core.decision import NOTHING, AccountStep, CopyStep, Decision, Remark, RemarkKind
from syncgroups.core.keys import close_id
from syncgroups.core.plan import OwnerPlan
from tradehaven.domain.commands import CancelOrder, ClosePosition, Denied
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged, TimePassed
from tradehaven.domain.ids import AccountId, Nanos

SECOND = 1_000_000_000
FLATTEN_AGAIN = 3 * SECOND
DRIFT_GRACE = 5 * SECOND
"""How long a follower may hold what its leader left before somebody is told."""


def gate_changed(plan: OwnerPlan, book: Book, event: GateChanged) -> Decision:
    """Return the flattening that a gate asks for when it shuts."""
    if event.state is not TradingState.HALTED or not event.flatten:
        return NOTHING
    accounts = tuple(account.account for account in plan.accounts.values() if event.gate in account.gates)
    steps = [step for account in accounts for step in _flatten(plan, book, account, event.at)]
    return Decision(steps=tuple(steps), flattening=accounts)


def time_passed(plan: OwnerPlan, book: Book, event: TimePassed) -> Decision:
    """Return what about a second's wait makes due."""
    steps: list[AccountStep | CopyStep] = []
    remarks: list[Remark] = []
    for account, tried_at in book.flattening.items():
        if not _is_seen(plan, book, account):
            continue  # what it holds is not known: it is looked at again when its link is back
        if _is_flat(book, account):
            remarks.append(_flat(account))
        elif event.at - tried_at >= FLATTEN_AGAIN:
            steps.extend(_flatten(plan, book, account, event.at))
    for copies in book.open_copies.values():
        for key in sorted(copies):
            if book.copies[key].refusals:
                step = advance(plan, book, book.copies[key], retry=True)
                if step.command is not None:
                    steps.append(step)
    since = _drifting_since(plan, book, event.at)
    remarks.extend(_drift_remarks(book, since, event.at))
    return Decision(steps=tuple(steps), remarks=tuple(remarks), drifting=since)


def put_off_flatten(book: Book, event: Denied) -> bool:
    """Let an account that could not be told to become flat be told again when there is room."""
    if event.retry_at is None or event.account not in book.flattening:
        return False
    book.flattening[event.account] = Nanos(event.retry_at - FLATTEN_AGAIN)
    return True


def _is_seen(plan: OwnerPlan, book: Book, account: AccountId) -> bool:
    known = plan.accounts.get(account)
    return known is not None and known.connection in book.links


def _flatten(plan: OwnerPlan, book: Book, account: AccountId, at: Nanos) -> Iterator[AccountStep]:
    if not _is_seen(plan, book, account):
        return
    working = [(order, book.orders[account, order].symbol) for order in sorted(book.working[account])]
    todo = flatten(working, book.held_symbols(account))
    number = at // SECOND
    for order in todo.cancel:
        name = close_id(account, f"o{order}", number)
        cancel = CancelOrder(account=account, client_order_id=name, order_id=order)
        yield AccountStep(account=account, command=cancel, at=at)
    for symbol in todo.close:
        name = close_id(account, symbol, number)
        close = ClosePosition(account=account, client_order_id=name, symbol=symbol)
        yield AccountStep(account=account, command=close, at=at)


def _is_flat(book: Book, account: AccountId) -> bool:
    return not book.working[account] and not any(book.held_symbols(account).values())


def _flat(account: AccountId) -> Remark:
    return Remark(
        kind=RemarkKind.FLAT, account=account, group=None, symbol=None, detail="the broker says: flat"
    )


def _drifting_since(plan: OwnerPlan, book: Book, at: Nanos) -> dict[HoldingKey, Nanos]:
    return {holding: book.drifting.get(holding, at) for holding in _holding_after_leader(plan, book)}


def _drift_remarks(book: Book, since: Mapping[HoldingKey, Nanos], at: Nanos) -> Iterator[Remark]:
    """Yield followers that hold a contract which their leader has left: once when it starts, once after."""
    for holding in sorted(book.drift_said):
        if holding not in since:
            yield _drift(RemarkKind.DRIFT_OVER, holding, "follower and leader agree again")
    for holding, started in sorted(since.items()):
        if at - started >= DRIFT_GRACE and holding not in book.drift_said:
            net = book.copied[holding]
            yield _drift(RemarkKind.DRIFT, holding, f"the leader is flat, the follower still holds {net:+d}")


def _holding_after_leader(plan: OwnerPlan, book: Book) -> Iterator[HoldingKey]:
    leaders = {group.group: group.leader for group in plan.groups if group.active}
    for holding, net in book.copied.items():
        group, _, _, leads = holding
        leader = leaders.get(group)
        if net and leader is not None and not book.positions.get((leader, leads), 0):
            if not book.flying(leader, leads) and not book.flying_copies(holding):
                yield holding


def _drift(kind: RemarkKind, holding: HoldingKey, detail: str) -> Remark:
    group, account, symbol, _ = holding
    return Remark(kind=kind, account=account, group=group, symbol=symbol, detail=detail, holding=holding)
