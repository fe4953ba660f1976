"""An order of one follower before its guardrails: what they ask about it, from the book, and their verdict.

The rules themselves are `risk.core.guard`'s. What a rule does not ask for is not worked out: most orders
have few.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from risk.core import desk
from risk.core.clearance import Clearance
from risk.core.guard import review
from risk.core.lockouts import running
from risk.core.proposal import Allowed, Changed, Exposure, Objection, Proposal, Quote, Verdict
from risk.core.rules import NO_RULES, Rules
from risk.core.sizes import minis
from risk.core.standing import ZERO, Standing
from syncgroups.core.book import Book
from syncgroups.core.copies import Copy
from syncgroups.core.decision import Action, CopyRefused, Weighed
from syncgroups.core.plan import AccountPlan, FollowerPlan
from syncgroups.core.sizing import NOTHING, Sized
from syncgroups.core.waiting import LeaderOrder
from tradehaven.domain.contracts import known_product
from tradehaven.domain.enums import OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from tradehaven.domain.instruments import Product
from tradehaven.domain.values import Value

Accounts = Mapping[AccountId, AccountPlan]
Copies = Mapping[ClientOrderId, Copy]
NO_OTHERS: Copies = MappingProxyType({})
ONE = Decimal(1)
_STOPS = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one follower is left out; becomes a `CopyRefused` once its order's names are added.

    `room` is what a limit would still let it open, in contracts: an order that is there already may keep
    as much.
    """

    reason: RefusalReason
    detail: str = ""
    room: int = 0

    def about(self, copy: Copy, action: Action = Action.PLACE) -> CopyRefused:
        """Return that an order of ours is not told what it was to be, for this reason."""
        return CopyRefused(
            key=copy.key,
            group=copy.group,
            leader=copy.leader,
            leader_order=copy.leader_order,
            follower=copy.follower,
            symbol=copy.symbol,
            action=action,
            reason=self.reason,
            detail=self.detail,
        )


CLOSED_OUT = Refusal(
    reason=RefusalReason.NOTHING_TO_REDUCE, detail="the account is being closed out as a whole already"
)


def guarded(
    accounts: Accounts,
    book: Book,
    follower: FollowerPlan,
    order: LeaderOrder,
    sized: Sized,
    own: int,
    but: Copy | None = None,
    others: Copies = NO_OTHERS,
) -> tuple[Sized, Refusal | None, Weighed]:
    """Return what gates and limits leave of an order, the reason where that is less, and the figures.

    `but` is the copy that changes, `others` are copies that the same event has changed already.
    """
    state = book.gates.strictest_of(follower.gates)
    if sized.reduce and state is not TradingState.HALTED and follower.account in book.flattening:
        # Its broker closes what there is; what is closed beside that opens the other side.
        return NOTHING, CLOSED_OUT, _unasked(order, sized, own, state, NOTHING)
    known = accounts[follower.account]
    rules = known.rules_at(order.at)
    shut = _shut(book, follower.account, order)
    if state is TradingState.ACTIVE and rules is NO_RULES and shut is None:
        return sized, None, _unasked(order, sized, own, state, sized)
    if shut is not None and sized.enter and state is not TradingState.HALTED:
        asked = _Asked(verdict=Changed(qty=sized.reduce, enter=0, because=shut))
    else:
        seen = _Seen(accounts, book, known, order, but, others)
        asked = _asked(seen, rules, sized, state)
    verdict, refusal, passed = asked.verdict, None, sized
    if not isinstance(verdict, Allowed):
        refusal = Refusal(reason=verdict.reason, detail=verdict.detail, room=verdict.room)
        passed = Sized(reduce=verdict.qty if isinstance(verdict, Changed) else 0, enter=0)
    return passed, refusal, _weighed(order, sized, own, state, rules, passed, asked)


class _Asked(Value, frozen=True, kw_only=True):
    """A verdict, and what it was given on; None where no rule asked for that."""

    verdict: Verdict
    exposure: int | None = None
    cleared: Clearance | None = None


def _shut(book: Book, account: AccountId, order: LeaderOrder) -> Objection | None:
    """Return why an account takes no entry whatever its limits say: a lock that runs, or the broker's own."""
    lock = running(book.risk.locks.get(account), order.at)
    if lock is not None:
        return Objection(reason=lock.reason, detail=lock.detail)
    return desk.objection(book.risk.stated.get(account))


def _unasked(order: LeaderOrder, sized: Sized, own: int, state: TradingState, passed: Sized) -> Weighed:
    """Return the figures of an order about which no limit is asked."""
    return Weighed(order.before, order.change, own, sized.reduce, sized.enter, None, None, state, passed.qty)


def _weighed(
    order: LeaderOrder,
    sized: Sized,
    own: int,
    state: TradingState,
    rules: Rules,
    passed: Sized,
    asked: _Asked,
) -> Weighed:
    """Return the figures of a decision, for the record (RISK-10)."""
    objection, cleared = getattr(asked.verdict, "because", None), asked.cleared
    return Weighed(
        order.before,
        order.change,
        own,
        sized.reduce,
        sized.enter,
        asked.exposure,
        rules.caps.instrument,
        state,
        passed.qty,
        None if objection is None else objection.reason,
        None if objection is None or objection.limit is None else str(objection.limit),
        None if objection is None or objection.value is None else str(objection.value),
        None if cleared is None else cleared.equity,
        None if cleared is None else cleared.profit,
        None if cleared is None else cleared.floor,
    )


def _asked(seen: "_Seen", rules: Rules, sized: Sized, state: TradingState) -> _Asked:
    caps, order = rules.caps, seen.order
    standing = seen.standing()
    cleared = seen.cleared(rules, standing) if standing is not None else None
    if not sized.enter:
        proposal = Proposal(symbol=order.symbol, side=order.side, reduce=sized.reduce, enter=0)
    elif cleared is not None and not cleared.minds_orders:
        proposal = Proposal(
            symbol=order.symbol,
            side=order.side,
            reduce=sized.reduce,
            enter=sized.enter,
            exposure=seen.exposure(rules),
        )
    else:
        proposal = _proposed(seen, rules, sized)
    verdict = review(proposal, rules, standing, state, order.at, cleared)
    known = proposal.exposure.instrument if caps.instrument is not None else None
    return _Asked(verdict=verdict, exposure=known, cleared=cleared)


def _proposed(seen: "_Seen", rules: Rules, sized: Sized) -> Proposal:
    """Return an entry with all that rules may ask about an order."""
    order = seen.order
    return Proposal(
        symbol=order.symbol,
        side=order.side,
        reduce=sized.reduce,
        enter=sized.enter,
        exposure=seen.exposure(rules),
        order_type=order.spec.order_type,
        limit=order.spec.limit,
        trigger=order.spec.stop,
        quote=seen.quote(),
        at_risk=seen.at_risk(),
        opposite=not rules.opposite and seen.is_opposite(),
        mixing=not rules.mixing and seen.is_mixing(),
    )


class _Seen:
    """What the book says about one order's surroundings, each thing only when it is asked for."""

    def __init__(
        self,
        accounts: Accounts,
        book: Book,
        known: AccountPlan,
        order: LeaderOrder,
        but: Copy | None,
        others: Copies,
    ) -> None:
        self.order = order
        self._accounts = accounts
        self._book = book
        self._known = known
        self._account = known.account
        self._but = but
        self._others = others

    def standing(self) -> Standing | None:
        """Return where the account stands; None while its prices are not known, so that nothing opens."""
        risk = self._book.risk
        ledger = risk.ledgers.get(self._account)
        if ledger is None or (ledger.stakes and self._known.environment in risk.blind):
            return None
        if not ledger.stakes.keys() <= risk.marks[self._known.environment].keys():
            return None
        return risk.standings.get(self._account)

    def cleared(self, rules: Rules, standing: Standing) -> Clearance:
        """Return what the account's rules say of entries, whatever the order is."""
        return self._book.risk.clearance_of(self._account, rules, standing)

    def quote(self) -> Quote | None:
        """Return the newest believable quote of the order's contract."""
        mark = self._book.risk.marks[self._known.environment].get(self.order.symbol)
        return Quote(bid=mark.bid, ask=mark.ask, at=mark.at) if mark is not None else None

    def exposure(self, rules: Rules) -> Exposure:
        """Return what would be held on the order's side if everything else that works there filled."""
        caps, symbol = rules.caps, self.order.symbol
        own = self._side(self._account, symbol, self.order.side)
        weighs = caps.minis is not None or caps.scaling is not None
        if not (caps.products or weighs) and caps.account is None:
            return Exposure(instrument=own)
        mine = known_product(symbol)  # of one that nobody knows the guard says so itself
        product = account = own
        sizes = (minis(mine) if mine is not None else ONE) * own if weighs else ZERO
        for other in self._book.traded[self._account]:
            if other == symbol or not (worst := self._worst(self._account, other)):
                continue
            traded = known_product(other)
            product += worst if _is_same(traded, mine) else 0
            account += worst
            sizes += (minis(traded) if traded is not None else ONE) * worst
        return Exposure(instrument=own, product=product, account=account, minis=sizes)

    def at_risk(self) -> Decimal:
        """Return what is held would lose at the stops that stand behind it, in USD."""
        ledger = self._book.risk.ledgers.get(self._account)
        marks = self._book.risk.marks[self._known.environment]
        lost = ZERO
        for symbol, stake in (ledger.stakes if ledger is not None else {}).items():
            mark, net = marks.get(symbol), stake.position.net
            if mark is not None:
                lost += stake.tick_value * self._to_stops(symbol, net, mark.exit_of(net))
        return lost

    def _to_stops(self, symbol: Symbol, net: int, price: int) -> int:
        """Return ticks times contracts between a price and the stops behind a position."""
        sign = 1 if net > 0 else -1
        total, left = 0, abs(net)
        for order_id in self._book.working.get(self._account, ()):
            record = self._book.orders[self._account, order_id]
            closes = record.symbol == symbol and record.side.sign == -sign
            if closes and record.spec.order_type in _STOPS and record.spec.stop is not None:
                qty = min(left, abs(record.unfilled))
                total += max(0, (price - record.spec.stop) * sign) * qty
                left -= qty
        return total

    def is_opposite(self) -> bool:
        """Say whether another own account stands, or waits to stand, on the other side of this market."""
        mine = known_product(self.order.symbol)  # of one that nobody knows the guard says so itself
        return mine is not None and any(
            self._side(account, symbol, self.order.side.opposite) > 0
            for account in self._accounts
            if account != self._account
            for symbol in self._book.traded[account]
            if (traded := known_product(symbol)) is not None and traded.full_size == mine.full_size
        )

    def is_mixing(self) -> bool:
        """Say whether minis and micros would be held at the same time, in whichever own accounts."""
        full = _is_full(self.order.symbol)
        return any(
            _is_full(symbol) is (not full) and self._worst(account, symbol) > 0
            for account in self._accounts
            for symbol in self._book.traded[account]
        )

    def _worst(self, account: AccountId, symbol: Symbol) -> int:
        return max(0, self._side(account, symbol, Side.BUY), self._side(account, symbol, Side.SELL))

    def _side(self, account: AccountId, symbol: Symbol, side: Side) -> int:
        """Return what is held on a side if everything that works there filled; may be negative.

        Two exits of the same contracts both count: they may both fill.
        """
        book = self._book
        total = book.positions.get((account, symbol), 0) * side.sign
        total += book.at_work.outstanding(account, symbol, side)
        if others := book.at_work.others_of(account):
            total += self._of_others(account, symbol, side.sign, others)
        if self._but is not None or self._others:
            total += self._of_touched(account, symbol, side)
        return total

    def _of_others(self, account: AccountId, symbol: Symbol, sign: int, others: Iterable[OrderId]) -> int:
        """Return what orders of other hands, and guards, may still add to a side."""
        records = (self._book.orders[account, order] for order in others)
        return sum(max(0, record.unfilled * sign) for record in records if record.symbol == symbol)

    def _of_touched(self, account: AccountId, symbol: Symbol, side: Side) -> int:
        """Return what the same event has made of copies, less what the book knows of them.

        The one that changes is weighed as a whole elsewhere, so what it has filled is not held beside it.
        """
        book, but, total = self._book, self._but, 0
        touched = self._others if but is None else {but.key: book.copies[but.key], **self._others}
        for key, copy in touched.items():
            if (copy.follower, copy.symbol, copy.side) == (account, symbol, side):
                total -= book.copies[key].outstanding if key in book.copies else 0
                total += -copy.filled if but is not None and key == but.key else copy.outstanding
        return total


def _is_full(symbol: Symbol) -> bool | None:
    traded = known_product(symbol)
    return traded.symbol == traded.full_size if traded is not None else None


def _is_same(one: Product | None, other: Product | None) -> bool:
    return one is not None and other is not None and one.symbol == other.symbol
