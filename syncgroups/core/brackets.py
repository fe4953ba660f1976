"""Stop loss and take profit of manual copies: placed, sized and moved by what each follower holds and paid.

Both legs rest for all that is held; when one fills the other shrinks or goes. Base is the follower's own
average fill, rounded toward its profit: no more risk, no less reward than was asked for (trade mathematics,
section 6). Where both fill before one could be cancelled, what they closed too much is bought back at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from syncgroups.core.book import Book
from syncgroups.core.converge import advance, is_halted
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.decision import NOTHING, CopyStep, Decision, Remark, RemarkKind
from syncgroups.core.expected import is_seen
from syncgroups.core.guarded import NO_OTHERS
from syncgroups.core.keys import Leg, leg_id, parse_manual
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.stated import within
from tradehaven.domain.commands import Confirmed, Denied, Lane, PlaceOrder, Rejected, Unresolved
from tradehaven.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from tradehaven.domain.events import OrderEnded
from tradehaven.domain.ids import AccountId, ClientOrderId, Symbol
from tradehaven.domain.money import Rounding, Ticks, whole_ticks
from tradehaven.domain.orders import OrderSpec

TRIES = 5
"""How often a leg that is turned down is placed, a second apart, before only a person can help."""
WORDS = {Leg.STOP_LOSS: "stop loss", Leg.TAKE_PROFIT: "take profit", Leg.OVER: "buy-back"}


def protective_price(average: Fraction, side: Side, leg: Leg, offset: int) -> Ticks:
    """Return where a position's stop loss or take profit stands: average fill and offset in ticks."""
    sign = -side.sign if leg is Leg.STOP_LOSS else side.sign
    return whole_ticks(average + sign * offset, Rounding.UP if side is Side.BUY else Rounding.DOWN)


def all_looked_at(
    plan: OwnerPlan, book: Book, others: Mapping[ClientOrderId, Copy], *, again: bool = False
) -> Decision:
    """Return what is still to be done for the legs of every manual copy; `again` retries what failed."""
    steps = [
        step for account in sorted(book.manual) for step in _steps(plan, book, account, others, again=again)
    ]
    return Decision(steps=tuple(steps)) if steps else NOTHING


def looked_at(plan: OwnerPlan, book: Book, account: AccountId) -> Decision:
    """Return what is still to be done for the legs of one account after something happened there."""
    if not book.manual.get(account):
        return NOTHING
    return Decision(steps=tuple(_steps(plan, book, account, NO_OTHERS, again=False)))


def _steps(
    plan: OwnerPlan, book: Book, account: AccountId, others: Mapping[ClientOrderId, Copy], *, again: bool
) -> Iterator[CopyStep]:
    if not is_seen(plan, book, account):
        return
    for entry, held in _held(book, account):
        for leg, qty in _wanted(entry, held):
            copy, number = _latest(book, entry, leg)
            # The same event has told it something: the next second looks again. A cancel outdoes that.
            if copy is not None and copy.key in others and qty:
                continue
            if copy is not None and copy.is_open:
                yield from _aimed(plan, book, entry, leg, copy, qty)
            elif qty and _may_place(plan, book, entry) and _goes_on(book, entry, leg, number, again=again):
                yield _placed(entry, leg, leg_id(entry.key, leg, number), qty)


def _held(book: Book, account: AccountId) -> Iterator[tuple[Copy, int]]:
    """Yield manual orders with what is held of each: contracts, below 0 when its legs closed too much.

    Together they hold no more than the account does; what an answer of the broker left out is not known.
    """
    left: dict[Symbol, int] = {}
    for key in sorted(book.manual[account]):
        entry = book.copies[key]
        if (account, entry.symbol) in book.assumed or not entry.filled:
            continue
        actual = left.setdefault(entry.symbol, book.positions.get((account, entry.symbol), 0))
        held = within(book.copied.get(entry.holding, 0), actual)
        left[entry.symbol] -= held
        yield entry, held * entry.side.sign


def _wanted(entry: Copy, held: int) -> Iterator[tuple[Leg, int]]:
    for leg in (Leg.STOP_LOSS, Leg.TAKE_PROFIT):
        if _offset(entry, leg) is not None:
            yield leg, max(0, held)
    yield Leg.OVER, max(0, -held)


def _offset(entry: Copy, leg: Leg) -> int | None:
    named = parse_manual(entry.key)
    assert named is not None  # noqa: S101  # narrows for the type checker: only manual orders are asked about
    return {Leg.STOP_LOSS: named.stop_loss, Leg.TAKE_PROFIT: named.take_profit}.get(leg)


def _latest(book: Book, entry: Copy, leg: Leg) -> tuple[Copy | None, int]:
    """Return the newest order that is this leg, and the number that the next one would have.

    Of what a life before this one began only those may be known that its broker has: numbers are missing.
    """
    copy, number, at = None, 0, 0
    gap = TRIES if entry.key in book.adopted else 0
    while at - number <= gap:
        found = book.copies.get(leg_id(entry.key, leg, at))
        at += 1
        if found is not None:
            copy, number = found, at
    return copy, number


def _spec(entry: Copy, leg: Leg, qty: int) -> OrderSpec:
    offset = _offset(entry, leg)
    if offset is None:
        return OrderSpec(order_type=OrderType.MARKET, qty=qty)
    price = protective_price(Fraction(entry.cost, entry.filled), entry.side, leg, offset)
    # The position may be held overnight, and its protection with it.
    if leg is Leg.STOP_LOSS:
        return OrderSpec(order_type=OrderType.STOP, qty=qty, stop=price, tif=TimeInForce.GTC)
    return OrderSpec(order_type=OrderType.LIMIT, qty=qty, limit=price, tif=TimeInForce.GTC)


def _aimed(plan: OwnerPlan, book: Book, entry: Copy, leg: Leg, copy: Copy, qty: int) -> Iterator[CopyStep]:
    """Yield the step that brings a leg to where it should stand. Behind a shut gate it only becomes less."""
    if leg is Leg.OVER or copy.target is None or copy.filled >= copy.sent.qty:
        return  # what closes at the market is not resized, and what is taken back or over is let end
    place = copy.target if copy.moved else _spec(entry, leg, qty)
    target = replace(place, qty=copy.filled + qty) if qty else None
    if target == copy.target:
        return
    less = target is None or target.qty < copy.target.qty
    if less or not is_halted(plan, book, copy.follower):
        yield advance(plan, book, copy.changed(target=target))


def _may_place(plan: OwnerPlan, book: Book, entry: Copy) -> bool:
    account = entry.follower
    # Where a life before this one began it, the same leg may be on its way, and in no list or record yet.
    unsure = entry.key in book.adopted and plan.accounts[account].connection in book.settling
    return not unsure and account not in book.flattening and not is_halted(plan, book, account)


def _goes_on(book: Book, entry: Copy, leg: Leg, number: int, *, again: bool) -> bool:
    """Say whether a leg is placed, or placed anew. One that another hand took away is not put back."""
    if not number:
        return True
    copy = book.copies[leg_id(entry.key, leg, number - 1)]
    if copy.target is None or copy.state is CopyState.MISSED or copy.filled >= copy.sent.qty:
        return True
    return again and 0 < _failures(book, entry, leg, number) < TRIES


def _failures(book: Book, entry: Copy, leg: Leg, number: int) -> int:
    """Return how often in a row a leg was turned down, up to now."""
    failed = 0
    while failed < number and _was_refused(
        book, book.copies.get(leg_id(entry.key, leg, number - failed - 1))
    ):
        failed += 1
    return failed


def _was_refused(book: Book, copy: Copy | None) -> bool:
    if copy is None:
        return False  # known to a life before this one alone
    if copy.order_id is None:
        return copy.state is CopyState.ENDED and copy.target is not None
    record = book.orders.get((copy.follower, copy.order_id))
    return record is not None and record.status is OrderStatus.REJECTED


def _placed(entry: Copy, leg: Leg, key: ClientOrderId, qty: int) -> CopyStep:
    side = entry.side if leg is Leg.OVER else entry.side.opposite
    spec = _spec(entry, leg, qty)
    copy = Copy(
        key=key,
        group=entry.group,
        leader=entry.leader,
        leader_order=entry.leader_order,
        follower=entry.follower,
        symbol=entry.symbol,
        side=side,
        target=spec,
        sent=spec,
        enters=0,
        in_flight=key,
    )
    command = PlaceOrder(
        account=entry.follower,
        client_order_id=key,
        symbol=entry.symbol,
        side=side,
        spec=spec,
        lane=Lane.PROTECTIVE,
    )
    return CopyStep(copy=copy, command=command)


# -- what was turned down ----------------------------------------------------------------------------


def failed(book: Book, event: Confirmed | Rejected | Denied | Unresolved | OrderEnded) -> Decision:
    """Return the remark that a leg was turned down: until it is placed again nothing protects."""
    copy = _turned_down(book, event)
    named = parse_manual(copy.key) if copy is not None else None
    if copy is None or named is None or named.leg is None or copy.is_open:
        return NOTHING
    why = event.reason if isinstance(event, OrderEnded) else getattr(event, "text", "")
    detail = f"the {WORDS[named.leg]} of a manual copy was turned down: {why}".rstrip(": ")
    remark = Remark(
        kind=RemarkKind.EXIT_FAILED, account=copy.follower, group=None, symbol=copy.symbol, detail=detail
    )
    return Decision(remarks=(remark,))


def _turned_down(book: Book, event: Confirmed | Rejected | Denied | Unresolved | OrderEnded) -> Copy | None:
    if isinstance(event, Rejected | Denied):
        return book.copies.get(event.client_order_id)
    if isinstance(event, OrderEnded) and event.status is OrderStatus.REJECTED:
        return book.copy_of_order(event.account, event.order_id)
    return None
