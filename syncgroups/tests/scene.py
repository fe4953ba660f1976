"""One order of one follower and all that stands around it, set up fact by fact, for tests."""

from decimal import Decimal
from fractions import Fraction

from risk.core.ledger import Ledger, Stake
from risk.core.marks import Mark
from risk.core.rules import (
    Caps,
    Rules,
)
from risk.core.standing import Day, Floor, Money, Standing
from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.decision import Weighed
from syncgroups.core.guarded import Refusal, guarded
from syncgroups.core.plan import AccountPlan, FollowerPlan
from syncgroups.core.sizing import Sized
from syncgroups.core.waiting import LeaderOrder
from syncgroups.tests.plans import ES, GROUP, LEADER
from tradehaven.domain.enums import Environment, OrderStatus, OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.events import GateChanged
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, GateId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.positions import adopt

ME, OTHER = AccountId(2), AccountId(3)
NQ, MES, STRANGE = Symbol("NQZ6"), Symbol("MESZ6"), Symbol("QQQQZ6")
GATE = GateId(1)
NOW = Nanos(1_795_017_600_000_000_000)
ENDS = Nanos(NOW + 3600 * 1_000_000_000)
MARKET = OrderSpec(order_type=OrderType.MARKET, qty=99)
PAPER = Environment.PAPER


class Scene:
    """One account with rules before an order of 99 contracts: far more than any limit lets in."""

    def __init__(self, rules: Rules) -> None:
        self.book = Book()
        self.accounts = {
            name: AccountPlan(account=name, connection=ConnectionId(1), gates=(GATE,), rules=found)
            for name, found in ((ME, rules), (OTHER, Rules()))
        }
        self.turn(TradingState.ACTIVE)
        self.worth(50_000)
        self.book.risk.keep(ME, Ledger(cash=Decimal(50_000), profit=Decimal(0)))

    def turn(self, state: TradingState, version: int = 1) -> None:
        self.book.gates.turn(GateChanged(gate=GATE, state=state, flatten=False, version=version, at=NOW))

    def worth(self, equity: int, floor: int | None = None) -> None:
        known = Floor(high=Decimal(50_000), floor=Decimal(floor)) if floor is not None else None
        day = Day(reference=Decimal(50_000), ends=ENDS)
        standing = Standing(money=Money(balance=Decimal(equity)), day=day, floor=known)
        self.book.risk.standings[ME] = standing

    def hold(self, net: int, symbol: Symbol = ES, account: AccountId = ME) -> None:
        self.book.positions[account, symbol] = net

    def stake(self, net: int, bid: int, tick_value: str = "12.50", symbol: Symbol = ES) -> None:
        """Hold something that has a price, a tick wide."""
        self.hold(net, symbol)
        stake = Stake(
            position=adopt(net, Fraction(20_000)), cost=20_000 * net, tick_value=Decimal(tick_value)
        )
        ledger = self.book.risk.ledgers[ME]
        known = {**ledger.stakes, symbol: stake}
        self.book.risk.keep(ME, Ledger(cash=ledger.cash, profit=ledger.profit, stakes=known))
        self.quote(bid, symbol)

    def quote(self, bid: int, symbol: Symbol = ES, at: Nanos = NOW) -> None:
        self.book.risk.marks[PAPER][symbol] = Mark(bid=Ticks(bid), ask=Ticks(bid + 1), last=None, at=at)

    def works(
        self,
        side: Side,
        qty: int,
        *,
        symbol: Symbol = ES,
        account: AccountId = ME,
        stop: int | None = None,
        kind: OrderType = OrderType.STOP,
        filled: int = 0,
        number: int = 700,
    ) -> None:
        """Let an order of another hand work."""
        limit = Ticks(19_000) if stop is None else None
        spec = OrderSpec(
            order_type=OrderType.LIMIT if stop is None else kind,
            qty=qty,
            limit=limit,
            stop=Ticks(stop) if stop is not None else None,
        )
        record = OrderRecord(symbol=symbol, side=side, spec=spec, status=OrderStatus.WORKING, filled=filled)
        self.book.set_order(account, OrderId(number), record)

    def copy(
        self,
        side: Side,
        qty: int,
        name: str = "1",
        symbol: Symbol = ES,
        account: AccountId = ME,
        filled: int = 0,
    ) -> Copy:
        """Return an order of ours that is on its way."""
        spec = OrderSpec(order_type=OrderType.LIMIT, qty=qty, limit=Ticks(19_000))
        return Copy(
            key=ClientOrderId(f"th1.g9.l1.o{name}.f{account}"),
            group=GROUP,
            leader=LEADER,
            leader_order=OrderId(int(name)),
            follower=account,
            symbol=symbol,
            side=side,
            target=spec,
            sent=spec,
            enters=qty,
            state=CopyState.LIVE,
            filled=filled,
        )

    def ask(
        self,
        side: Side = Side.BUY,
        *,
        reduce: int = 0,
        enter: int = 99,
        symbol: Symbol = ES,
        spec: OrderSpec = MARKET,
        but: Copy | None = None,
        others: tuple[Copy, ...] = (),
    ) -> tuple[Sized, Refusal | None, Weighed]:
        order = LeaderOrder(
            account=LEADER,
            order_id=OrderId(9),
            symbol=symbol,
            leads=symbol,
            side=side,
            spec=spec,
            before=4,
            change=99 * side.sign,
            at=NOW,
        )
        follower = FollowerPlan(account=ME, gates=(GATE,))
        sized = Sized(reduce=reduce, enter=enter)
        changed = {copy.key: copy for copy in others}
        return guarded(self.accounts, self.book, follower, order, sized, 7, but, changed)

    def room(self, *, of: RefusalReason, **order: object) -> int:
        """Return what a refusal for this reason would have let in."""
        _, refusal, _ = self.ask(**order)  # type: ignore[arg-type]
        assert refusal is not None
        assert refusal.reason is of, refusal.detail
        return refusal.room


POSITION, ACCOUNT, PRODUCT, MINIS, WORST = (
    RefusalReason.MAX_POSITION,
    RefusalReason.MAX_ACCOUNT,
    RefusalReason.MAX_PRODUCT,
    RefusalReason.MAX_MINIS,
    RefusalReason.WORST_CASE,
)
TEN = Rules(caps=Caps(instrument=10))
TEN_IN_ALL = Rules(caps=Caps(account=10))
