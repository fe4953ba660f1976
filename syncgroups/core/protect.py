"""The watchdog over copied positions: as much must be stopped as is held, within a second of the fill (I14).

Where a rule asks for a stop or a target and the leader gives none, a guard of ours stands for it; once the
leader's own order works there, ours makes room. What cannot be protected is closed, or said, as chosen.
"""

from dataclasses import replace
from fractions import Fraction
from typing import assert_never

from risk.core.rules import Naked, Offset, Protection, Unit
from syncgroups.core.book import Book
from syncgroups.core.converge import is_halted
from syncgroups.core.decision import NOTHING, Decision, GuardStep, Remark, RemarkKind, Step, joined
from syncgroups.core.expected import excess, is_seen, pair_of
from syncgroups.core.flatness import AGAIN
from syncgroups.core.guards import MAX_REFUSALS, Guard, GuardLeg, guard_id
from syncgroups.core.keys import close_id, command_id
from syncgroups.core.plan import OwnerPlan
from syncgroups.core.stated import within
from tradehaven.domain.commands import CancelOrder, ChangeOrder, ClosePosition, Lane, PlaceOrder
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderType, Side, TimeInForce
from tradehaven.domain.ids import AccountId, Nanos, Symbol
from tradehaven.domain.money import Rounding, Ticks, whole_ticks
from tradehaven.domain.orders import OrderSpec

SECOND = 1_000_000_000
MILLI = 1_000_000
PATIENCE = SECOND
"""How long a position may be without its stop before that is said, or acted on (I14)."""
_STOPS = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}
)
_TARGETS = frozenset({OrderType.LIMIT, OrderType.MIT, OrderType.LIMIT_IF_TOUCHED})
_TYPES = {GuardLeg.STOP: _STOPS, GuardLeg.TARGET: _TARGETS}
_TRIES = {GuardLeg.STOP: 1, GuardLeg.TARGET: MAX_REFUSALS}
"""A stop that is turned down once is not tried again: what cannot be protected is closed."""
_WORDS = {GuardLeg.STOP: "stop", GuardLeg.TARGET: "target"}


def all_looked_at(plan: OwnerPlan, book: Book, at: Nanos) -> Decision:
    """Return what every watched account still needs, and what becomes of guards whose rule is gone."""
    guarded = (guard.account for guard in book.risk.guards.values())
    accounts = dict.fromkeys((*plan.watched, *guarded))
    return joined(*(looked_at(plan, book, account, at) for account in accounts))


def looked_at(plan: OwnerPlan, book: Book, account: AccountId, at: Nanos) -> Decision:
    """Return what one account still needs, after something happened there or a second went by."""
    known = plan.accounts.get(account)
    if known is None or not (known.rules_at(at).protection or book.risk.guards_of(account)):
        return NOTHING
    if not is_seen(plan, book, account) or account in book.flattening or is_halted(plan, book, account):
        return NOTHING  # flattening closes it, and behind a shut gate nothing is put into the market
    look = _Look(plan, book, account, known.rules_at(at).protection or Protection(), at)
    look.run()
    return look.decision()


class _Look:
    """One look at one account; what it finds is collected in the order in which it is found."""

    def __init__(self, plan: OwnerPlan, book: Book, account: AccountId, rule: Protection, at: Nanos) -> None:
        self._groups = plan.numbered
        self._book = book
        self._account = account
        self._rule = rule
        self._at = at
        self._steps: list[Step] = []
        self._remarks: list[Remark] = []
        self._naked: list[tuple[AccountId, Symbol, Nanos | None]] = []

    def decision(self) -> Decision:
        """Return what was found."""
        if not (self._steps or self._remarks or self._naked):
            return NOTHING
        return Decision(steps=tuple(self._steps), remarks=tuple(self._remarks), naked=tuple(self._naked))

    def run(self) -> None:
        """Look at every contract that is held, and at those that were bare, or have or had a guard."""
        risk = self._book.risk
        held = _held(self._book, self._account)
        left = {guard.symbol for guard in risk.guards_of(self._account)}
        known = {symbol for holder, symbol in (*risk.guard_fills, *risk.naked) if holder == self._account}
        for symbol in sorted(held.keys() | left | known):
            if self._is_over(symbol):
                self._close(
                    symbol, "its own stop and the leader's exit have both filled: closed what is too much"
                )
                continue
            for leg, offset in ((GuardLeg.STOP, self._rule.stop), (GuardLeg.TARGET, self._rule.target)):
                self._leg(symbol, held.get(symbol, 0), leg, offset)

    def _leg(self, symbol: Symbol, net: int, leg: GuardLeg, offset: Offset | None) -> None:
        guard = self._book.risk.guard(self._account, symbol, leg)
        need = max(0, abs(net) - self._others(symbol, net, leg))
        stands = self._unfilled(guard) if guard is not None and guard.side.sign * net < 0 else 0
        if leg is GuardLeg.STOP and self._rule.stop is not None:
            self._watch(symbol, bare=need > stands)
        if guard is not None:
            self._bring(guard, need, net)
        elif need and offset is not None and self._may_place(leg):
            self._place(symbol, net, leg, offset, need)

    def _may_place(self, leg: GuardLeg) -> bool:
        return leg is GuardLeg.TARGET or self._rule.naked is Naked.ATTACH

    # -- what stands --------------------------------------------------------------------------------

    def _others(self, symbol: Symbol, net: int, leg: GuardLeg) -> int:
        """Return for how many contracts other orders stand: the leader's as copied, or any hand's."""
        side = Side.SELL if net > 0 else Side.BUY
        found = 0
        for order_id in self._book.working.get(self._account, ()):
            record = self._book.orders[self._account, order_id]
            ours = (self._account, order_id) in self._book.risk.guard_orders
            if record.symbol == symbol and record.side is side and not ours:
                found += abs(record.unfilled) if record.spec.order_type in _TYPES[leg] else 0
        for copy in self._book.open_copies_of(self._account):
            coming = (self._account, copy.order_id) not in self._book.orders
            if coming and copy.symbol == symbol and copy.side is side:
                found += copy.outstanding if copy.sent.order_type in _TYPES[leg] else 0
        return found

    def _unfilled(self, guard: Guard) -> int:
        record = self._book.orders.get((guard.account, guard.order_id)) if guard.order_id else None
        return abs(record.unfilled) if record is not None else guard.spec.qty

    # -- what is done -------------------------------------------------------------------------------

    def _place(self, symbol: Symbol, net: int, leg: GuardLeg, offset: Offset, qty: int) -> None:
        if self._book.risk.guard_failures.get((self._account, symbol, leg), 0) >= _TRIES[leg]:
            return
        if self._waits(symbol, leg, ending=False):
            return
        side = Side.BUY if net > 0 else Side.SELL
        average = self._average(symbol)
        if average is None:
            return  # `_watch` says so
        key = guard_id(self._account, symbol, leg, self._at // MILLI)
        price = price_of(average, side, leg, offset, symbol)
        spec = _spec(leg, qty, price)
        guard = Guard(
            key=key,
            account=self._account,
            symbol=symbol,
            leg=leg,
            side=side.opposite,
            spec=spec,
            at=self._at,
        )
        command = PlaceOrder(
            account=self._account,
            client_order_id=key,
            symbol=symbol,
            side=side.opposite,
            spec=spec,
            lane=Lane.PROTECTIVE,
        )
        self._steps.append(GuardStep(guard=guard, command=command, at=self._at))
        where = product_of(symbol).display(price)
        self._say(RemarkKind.PROTECTED, symbol, f"a {_WORDS[leg]} for {qty} is placed at {where} by its rule")

    def _waits(self, symbol: Symbol, leg: GuardLeg, *, ending: bool) -> bool:
        """Say whether a login has no room for a guard just now, or for taking one back."""
        return self._at < self._book.risk.guard_waits.get((self._account, symbol, leg, ending), 0)

    def _bring(self, guard: Guard, need: int, net: int) -> None:
        """Bring a guard to what it should stand for: more, less, or nothing."""
        if guard.in_flight is not None or guard.order_id is None or guard.ending:
            return
        if not self._unfilled(guard):
            return  # it has traded: its end is on its way
        if guard.refusals and self._at - guard.at < SECOND:
            return  # it was turned down just now: what became of the order is on its way
        number = guard.commands + 1
        name = command_id(guard.key, number)
        flying = replace(guard, in_flight=name, commands=number, at=self._at)
        ends = not need or net * guard.side.sign > 0
        if self._waits(guard.symbol, guard.leg, ending=ends):
            return
        if ends:
            command = CancelOrder(account=guard.account, client_order_id=name, order_id=guard.order_id)
            self._steps.append(GuardStep(guard=replace(flying, ending=True), command=command, at=self._at))
        elif need != self._unfilled(guard) and guard.refusals < MAX_REFUSALS:
            record = self._book.orders.get((guard.account, guard.order_id))
            spec = replace(guard.spec, qty=need + (record.filled if record is not None else 0))
            if spec == guard.spec and self._at - guard.at < SECOND:
                return  # it was taken: that it is in force is on its way
            change = ChangeOrder(
                account=guard.account,
                client_order_id=name,
                order_id=guard.order_id,
                symbol=guard.symbol,
                spec=spec,
                lane=Lane.PROTECTIVE,
            )
            self._steps.append(GuardStep(guard=replace(flying, spec=spec), command=change, at=self._at))

    def _close(self, symbol: Symbol, why: str) -> None:
        closed_at = self._book.risk.guard_closes.get((self._account, symbol))
        if closed_at is not None and self._at - closed_at < AGAIN:
            return
        name = close_id(self._account, symbol, self._at // SECOND)
        command = ClosePosition(account=self._account, client_order_id=name, symbol=symbol)
        self._steps.append(GuardStep(guard=None, command=command, at=self._at))
        self._say(RemarkKind.NAKED, symbol, why)

    # -- naked --------------------------------------------------------------------------------------

    def _watch(self, symbol: Symbol, *, bare: bool) -> None:
        """Count how long a position is without its stop; act, or say so, when that is too long."""
        since = self._book.risk.naked.get((self._account, symbol))
        if not bare:
            if since is not None:
                self._naked.append((self._account, symbol, None))
            return
        refused = self._book.risk.guard_failures.get((self._account, symbol, GuardLeg.STOP), 0)
        if since is None:
            since = self._at
            self._naked.append((self._account, symbol, since))
        waited = self._at - since
        if refused:
            self._close(symbol, "its stop was turned down: the position is closed")
        elif waited < PATIENCE:
            return
        elif self._rule.naked is Naked.FLATTEN:
            self._close(symbol, f"it stood without a stop: closed after {waited / SECOND:.1f} s")
        elif (self._account, symbol) not in self._book.risk.naked_said:
            self._say(RemarkKind.NAKED, symbol, f"it has stood without its stop for {waited / SECOND:.1f} s")

    def _is_over(self, symbol: Symbol) -> bool:
        """Say whether a guard and another exit have closed the same, so that the other side is open."""
        filled = self._book.risk.guard_fills.get((self._account, symbol))
        actual = self._book.positions.get((self._account, symbol), 0)
        if filled is None or self._at - filled[0] > 10 * SECOND:
            return False
        crossed = actual * filled[1] > 0 and abs(actual) <= abs(filled[1])
        return crossed and not self._is_meant(symbol, actual)

    def _is_meant(self, symbol: Symbol, actual: int) -> bool:
        """Say whether a leader stands, or a person ordered, on the side on which an account is.

        An exit that came too late makes a holding as well: of that one the leader has nothing.
        """
        there = (holding for holding in self._book.copied if holding[1:3] == (self._account, symbol))
        mine = [holding for holding in there if self._book.copied[holding] * actual > 0]
        pairs = (pair_of(self._groups.get(holding[0]), holding, self._book) for holding in mine)
        return any(pair is None or excess(self._book, pair) < abs(pair.own) for pair in pairs)

    def _average(self, symbol: Symbol) -> Fraction | None:
        ledger = self._book.risk.ledgers.get(self._account)
        stake = ledger.stakes.get(symbol) if ledger is not None else None
        return stake.position.average if stake is not None else None

    def _say(self, kind: RemarkKind, symbol: Symbol, detail: str) -> None:
        self._remarks.append(
            Remark(kind=kind, account=self._account, group=None, symbol=symbol, detail=detail)
        )


def price_of(average: Fraction, side: Side, leg: GuardLeg, offset: Offset, symbol: Symbol) -> Ticks:
    """Return where the guard of a position stands, in ticks, rounded to the side of less risk."""
    sign = -side.sign if leg is GuardLeg.STOP else side.sign
    distance = _ticks(offset, average, symbol)
    return whole_ticks(average + sign * distance, Rounding.UP if side is Side.BUY else Rounding.DOWN)


def _ticks(offset: Offset, average: Fraction, symbol: Symbol) -> Fraction:
    match offset.unit:
        case Unit.TICKS:
            return Fraction(offset.value)
        case Unit.PERCENT:
            return abs(average) * Fraction(offset.value) / 100
        case Unit.USD:
            return Fraction(offset.value) / Fraction(product_of(symbol).tick_value)
        case _:  # pragma: no cover
            assert_never(offset.unit)


def _spec(leg: GuardLeg, qty: int, price: Ticks) -> OrderSpec:
    # The position may be held overnight, and its protection with it.
    if leg is GuardLeg.STOP:
        return OrderSpec(order_type=OrderType.STOP, qty=qty, stop=price, tif=TimeInForce.GTC)
    return OrderSpec(order_type=OrderType.LIMIT, qty=qty, limit=price, tif=TimeInForce.GTC)


def _held(book: Book, account: AccountId) -> dict[Symbol, int]:
    """Return what is held because of groups and manual copies, by contract; what is in doubt is left out."""
    sums: dict[Symbol, int] = {}
    for (_, holder, symbol, _), net in book.copied.items():
        if holder == account and (account, symbol) not in book.assumed:
            sums[symbol] = sums.get(symbol, 0) + net
    return {
        symbol: held
        for symbol, net in sums.items()
        if (held := within(net, book.positions.get((account, symbol), 0)))
    }
