"""What an order of the leader would become, by the very code that would copy it, without sending anything."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from syncgroups.core.book import Book
from syncgroups.core.case import case_of, seen_by
from syncgroups.core.decision import CopyRefused, CopyStep, Weighed
from syncgroups.core.place import place_share
from syncgroups.core.plan import GroupPlan, OwnerPlan
from syncgroups.core.waiting import LeaderOrder, Waiting
from tradehaven.domain.commands import Command, PlaceOrder
from tradehaven.domain.enums import OrderType, RefusalReason, Side, SyncMode
from tradehaven.domain.ids import AccountId, ConnectionId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.orders import OrderSpec

IMAGINED = OrderId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """One follower's share: contracts of its own symbol, why it is less, and what may still be opened.

    `room` is in contracts, None where no limit stands. `waits` says that a part would wait for the end of
    an order of its own, `calls` is how many orders its login would be asked to take.
    """

    follower: AccountId
    symbol: Symbol
    side: Side
    qty: int
    enters: int
    reason: RefusalReason | None
    detail: str
    room: int | None
    waits: bool
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What one order would become, and how many calls that takes from each login's budget."""

    shares: tuple[Previewed, ...]
    calls: dict[ConnectionId, int]


def preview(
    plan: OwnerPlan, book: Book, group: GroupPlan, symbol: Symbol, side: Side, spec: OrderSpec, at: Nanos
) -> Preview:
    """Return each follower's share of an order that the leader does not place.

    In Confirmed mode it is the share of its fill, for nothing else is copied there. Raise
    `UnknownInstrument` for a contract that nobody knows.
    """
    order = _imagined(book, group, symbol, side, spec, at)
    shares: list[Previewed] = []
    calls: Counter[ConnectionId] = Counter()
    for follower in group.followers:
        case = case_of(plan, book, group, order)
        seen = seen_by(case, follower)
        told = seen[0].order if seen is not None else order
        if seen is not None:
            place_share(*seen, case.key_of(follower))
        shares.append(_share(follower.account, told, case.steps, case.refusals, case.waiting))
        sent = shares[-1].calls
        calls[plan.accounts[follower.account].connection] += sent
    return Preview(shares=tuple(shares), calls=dict(calls))


def glances(
    plan: OwnerPlan, book: Book, group: GroupPlan, symbol: Symbol, side: Side, at: Nanos
) -> Iterator[tuple[Command, ...]]:
    """Yield what each follower would be sent if its leader traded one contract at the market.

    Plan and book are read one follower at a time, whatever happens to them between two.
    """
    spec = OrderSpec(order_type=OrderType.MARKET, qty=1)
    order = _imagined(book, group, symbol, side, spec, at)
    for follower in group.followers:
        case = case_of(plan, book, group, order)
        seen = seen_by(case, follower)
        if seen is not None:
            place_share(*seen, case.key_of(follower))
        yield tuple(step.command for step in case.steps if step.command is not None)


def _imagined(
    book: Book, group: GroupPlan, symbol: Symbol, side: Side, spec: OrderSpec, at: Nanos
) -> LeaderOrder:
    return LeaderOrder(
        account=group.leader,
        order_id=IMAGINED,
        symbol=symbol,
        leads=symbol,
        side=side,
        spec=spec,
        before=book.positions.get((group.leader, symbol), 0) + book.flying(group.leader, symbol),
        change=spec.qty * side.sign,
        at=at,
        fill=FillId(0) if group.mode is SyncMode.CONFIRMED else None,
    )


def _share(
    follower: AccountId,
    order: LeaderOrder,
    steps: list[CopyStep],
    refusals: list[CopyRefused],
    waiting: list[Waiting],
) -> Previewed:
    refusal = refusals[0] if refusals else None
    figures = [step.weighed for step in steps] + [refused.weighed for refused in refusals]
    weighed = figures[0] if figures else None
    return Previewed(
        follower=follower,
        symbol=order.symbol,
        side=order.side,
        qty=sum(step.copy.sent.qty for step in steps),
        enters=sum(step.copy.enters for step in steps),
        reason=refusal.reason if refusal is not None else None,
        detail=refusal.detail if refusal is not None else "",
        room=_room(weighed),
        waits=bool(waiting),
        calls=sum(isinstance(step.command, PlaceOrder) for step in steps),
    )


def _room(weighed: Weighed | None) -> int | None:
    if weighed is None or weighed.limit is None or weighed.exposure is None:
        return None
    return max(0, weighed.limit - weighed.exposure)
