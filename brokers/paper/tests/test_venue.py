"""Properties of the whole venue: any sequence of orders keeps cash, positions and volume straight."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper import accounts, recovery
from brokers.paper.catalogue import Catalogue, load_specs
from brokers.paper.codec import from_wire, to_wire
from brokers.paper.entities import CashBalanceLog, Fill, FillPair, Order, Position
from brokers.paper.kinds import SESSION_KINDS, Kind
from brokers.paper.market import ladder
from brokers.paper.records import Frame, Journal, Row
from brokers.paper.state import Rules, State
from brokers.paper.store import Login, Seat
from brokers.paper.terms import SUPPORTED, RefusedError, Sender, Terms
from brokers.paper.venue import Ticketed, Venue
from brokers.paper.words import Action, OrderType, OrdStatus, TimeInForce

START = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
SESSION = date(2026, 11, 18)
CATALOGUE = Catalogue(load_specs(), SESSION)
OPENING = Decimal(50_000)
LOGIN = Login(
    user_id=1,
    name="alice",
    email="alice@paper.example",
    seats=(
        Seat(account_id=10, name="A-1", opening=OPENING),
        Seat(account_id=11, name="A-2", opening=OPENING),
    ),
)
FEE = Decimal("2.50")


def fresh(latency: int = 0) -> Venue:
    rules = Rules(latency_ms=(0, latency), slippage_ticks=(0, 2), commission=FEE)
    state = State(catalogue=CATALOGUE, rules=rules, first_id=1000, session=SESSION)
    journal = Journal(records=state.records, now=START, session=SESSION)
    accounts.admit(state, journal, LOGIN)
    return Venue(state, Random(7))


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("place"),
            st.sampled_from([10, 11]),
            st.sampled_from(Action),
            st.sampled_from(sorted(SUPPORTED)),
            st.integers(-8, 8),
            st.integers(1, 6),
            st.sampled_from([TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK]),
        ),
        st.tuples(st.just("pair"), st.sampled_from([10, 11]), st.integers(1, 8), st.integers(1, 5)),
        st.tuples(st.just("bracket"), st.sampled_from([10, 11]), st.integers(-3, 3), st.integers(1, 5)),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("modify"), st.integers(0, 30), st.integers(-8, 8), st.integers(1, 8)),
        st.tuples(st.just("market"), st.integers(-8, 8), st.integers(1, 8)),
        st.tuples(st.just("liquidate"), st.sampled_from([10, 11])),
    ),
    max_size=30,
)


class Play:
    """Carries generated steps out on a venue."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        listing = CATALOGUE.find("MESZ6")
        assert listing is not None
        self.contract = listing.id
        self.now = START
        self.orders: list[int] = []
        self.frames: list[Frame] = []
        self.market(0, 8)

    def run(self, step: tuple[Any, ...]) -> None:
        self.now += timedelta(milliseconds=40)
        self.frames += self.venue.advance(self.now)
        getattr(self, step[0])(*step[1:])

    def market(self, shift: int, size: int) -> None:
        depth = ladder(20_000 + shift, 20_001 + shift, 20_000 + shift, [size] * 4)
        self.frames += self.venue.market_moved(self.contract, depth, self.now)

    def place(
        self, account: int, action: Action, kind: OrderType, shift: int, qty: int, force: TimeInForce
    ) -> None:
        price = 20_000 + shift
        terms = Terms(
            qty=qty,
            order_type=kind,
            limit=price if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
            stop=None if kind in (OrderType.MARKET, OrderType.LIMIT) else price,
            trail=4 if kind is OrderType.TRAILING_STOP else None,
            time_in_force=force,
        )
        self._send("place", account, Ticketed(action=action, terms=terms))

    def pair(self, account: int, width: int, qty: int) -> None:
        limit = Terms(qty=qty, order_type=OrderType.LIMIT, limit=20_000 + width)
        stop = Terms(qty=qty, order_type=OrderType.STOP, stop=20_000 - width)
        legs = [Ticketed(action=Action.SELL, terms=item) for item in (limit, stop)]
        self._send("place_pair", account, legs)

    def bracket(self, account: int, shift: int, qty: int) -> None:
        entry = Ticketed(
            action=Action.BUY, terms=Terms(qty=qty, order_type=OrderType.LIMIT, limit=20_000 + shift)
        )
        target = Terms(qty=qty, order_type=OrderType.LIMIT, limit=20_005)
        stop = Terms(qty=qty, order_type=OrderType.STOP, stop=19_995)
        legs = [Ticketed(action=Action.SELL, terms=item) for item in (target, stop)]
        self._send("place_bracket", account, entry, legs)

    def cancel(self, index: int) -> None:
        self._change(index, lambda order: self.venue.cancel(order, Sender(user_id=1), self.now))

    def modify(self, index: int, shift: int, qty: int) -> None:
        terms = Terms(qty=qty, order_type=OrderType.LIMIT, limit=20_000 + shift)
        self._change(index, lambda order: self.venue.modify(order, terms, Sender(user_id=1), self.now))

    def liquidate(self, account: int) -> None:
        outcome = self.venue.liquidate(account, self.contract, Sender(user_id=1), self.now)
        self.frames += outcome.frames

    def _send(self, method: str, account: int, *wanted: Any) -> None:
        send = getattr(self.venue, method)
        outcome = send(account, self.contract, *wanted, Sender(user_id=1), self.now)
        self.orders += outcome.reply.values()
        self.frames += outcome.frames

    def _change(self, index: int, change: Any) -> None:
        if self.orders:
            try:
                self.frames += change(self.orders[index % len(self.orders)]).frames
            except RefusedError:
                return


def played(steps: list[tuple[Any, ...]], latency: int = 0) -> Play:
    play = Play(fresh(latency))
    for step in steps:
        play.run(step)
    play.now += timedelta(seconds=5)
    play.frames += play.venue.advance(play.now)
    return play


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from([0, 120]))
def test_cash_is_opening_plus_realised_minus_commission_to_the_cent(steps: list[Any], latency: int) -> None:
    play = played(steps, latency)
    state = play.venue.state
    for account in (10, 11):
        fills = [fill for fill in state.records.all(Fill) if _account(state, fill) == account]
        positions = state.records.of_master(Position, account)
        pairs = [pair for row in positions for pair in state.records.of_master(FillPair, row.id)]
        realized = sum(((p.sell_price - p.buy_price) * p.qty * 5 for p in pairs), Decimal(0))
        fees = sum((fill.qty * FEE for fill in fills), Decimal(0))
        assert state.cash(account).amount == OPENING + realized - fees
        logs = state.records.of_master(CashBalanceLog, account)
        assert sum((row.delta for row in logs), Decimal(0)) == realized - fees
        net = sum(fill.qty * fill.action.sign for fill in fills)
        assert sum(row.net_pos for row in positions) == net
        assert all(0 <= fill.finally_paired <= fill.qty for fill in fills)
        open_part = sum((fill.qty - fill.finally_paired) * fill.action.sign for fill in fills)
        assert open_part == net


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from([0, 120]))
def test_no_order_trades_more_than_its_quantity_or_through_its_limit(steps: list[Any], latency: int) -> None:
    state = played(steps, latency).venue.state
    for order in state.records.all(Order):
        filled = state.filled(order.id)
        version = state.version(order.id)
        assert filled <= version.order_qty
        assert (order.ord_status is OrdStatus.FILLED) == (filled == version.order_qty)
        assert order.ord_status is not OrdStatus.PENDING_NEW
        if version.id == order.id and version.order_type is OrderType.LIMIT:
            assert version.price is not None
            fills = state.records.of_master(Fill, order.id)
            assert all((fill.price - version.price) * order.action.sign <= 0 for fill in fills)
        working = order.ord_status is OrdStatus.WORKING
        assert working == (order.id in state.books[order.contract_id].tickets)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_living_orders_of_a_pair_have_the_same_open_quantity(steps: list[Any]) -> None:
    steps = [step for step in steps if step[0] != "modify"]
    state = played(steps).venue.state
    for order in state.records.all(Order):
        if order.oco_id is None or order.ord_status is not OrdStatus.WORKING:
            continue
        other = state.records.need(Order, order.oco_id)
        assert other.ord_status is OrdStatus.WORKING
        mine = state.version(order.id).order_qty - state.filled(order.id)
        assert mine == state.version(other.id).order_qty - state.filled(other.id)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.sampled_from([0, 120]))
def test_venue_rebuilt_from_its_events_is_the_same_venue(steps: list[Any], latency: int) -> None:
    play = Play(fresh(latency))
    for step in steps:
        play.run(step)
    old = play.venue.state
    kinds = [kind for kind in Kind if kind in SESSION_KINDS or kind is Kind.POSITION]
    rows = [
        Row(
            kind=row.kind,
            entity=from_wire(row.kind, to_wire(row.entity)),
            account_id=row.account_id,
            session=row.session,
        )
        for kind in (*kinds, Kind.ACCOUNT)
        for row in old.records.rows(kind)
    ]
    new = State(catalogue=CATALOGUE, rules=old.rules, first_id=old.ids.next, session=SESSION)
    recovery.restore(new, rows, play.now)
    books = {number: set(made.tickets) for number, made in old.books.items() if made.tickets}
    assert {number: set(made.tickets) for number, made in new.books.items() if made.tickets} == books
    held = {key: holding for key, holding in old.holdings.items() if holding.net}
    assert {key: holding for key, holding in new.holdings.items() if holding.net} == held
    assert {due.order_id for due in new.agenda} == {
        due.order_id
        for due in old.agenda
        if due.command_id or old.records.need(Order, due.order_id).ord_status is OrdStatus.PENDING_NEW
    }


def _account(state: State, fill: Fill) -> int:
    return state.records.need(Order, fill.order_id).account_id
