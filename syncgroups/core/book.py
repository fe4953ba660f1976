"""What is known: orders, fills, positions, gates, links, and which follower order answers which leader order.

The mailbox is the only writer: `folding.fold` takes facts in, `apply` takes our own decisions in.
Nothing here decides, and nothing here sends.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from syncgroups.core.atwork import AtWork
from syncgroups.core.copies import Copy, HoldingKey
from syncgroups.core.decision import (
    AccountStep,
    CopyRefused,
    CopyStep,
    Decision,
    Look,
    Remark,
    RemarkKind,
)
from syncgroups.core.differences import Difference, DriftKey
from syncgroups.core.gates import Gates
from syncgroups.core.keys import is_manual
from syncgroups.core.past import Past
from syncgroups.core.positions import Positions
from syncgroups.core.riskbook import RiskBook
from syncgroups.core.waiting import Waiting
from tradehaven.domain.commands import CancelOrder, ClosePosition
from tradehaven.domain.enums import (
    OrderStatus,
    OrderType,
    RefusalReason,
    Side,
    TradingState,
)
from tradehaven.domain.ids import (
    AccountId,
    ClientOrderId,
    ConnectionId,
    FillId,
    GateId,
    GroupId,
    Nanos,
    OrderId,
    Symbol,
)
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.transitions import is_final

UNSEEN = frozenset({RefusalReason.FOLLOWER_OFFLINE, RefusalReason.ENGINE_OFFLINE})
"""Reasons for which an order was missed only because somebody was not there."""
OrderKey = tuple[AccountId, OrderId]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order of any account as the broker last stated it; `price` is that of its last fill.

    `cost` is what its fills sum to, in ticks times contracts; `oco` is the order that ends when it fills.
    """

    symbol: Symbol
    side: Side
    spec: OrderSpec
    status: OrderStatus
    filled: int = 0
    price: Ticks | None = None
    cost: int = 0
    oco: OrderId | None = None

    @property
    def unfilled(self) -> int:
        """Return the signed contracts that may still trade."""
        return 0 if is_final(self.status) else (self.spec.qty - self.filled) * self.side.sign


class Book:
    """One owner's state in memory. Positions and quantities are signed contracts.

    `in_sight` are accounts of which a snapshot has told since the start: of others no position is known.
    `adopted` are manual copies that a life before this one began. `unheard` are positions of which a list
    says something else than fills and reports: since when, and all three.
    `settling` are logins that came in sight for the first time a moment ago, `settled` those for which that
    moment has just passed. `rejoined` are accounts to which copying has begun again, `back` those to which it
    had when the last second passed. Open copies stand in the order of their coming, never of their hashes: a
    recorded day replays to the same orders.
    """

    def __init__(self) -> None:
        self.links, self.settling = set[ConnectionId](), set[ConnectionId]()
        self.rejoined, self.back = set[AccountId](), frozenset[AccountId]()
        self.first_seen: dict[ConnectionId, Nanos] = {}
        self.settled: frozenset[ConnectionId] = frozenset()
        self.gates = Gates()
        self.orders: dict[OrderKey, OrderRecord] = {}
        self.working: defaultdict[AccountId, set[OrderId]] = defaultdict(set)
        self.traded: defaultdict[AccountId, dict[Symbol, None]] = defaultdict(dict)
        self.market_orders: defaultdict[AccountId, set[OrderId]] = defaultdict(set)
        self.market_copies: defaultdict[AccountId, dict[ClientOrderId, None]] = defaultdict(dict)
        self.fills: set[tuple[AccountId, FillId]] = set()
        self.at_work = AtWork(self.traded)
        self.positions = Positions(self.traded)
        self.reported: dict[tuple[AccountId, Symbol], int] = {}
        self.unheard: dict[tuple[AccountId, Symbol], tuple[Nanos, int, int, int]] = {}
        self.balances: dict[AccountId, Decimal] = {}
        self.sizing_balances: dict[AccountId, Decimal] = {}
        self.sizing_until = Nanos(0)
        self.copies: dict[ClientOrderId, Copy] = {}
        self.by_order: dict[OrderKey, ClientOrderId] = {}
        self.by_leader: defaultdict[OrderKey, list[ClientOrderId]] = defaultdict(list)
        self.open_copies: defaultdict[AccountId, dict[ClientOrderId, None]] = defaultdict(dict)
        self.copied: defaultdict[HoldingKey, int] = defaultdict(int)
        self.changed_holdings: set[HoldingKey] = set()
        self.held: set[ClientOrderId] = set()
        self.silent_until: dict[ConnectionId, Nanos] = {}
        self.held_as: dict[tuple[GroupId, AccountId, Symbol], Symbol] = {}
        self.reversed: set[HoldingKey] = set()
        self.refused: dict[ClientOrderId, RefusalReason] = {}
        self.waiting: dict[ClientOrderId, Waiting] = {}
        self.resting_since: dict[ClientOrderId, Nanos] = {}
        self.chasing: dict[ClientOrderId, Nanos] = {}
        self.absent_since: dict[ClientOrderId, Nanos] = {}
        self.flattening: dict[AccountId, Nanos] = {}
        self.differences: dict[DriftKey, Difference] = {}
        self.agreed: dict[HoldingKey, tuple[int, int]] = {}
        self.taken: dict[HoldingKey, int] = {}
        self.missed: dict[ClientOrderId, HoldingKey] = {}
        self.quarantined: set[tuple[GroupId, AccountId, Symbol]] = set()
        self.requests, self.orders_asked = set[int](), set[int]()
        self.adopted, self.in_sight = set[ClientOrderId](), set[AccountId]()
        self.manual: defaultdict[AccountId, set[ClientOrderId]] = defaultdict(set)
        self.assumed: dict[tuple[AccountId, Symbol], Nanos] = {}
        self.past = Past()
        self.listed: dict[AccountId, tuple[Nanos, dict[Symbol, int]]] = {}
        self.risk = RiskBook()

    # -- questions ----------------------------------------------------------------------------------

    def open_copies_of(self, account: AccountId) -> Iterator[Copy]:
        """Yield this follower's orders that may still trade."""
        return (self.copies[key] for key in self.open_copies[account])

    def market_copies_of(self, account: AccountId) -> Iterator[Copy]:
        """Yield those of them that trade at the market, however many others rest."""
        return (self.copies[key] for key in self.market_copies[account])

    def is_filled(self, account: AccountId, order: OrderId) -> bool:
        """Say whether an order has traded in full, as far as is known."""
        record = self.orders.get((account, order))
        return record is not None and record.status in (OrderStatus.FILLED, OrderStatus.COMPLETED)

    def is_forgotten(self, account: AccountId, order: OrderId) -> bool:
        """Say whether an order was known and is forgotten: it is long over, and no news."""
        return order <= self.past.orders.get(account, 0) and (account, order) not in self.orders

    def has_counted(self, account: AccountId, fill: FillId) -> bool:
        """Say whether a fill was counted; one that is as old as what is forgotten was."""
        return (account, fill) in self.fills or fill <= self.past.fills.get(account, 0)

    def copies_of_order(self, account: AccountId, order: OrderId) -> list[Copy]:
        """Return what the followers were sent for one order of a leader."""
        return [self.copies[key] for key in self.by_leader.get((account, order), ())]

    def copy_of_order(self, account: AccountId, order: OrderId) -> Copy | None:
        """Return the copy that one order of a follower is, or None for a foreign order."""
        key = self.by_order.get((account, order))
        return self.copies[key] if key else None

    def is_ours(self, account: AccountId, order: OrderId) -> bool:
        """Say whether an order is one that we placed: a copy, or a guard."""
        return (account, order) in self.by_order or (account, order) in self.risk.guard_orders

    def flying(self, account: AccountId, symbol: Symbol, *, but: OrderId | None = None) -> int:
        """Return the signed contracts that market orders of an account are about to trade.

        Copies count from the moment they are sent, so that two quick exits do not both close the
        same contracts. Around one order of ours (`but`) those that were sent after it do not count: in a
        chain it is the leader's, and they are its future.
        """
        total = 0
        mine = self.copy_of_order(account, but) if but is not None else None
        for order_id in self.market_orders.get(account, ()):
            record = self.orders[account, order_id]
            if order_id != but and record.symbol == symbol:
                total += record.unfilled
        for copy in self.market_copies_of(account):
            unseen = (account, copy.order_id) not in self.orders
            earlier = mine is None or copy.precedes(mine)
            if unseen and copy.symbol == symbol and earlier:
                total += copy.unfilled
        return total

    def unanswered(self, account: AccountId, symbol: Symbol, order: OrderId) -> int:
        """Return what of that is in doubt around an order: signed contracts of copies without an answer."""
        mine = self.copy_of_order(account, order)
        return sum(
            copy.unfilled
            for copy in self.market_copies_of(account)
            if copy.order_id is None and copy.symbol == symbol and (mine is None or copy.precedes(mine))
        )

    def foreign_flying(self, account: AccountId, symbol: Symbol) -> int:
        """Return the signed contracts that market orders of a strange hand are about to trade."""
        orders = self.market_orders.get(account)
        if not orders:
            return 0
        records = (self.orders[account, order] for order in orders if (account, order) not in self.by_order)
        return sum(record.unfilled for record in records if record.symbol == symbol)

    def states_of(self, gates: Iterable[GateId]) -> tuple[TradingState, ...]:
        """Return how the gates stand; one that nothing is known of is shut, as is one just pressed."""
        return tuple(self.gates.state_of(gate) for gate in gates)

    def is_decided(self, key: ClientOrderId) -> bool:
        """Say whether this follower's answer to this leader's order was given already."""
        return key in self.copies or key in self.refused or key in self.waiting

    def held_symbols(self, account: AccountId) -> dict[Symbol, int]:
        """Return an account's positions by contract, by the broker's own word where it gave one.

        A report of nothing may be older than a fill that it lacks: then fills count, until lists settle it.
        """
        known = self.positions.of(account)
        known |= {symbol: net for (holder, symbol), net in self.reported.items() if holder == account and net}
        return known

    def is_bracketed(self, copy: Copy) -> bool:
        """Say whether an order belongs to a manual one that is known, with what it cost."""
        entries = (self.copies[key] for key in self.manual.get(copy.follower, ()))
        return any(entry.holding == copy.holding and entry.filled for entry in entries)

    # -- decisions ----------------------------------------------------------------------------------

    def apply(self, decision: Decision) -> None:
        """Take our own decision in, after it has been written down."""
        for step in decision.steps:
            if isinstance(step, CopyStep):
                self.keep(step.copy)
            elif isinstance(step, AccountStep):
                self._count(step)
        for refusal in decision.refusals:
            self._refuse(refusal)
        for remark in decision.remarks:
            self._remark(remark)
        for account in decision.flattening:
            self.flattening.setdefault(account, Nanos(0))
        if decision.look is not None:
            self._look(decision.look)
        for difference in decision.differences:
            self.differences[difference.key] = difference
        for key in decision.chased:
            self.chasing.pop(key, None)
        self.risk.apply(decision)
        for waiting in decision.waiting:
            if waiting.doubts:
                self.waiting[waiting.key] = waiting
            else:
                self.waiting.pop(waiting.key, None)

    def keep(self, copy: Copy) -> None:
        """Store a copy as it is now and bring every index in line."""
        key = copy.key
        if key not in self.copies:
            self.by_leader[copy.leader, copy.leader_order].append(key)
            if copy.reverse:
                self.reversed.add(copy.holding)
            else:
                self.reversed.discard(copy.holding)
        self.at_work.keep(self.copies.get(key), copy)
        self.copies[key] = copy
        if copy.is_manual and copy.enters:
            self.manual[copy.follower].add(key)
        self.refused.pop(key, None)
        self.missed.pop(key, None)
        if copy.order_id is not None:
            self.by_order[copy.follower, copy.order_id] = key
        if copy.held_until and copy.is_open:
            self.held.add(key)
        else:
            self.held.discard(key)
        if copy.is_open:
            self.open_copies[copy.follower][key] = None
            if copy.sent.order_type is OrderType.MARKET:
                self.market_copies[copy.follower][key] = None
        else:
            self.open_copies[copy.follower].pop(key, None)
            self.market_copies[copy.follower].pop(key, None)

    def set_order(self, account: AccountId, order_id: OrderId, record: OrderRecord) -> None:
        """Store an order as the broker states it now, and bring the indexes of live orders in line."""
        self.orders[account, order_id] = record
        self.traded[account][record.symbol] = None
        if is_final(record.status):
            self.working[account].discard(order_id)
            self.market_orders[account].discard(order_id)
            self.at_work.end(account, order_id)
            return
        self.working[account].add(order_id)
        if (account, order_id) not in self.by_order:
            self.at_work.show(account, order_id)
        if record.spec.order_type is OrderType.MARKET:
            self.market_orders[account].add(order_id)

    def forget_orders(self, account: AccountId) -> None:
        """Forget an account's orders before the broker states all of them anew."""
        for known in [key for key in self.orders if key[0] == account]:
            del self.orders[known]
        self.working[account].clear()
        self.market_orders[account].clear()
        self.at_work.forget(account)

    def forget_manual(self) -> None:
        """Forget manual orders that have ended and of which nothing is held or works any more."""
        for account, keys in self.manual.items():
            alive = {copy.holding for copy in self.open_copies_of(account)}
            keys -= {
                key
                for key in keys
                if self.copies[key].holding not in alive and not self.copied.get(self.copies[key].holding, 0)
            }

    def hold(self, holding: HoldingKey, net: int) -> None:
        """Set what a follower holds because of one group, and remember that it must be written down."""
        self.copied[holding] = net
        self.changed_holdings.add(holding)
        group, account, symbol, leads = holding
        if net:
            self.held_as[group, account, leads] = symbol
        elif self.held_as.get((group, account, leads)) == symbol:
            del self.held_as[group, account, leads]

    def held_for(self, group: GroupId, account: AccountId, leads: Symbol) -> tuple[Symbol, bool] | None:
        """Return the contract that a follower holds for one of its leader's, and whether it is reversed."""
        symbol = self.held_as.get((group, account, leads))
        return (symbol, (group, account, symbol, leads) in self.reversed) if symbol is not None else None

    def _look(self, look: Look) -> None:
        self.differences = dict(look.differences)
        self.agreed, self.taken = dict(look.agreed), dict(look.taken)
        for account, symbol, net in look.positions:
            self.positions[account, symbol] = net
            self.reported[account, symbol] = net
        for holding, net in look.holdings:
            self.hold(holding, net)
        for key in look.over:
            self.missed.pop(key, None)

    def _count(self, step: AccountStep) -> None:
        command = step.command
        if isinstance(command, ClosePosition):
            self.at_work.closed_at[step.account, command.symbol] = step.at
        order_id = command.order_id if isinstance(command, CancelOrder) else None
        is_twin = order_id is not None and self.at_work.told(step.account, order_id, step.at)
        if not is_twin or step.account in self.flattening:
            self.flattening[step.account] = step.at

    def _remark(self, remark: Remark) -> None:
        if remark.key is not None:
            self.absent_since.pop(remark.key, None)
        if remark.kind is RemarkKind.FLAT:
            self.flattening.pop(remark.account, None)
            self.at_work.out_since.pop(remark.account, None)
            for holding in [key for key in self.copied if key[1] == remark.account]:
                self.hold(holding, 0)
        elif remark.kind is RemarkKind.QUARANTINED and remark.group is not None and remark.symbol is not None:
            self.quarantined.add((remark.group, remark.account, remark.symbol))

    def _refuse(self, refusal: CopyRefused) -> None:
        if refusal.key not in self.copies:
            self.refused[refusal.key] = refusal.reason
            if refusal.reason in UNSEEN and not is_manual(refusal.key):
                record = self.orders.get((refusal.leader, refusal.leader_order))
                leads = record.symbol if record is not None else refusal.symbol
                self.missed[refusal.key] = (refusal.group, refusal.follower, refusal.symbol, leads)
