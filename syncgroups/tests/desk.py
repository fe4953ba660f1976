"""A leader, its followers and a broker in memory, to drive the copy core without sockets.

The broker keeps its own truth: what it accepted, what filled, what every account holds. Commands wait
in `outbox` until a test lets the broker see them, so every interleaving can be played.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from syncgroups.core.book import Book
from syncgroups.core.decide import decide
from syncgroups.core.decision import Decision
from syncgroups.core.flatness import to_ask
from syncgroups.core.folding import fold
from syncgroups.core.plan import FollowerPlan, OwnerPlan
from syncgroups.tests.answers import BrokerOrder, list_of, snapshot_of
from syncgroups.tests.plans import ES, LEADER, SECOND, connection_of, follower, group_of, open_gates, plan_of
from tradehaven.domain.commands import (
    CancelOrder,
    ChangeOrder,
    ClosePosition,
    Command,
    Confirmed,
    PlaceOrder,
    Rejected,
)
from tradehaven.domain.enums import OrderStatus, OrderType, Side, TradingState
from tradehaven.domain.events import (
    BalanceReported,
    Event,
    GateChanged,
    HaltPressed,
    LinkLost,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrderWorking,
    PositionReported,
    SnapshotTaken,
    TimePassed,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GateId, Nanos, OrderId, PressId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec


@dataclass
class Desk:
    """The world of a test. `step` folds an event, decides, and keeps the commands in the outbox."""

    plan: OwnerPlan
    book: Book = field(default_factory=Book)
    outbox: list[Command] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    orders: dict[OrderId, BrokerOrder] = field(default_factory=dict)
    fills: list[OrderFilled] = field(default_factory=list)
    positions: defaultdict[tuple[AccountId, Symbol], int] = field(default_factory=lambda: defaultdict(int))
    placed: list[PlaceOrder] = field(default_factory=list)
    now: int = 1_795_017_600 * SECOND  # Wednesday 2026-11-18, 10:00 in Chicago
    last_id: int = 600
    is_answering: bool = True

    # -- time and events ----------------------------------------------------------------------------

    def at(self) -> Nanos:
        """Return a moment later than all before."""
        self.now += 1000
        return Nanos(self.now)

    def step(self, event: Event) -> Decision:
        """Let the engine see an event; gates that nobody has turned are open, as their rows would say."""
        for gate in open_gates(self.plan):
            fold(self.book, gate)
        if not fold(self.book, event):
            return Decision()
        decision = decide(self.plan, self.book, event)
        self.book.apply(decision)
        self.decisions.append(decision)
        self.outbox.extend(step.command for step in decision.steps if step.command is not None)
        return decision

    def connect(self, *accounts: AccountId) -> None:
        """Bring the links of these accounts up, or of all."""
        for account in accounts or tuple(self.plan.accounts):
            self.step(self.snapshot(account))

    def snapshot(self, account: AccountId) -> SnapshotTaken:
        """Return what the broker would say of an account now."""
        return snapshot_of(account, self.orders.values(), self.fills, self.positions, self.at())

    def list_again(self, account: AccountId, **positions: int) -> Decision:
        """Let the broker list orders and positions again: those given, or as they are."""
        given = {(account, Symbol(symbol)): net for symbol, net in positions.items()}
        return self.step(list_of(account, self.orders.values(), given or self.positions, self.at()))

    def lose(self, account: AccountId) -> None:
        """Cut an account's link."""
        self.step(LinkLost(connection=connection_of(account), reason="test", at=self.at()))

    def wait(self, seconds: float) -> Decision:
        """Let time pass; the lists that are asked for at its end are answered where the line is up."""
        self.now += int(seconds * SECOND)
        decision = self.step(TimePassed(at=self.at()))
        for account in tuple(to_ask(self.book)):
            if connection_of(account) in self.book.links and self.is_answering:
                self.list_again(account)
        return decision

    def shut(
        self, gate: GateId, *, state: TradingState = TradingState.HALTED, flatten: bool = False
    ) -> Decision:
        """Turn a gate."""
        version = self.book.gates[gate].version + 1 if gate in self.book.gates else 1
        return self.step(GateChanged(gate=gate, state=state, flatten=flatten, version=version, at=self.at()))

    def press(self, *gates: GateId, flatten: bool = False, name: str = "1") -> Decision:
        """Press a kill switch at the engine's own door."""
        press = PressId(name.rjust(32, "0"))
        return self.step(HaltPressed(press=press, gates=gates, flatten=flatten, at=self.at()))

    def balance(self, account: AccountId, cash: Any) -> None:
        """Report cash."""
        self.step(BalanceReported(account=account, cash=cash, realized=cash * 0, at=self.at()))

    # -- the leader's hand, or anybody's ------------------------------------------------------------

    def trade(
        self,
        side: Side,
        qty: int,
        order_type: OrderType = OrderType.MARKET,
        *,
        limit: int | None = None,
        stop: int | None = None,
        trail: int | None = None,
        account: AccountId = LEADER,
        symbol: Symbol = ES,
        seen: bool = True,
    ) -> OrderId:
        """Place an order by hand and let the engine see it working."""
        spec = OrderSpec(
            order_type=order_type,
            qty=qty,
            limit=None if limit is None else Ticks(limit),
            stop=None if stop is None else Ticks(stop),
            trail=None if trail is None else Ticks(trail),
        )
        order = self._accept(account, None, symbol, side, spec)
        if seen:
            self.step(self._working(order))
        return order.order_id

    def pair(self, *legs: OrderId, second: bool = True) -> None:
        """Link two unseen orders as one-cancels-other and let the engine see them.

        Without `second` the first one is told before its broker has linked it.
        """
        one, other = (self.orders[leg] for leg in legs)
        if second:
            one.oco = other.order_id
        other.oco = one.order_id
        self.step(self._working(one))
        self.step(self._working(other))

    def fill(
        self, order_id: OrderId, qty: int | None = None, *, price: int = 20000, seen: bool = True
    ) -> None:
        """Let an order trade, all of it or `qty` contracts."""
        order = self.orders[order_id]
        done = order.spec.qty - order.filled if qty is None else qty
        order.filled += done
        self.positions[order.account, order.symbol] += done * order.side.sign
        self.last_id += 1
        at = self.at()
        event = OrderFilled(
            account=order.account,
            order_id=order_id,
            fill_id=FillId(self.last_id),
            symbol=order.symbol,
            side=order.side,
            qty=done,
            price=Ticks(price),
            at=at,
            traded_at=at,
        )
        self.fills.append(event)
        if seen:
            self.step(event)
            self.report(order.account, order.symbol)
        if order.filled >= order.spec.qty:
            self._end(order, OrderStatus.FILLED, seen=seen)

    def report(self, account: AccountId, symbol: Symbol) -> None:
        """Let the broker state a position."""
        net = self.positions[account, symbol]
        self.step(PositionReported(account=account, symbol=symbol, net=net, price=None, at=self.at()))

    def market(self, side: Side, qty: int, **where: Any) -> OrderId:
        """Trade at the market: seen working, then filled."""
        order_id = self.trade(side, qty, **where)
        self.fill(order_id)
        return order_id

    def cancel(self, order_id: OrderId, *, seen: bool = True) -> None:
        """Cancel an order by hand."""
        self._end(self.orders[order_id], OrderStatus.CANCELLED, seen=seen)

    def change(self, order_id: OrderId, *, seen: bool = True, **spec: Any) -> None:
        """Change an order by hand."""
        order = self.orders[order_id]
        order.spec = replace(order.spec, **spec)
        if seen:
            self.step(OrderChanged(account=order.account, order_id=order_id, spec=order.spec, at=self.at()))

    # -- the broker ---------------------------------------------------------------------------------

    def settle(self, *, fill_markets: bool = True) -> None:
        """Let the broker see everything in the outbox, until nothing more comes."""
        while self.outbox:
            self.deliver(self.outbox.pop(0), fill_markets=fill_markets)

    def deliver(self, command: Command, *, fill_markets: bool = True) -> None:
        """Let the broker carry out one command and answer it."""
        match command:
            case PlaceOrder():
                self.placed.append(command)
                order = self._accept(
                    command.account, command.client_order_id, command.symbol, command.side, command.spec
                )
                self.answer(command, order.order_id)
                self.step(self._working(order))
                if command.spec.order_type is OrderType.MARKET and fill_markets:
                    self.fill(order.order_id)
            case ChangeOrder():
                order = self.orders[command.order_id]
                if order.status is not OrderStatus.WORKING:
                    self.reject(command, "TooLate")
                    return
                self.answer(command, None)
                self.change(command.order_id, **_fields(command.spec))
                if order.filled >= order.spec.qty:
                    self._end(order, OrderStatus.FILLED, seen=True)
            case CancelOrder():
                if self.orders[command.order_id].status is not OrderStatus.WORKING:
                    self.reject(command, "TooLate")
                    return
                self.answer(command, None)
                self.cancel(command.order_id)
            case ClosePosition():
                self._liquidate(command)

    def answer(self, command: Command, order_id: OrderId | None) -> None:
        """Confirm a command."""
        self.step(
            Confirmed(
                account=command.account,
                client_order_id=command.client_order_id,
                order_id=order_id,
                at=self.at(),
            )
        )

    def reject(self, command: Command, code: str) -> None:
        """Turn a command down."""
        self.step(
            Rejected(
                account=command.account,
                client_order_id=command.client_order_id,
                code=code,
                text="",
                at=self.at(),
            )
        )

    def _liquidate(self, command: ClosePosition) -> None:
        for order in list(self.orders.values()):
            alive = order.status is OrderStatus.WORKING
            if alive and order.account == command.account and order.symbol == command.symbol:
                self._end(order, OrderStatus.CANCELLED, seen=True)
        net = self.positions[command.account, command.symbol]
        if net:
            side = Side.SELL if net > 0 else Side.BUY
            self.market(side, abs(net), account=command.account, symbol=command.symbol)
        self.step(
            PositionReported(account=command.account, symbol=command.symbol, net=0, price=None, at=self.at())
        )

    def _accept(
        self,
        account: AccountId,
        client_order_id: ClientOrderId | None,
        symbol: Symbol,
        side: Side,
        spec: OrderSpec,
    ) -> BrokerOrder:
        self.last_id += 1
        order = BrokerOrder(
            account, OrderId(self.last_id), client_order_id, symbol, side, spec, created_at=self.at()
        )
        self.orders[order.order_id] = order
        return order

    def _working(self, order: BrokerOrder) -> OrderWorking:
        return OrderWorking(
            account=order.account,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            spec=order.spec,
            at=self.at(),
            oco=order.oco,
        )

    def _end(self, order: BrokerOrder, status: OrderStatus, *, seen: bool) -> None:
        order.status = status
        if seen:
            self.step(
                OrderEnded(
                    account=order.account,
                    order_id=order.order_id,
                    client_order_id=order.client_order_id,
                    status=status,
                    reason="",
                    at=self.at(),
                )
            )

    # -- what came of it ----------------------------------------------------------------------------

    def held(self, account: int, symbol: Symbol = ES) -> int:
        """Return what an account really holds."""
        return self.positions[AccountId(account), symbol]

    def resting(self, account: int) -> list[BrokerOrder]:
        """Return the working orders of an account."""
        return [
            order
            for order in self.orders.values()
            if order.account == account and order.status is OrderStatus.WORKING
        ]

    def reasons(self) -> list[str]:
        """Return every reason for which somebody was left out, in order."""
        return [str(refusal.reason) for decision in self.decisions for refusal in decision.refusals]

    def remarks(self) -> list[str]:
        """Return the kinds of all remarks, in order."""
        return [str(remark.kind) for decision in self.decisions for remark in decision.remarks]


def _fields(spec: OrderSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in spec.__slots__}


def desk(*followers: FollowerPlan, **settings: Any) -> Desk:
    """Return a connected desk with one group."""
    found = Desk(plan_of(group_of(*(followers or (follower(2),)), **settings)))
    found.connect()
    return found
