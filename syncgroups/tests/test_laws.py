"""The invariants of copying under any story: leader's whims, lost links, late and repeated events, refusals.

The numbers are those of the reliability rules: I1 one order for each intent, I2 nothing lost in silence,
I5 a reduction only reduces, I8 the cap holds. Hypothesis writes the stories and shrinks the ones that fail.
"""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncgroups.core.keys import client_order_id, parse_key
from syncgroups.tests.desk import Desk
from syncgroups.tests.plans import ES, GROUP, LEADER, follower, group_of, plan_of
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import OrderStatus, OrderType, Side, SizingMode
from tradehaven.domain.events import Event
from tradehaven.domain.ids import AccountId, OrderId

CAP = 4
FOLLOWERS = (
    follower(2),
    follower(3, ratio="1/2"),
    follower(4, sizing=SizingMode.FIXED, fixed_qty=2),
    follower(5, ratio="2", max_position=CAP),
)
ACCOUNTS = [plan.account for plan in FOLLOWERS]
SIDES = st.sampled_from(Side)


class Recorded(Desk):
    """A desk that remembers what the engine was shown, so that it can be shown again."""

    def __init__(self) -> None:
        super().__init__(plan_of(group_of(*FOLLOWERS)))
        self.shown: list[Event] = []
        self.seen: list[OrderId] = []

    def step(self, event: Event) -> Any:
        """Note the event, then let the engine see it."""
        self.shown.append(event)
        return super().step(event)


class Copying(RuleBasedStateMachine):
    """One leader, four followers, any story."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Recorded()
        self.reduced: dict[OrderId, bool] = {}

    @initialize()
    def up(self) -> None:
        """Bring all links up."""
        self.world.connect()

    # -- the leader ---------------------------------------------------------------------------------

    def _resting(self) -> list[OrderId]:
        return [order.order_id for order in self.world.resting(LEADER)]

    @rule(side=SIDES, qty=st.integers(1, 5))
    def market(self, side: Side, qty: int) -> None:
        """Trade at the market."""
        self.world.seen.append(self.world.market(side, qty))

    @rule(side=SIDES, qty=st.integers(1, 5), kind=st.sampled_from([OrderType.LIMIT, OrderType.STOP]))
    def rest(self, side: Side, qty: int, kind: OrderType) -> None:
        """Leave an order in the market."""
        price = {"limit": 20000} if kind is OrderType.LIMIT else {"stop": 20100}
        self.world.seen.append(self.world.trade(side, qty, kind, **price))  # type: ignore[arg-type]

    @precondition(lambda self: self._resting())
    @rule(data=st.data(), qty=st.integers(1, 6), price=st.integers(19_900, 20_100))
    def change(self, data: st.DataObject, qty: int, price: int) -> None:
        """Move a resting order."""
        order = self.world.orders[data.draw(st.sampled_from(self._resting()))]
        if qty > order.filled:
            name = "limit" if order.spec.order_type is OrderType.LIMIT else "stop"
            moved: dict[str, Any] = {name: price}
            self.world.change(order.order_id, qty=qty, **moved)

    @precondition(lambda self: self._resting())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Pull a resting order."""
        self.world.cancel(data.draw(st.sampled_from(self._resting())))

    @precondition(lambda self: any(self.world.resting(account) for account in [LEADER, *ACCOUNTS]))
    @rule(data=st.data())
    def trades(self, data: st.DataObject) -> None:
        """Let a resting order of anybody trade, all of it or one contract."""
        resting = [order for account in [LEADER, *ACCOUNTS] for order in self.world.resting(account)]
        order = data.draw(st.sampled_from(resting))
        self.world.fill(order.order_id, data.draw(st.sampled_from([1, order.spec.qty - order.filled])))

    # -- the world between --------------------------------------------------------------------------

    @precondition(lambda self: self.world.outbox)
    @rule()
    def deliver_one(self) -> None:
        """Let the broker see the oldest command."""
        self.world.deliver(self.world.outbox.pop(0))

    @rule()
    def deliver_all(self) -> None:
        """Let the broker see everything."""
        self.world.settle()

    @precondition(lambda self: self.world.outbox)
    @rule()
    def refuse_one(self) -> None:
        """Let the broker turn the oldest command down."""
        self.world.reject(self.world.outbox.pop(0), "MaxPosLimitReached")

    @rule(account=st.sampled_from(ACCOUNTS))
    def lose(self, account: AccountId) -> None:
        """Cut a follower's link; what was on its way to it is lost."""
        self.world.lose(account)
        self.world.outbox = [command for command in self.world.outbox if command.account != account]

    @rule(account=st.sampled_from(ACCOUNTS))
    def restore(self, account: AccountId) -> None:
        """Bring a follower's link up again, with a snapshot."""
        self.world.connect(account)

    @precondition(lambda self: self.world.shown)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Show the engine an old event of an order once more."""
        old = [event for event in self.world.shown if hasattr(event, "order_id")]
        if old:
            self.world.step(data.draw(st.sampled_from(old)))

    @rule(seconds=st.sampled_from([1, 6]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.world.wait(seconds)

    # -- what must always hold ----------------------------------------------------------------------

    @invariant()
    def one_order_for_each_intent(self) -> None:
        """I1: the broker never saw a client order id twice."""
        counts = Counter(command.client_order_id for command in self.world.placed)
        assert all(count == 1 for count in counts.values())
        waiting = [found for found in self.world.outbox if isinstance(found, PlaceOrder)]
        assert not {found.client_order_id for found in waiting} & set(counts)

    @invariant()
    def nothing_is_lost_in_silence(self) -> None:
        """I2: every order of the leader has an answer for every follower."""
        for order in self.world.seen:
            for account in ACCOUNTS:
                assert self.world.book.is_decided(client_order_id(GROUP, LEADER, order, account))

    @invariant()
    def the_cap_holds(self) -> None:
        """I8: what the capped follower holds and what works for it never exceed its limit."""
        account = ACCOUNTS[-1]
        held = self.world.held(account)
        for side in Side:
            working = [order for order in self.world.resting(account) if order.side is side]
            entries = sum(order.spec.qty - order.filled for order in working if self._enters(order))
            assert held * side.sign + entries <= CAP

    def _enters(self, order: Any) -> bool:
        copy = self.world.book.copies.get(order.client_order_id)
        return copy is not None and copy.enters > 0

    @invariant()
    def orders_of_ours_name_their_own_account(self) -> None:
        """A client order id is only ever used by the follower that it names."""
        for command in self.world.placed:
            key = parse_key(command.client_order_id)
            assert key is not None
            assert key.follower == command.account

    @invariant()
    def what_is_kept_in_sums_is_what_a_count_says(self) -> None:
        """Limits ask sums instead of orders: both always say the same."""
        book = self.world.book
        for account in (LEADER, *ACCOUNTS):
            for side in Side:
                mine = [copy for copy in book.open_copies_of(account) if copy.side is side]
                assert book.at_work.outstanding(account, ES, side) == sum(copy.outstanding for copy in mine)
            strange = {order for order in book.working[account] if (account, order) not in book.by_order}
            assert set(book.at_work.others_of(account)) == strange

    def teardown(self) -> None:
        """Let everything come to rest; then nothing is in doubt, and nothing outlives a cancelled order."""
        self.world.connect()
        for _ in range(8):
            self.world.settle()
            self.world.wait(6)
            self.world.connect()
        self.world.settle()
        for copy in self.world.book.copies.values():
            assert copy.in_flight is None or not copy.is_open
            leader = self.world.orders.get(copy.leader_order)
            if leader is not None and leader.status is OrderStatus.CANCELLED and copy.refusals == 0:
                assert not copy.is_open, copy
        assert self.world.book.positions[LEADER, ES] == self.world.held(LEADER)
        for account in ACCOUNTS:
            assert self.world.book.positions[account, ES] == self.world.held(account)


TestCopying = Copying.TestCase
TestCopying.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)


TRADES = st.lists(
    st.tuples(SIDES, st.integers(1, 5), st.integers(0, 4), st.sampled_from(["take", "refuse", "lose"])),
    min_size=1,
    max_size=15,
)
"""Side, contracts, how many waiting commands are done with after the trade, and in which way."""


def _shows_growth(before: int, after: int) -> bool:
    return abs(after) > abs(before) or before * after < 0


def _trade(world: Desk, side: Side, qty: int, exits: set[OrderId]) -> None:
    before = world.held(LEADER)
    order = world.market(side, qty)
    if not _shows_growth(before, world.held(LEADER)):
        exits.add(order)


def _done_with(world: Desk, count: int, what: str) -> set[AccountId]:
    """Let the broker take, refuse or lose some orders; return who lost an exit by that."""
    hurt: set[AccountId] = set()
    for command in [found for found in world.outbox[:count] if isinstance(found, PlaceOrder)]:
        world.outbox.remove(command)
        if what == "take":
            world.deliver(command)
            continue
        if world.book.copies[command.client_order_id].enters < command.spec.qty:
            hurt.add(command.account)
        if what == "refuse":
            world.reject(command, "MaxPosLimitReached")
    return hurt


def _held_fill_by_fill(world: Desk, exits: set[OrderId]) -> dict[AccountId, int]:
    held = dict.fromkeys(ACCOUNTS, 0)
    for fill in world.fills:
        copy = world.book.copy_of_order(fill.account, fill.order_id)
        if copy is not None:
            before = held[fill.account]
            held[fill.account] += fill.qty * fill.side.sign
            assert copy.leader_order not in exits or not _shows_growth(before, held[fill.account]), copy
    return held


@given(trades=TRADES)
@settings(max_examples=300, deadline=None)
def test_an_exit_only_exits_and_who_follows_a_flat_leader_ends_flat(
    trades: list[tuple[Side, int, int, str]],
) -> None:
    """I5 and I4: the broker may lag behind at will, turn any order down, or never get it.

    Whoever lost an exit by that keeps what it held, which is said as drift; nobody is flipped.
    """
    world = Desk(plan_of(group_of(*FOLLOWERS)))
    world.connect()
    exits: set[OrderId] = set()
    hurt: set[AccountId] = set()
    for side, qty, count, what in trades:
        _trade(world, side, qty, exits)
        hurt |= _done_with(world, count, what)
    if left := world.held(LEADER):
        _trade(world, Side.SELL if left > 0 else Side.BUY, abs(left), exits)
    for _ in range(4):
        world.settle()
        world.wait(6)
        world.connect()  # the second complete list without an order says that it never was
    world.settle()

    held = _held_fill_by_fill(world, exits)
    assert held == {account: world.held(account) for account in ACCOUNTS}
    assert not any(held[account] for account in ACCOUNTS if account not in hurt)
    assert not world.book.waiting
