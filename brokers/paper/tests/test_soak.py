"""A trading week at high speed: random orders of several accounts, books balanced at every roll.

The week is cut into steps of a simulated minute; `PAPER_SOAK_STEP=5` (seconds) makes it a dozen times
longer.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from brokers.paper import accounts, recovery, supervision
from brokers.paper.catalogue import Catalogue, load_specs
from brokers.paper.entities import Account, CashBalanceLog, Evaluation, Fill, FillFee, Order, OrderVersion
from brokers.paper.executions import book_cash
from brokers.paper.floor import Floor
from brokers.paper.kinds import SESSION_KINDS, Kind
from brokers.paper.ledger import Holding
from brokers.paper.records import Frame, Journal, Row
from brokers.paper.session import roll, trade_date
from brokers.paper.state import Rules, State
from brokers.paper.store import Login, Seat
from brokers.paper.terms import RefusedError, Sender, Terms
from brokers.paper.venue import Ticketed, Venue
from brokers.paper.words import Action, CashChangeType, EventType, OrderType, OrdStatus, TimeInForce

STEP = float(os.environ.get("PAPER_SOAK_STEP", "60"))
BEGIN = datetime(2026, 11, 15, 22, 55, tzinfo=UTC)
END = BEGIN + timedelta(days=7)
SYMBOLS = ("ESZ6", "MESZ6", "CLF7", "ZCH7")
OPENING = Decimal(100_000)
SENDER = Sender(user_id=1, session_id=1, automated=True)
SEATS = (
    Seat(account_id=10, name="A-1", opening=OPENING),
    Seat(account_id=11, name="A-2", opening=OPENING),
    Seat(account_id=12, name="A-3", opening=OPENING, rule_set="apex_eod_eval_4:100000"),
    Seat(account_id=13, name="A-4", opening=OPENING, rule_set="apex_legacy_eval_static:100000"),
)
LOGIN = Login(user_id=1, name="alice", email="alice@paper.example", seats=SEATS)
TYPES = (OrderType.MARKET, OrderType.MARKET, OrderType.LIMIT, OrderType.STOP)
TIMES = (TimeInForce.DAY, TimeInForce.GTC)


class Week:
    """The venue, its market, and books kept beside it from nothing but the events that clients see."""

    def __init__(self, seed: str) -> None:
        self.now = BEGIN
        self.chance = Random(seed)
        self.floor = Floor(chance_of=lambda name: Random(f"{seed}:{name}"), keeps_hours=True)
        self.state = self._state()
        self.venue = Venue(self.state, Random(seed))
        found = [self.state.catalogue.find(symbol) for symbol in SYMBOLS]
        self.listings = [item for item in found if item is not None]
        self.rows: dict[tuple[Kind, int], Row] = {}
        self.flow: dict[int, Decimal] = defaultdict(Decimal)
        self.fees: dict[int, Decimal] = defaultdict(Decimal)
        self.deposits: dict[int, Decimal] = defaultdict(Decimal)
        self.net: Counter[tuple[int, int]] = Counter()
        self.counts: Counter[str] = Counter()
        journal = Journal(records=self.state.records, now=self.now, session=self.state.session)
        accounts.admit(self.state, journal, LOGIN)
        self.hear(journal.finish())
        for item in self.listings:
            self.hear(self.venue.market_moved(item.id, self.floor.quote(item).depth, self.now))

    def _state(self) -> State:
        rules = Rules(latency_ms=(50, 200), slippage_ticks=(0, 2), commission=Decimal("2.37"))
        session = trade_date(self.now)
        return State(catalogue=Catalogue(load_specs(), session), rules=rules, first_id=1000, session=session)

    def hear(self, frames: Iterable[Frame]) -> None:
        for event in (event for frame in frames for event in frame):
            entity = event.entity
            row = Row(kind=event.kind, entity=entity, account_id=event.account_id, session=event.session)
            self.rows[event.kind, entity.id] = row
            new = event.event_type is EventType.CREATED
            if isinstance(entity, Fill) and new:
                signed = entity.qty * entity.action.sign
                point = self.state.listing(entity.contract_id).spec.point_value
                self.net[event.account_id, entity.contract_id] += signed
                self.flow[event.account_id] -= signed * entity.price * point
                self.counts["fills"] += 1
            elif isinstance(entity, FillFee) and new:
                self.fees[event.account_id] += entity.commission
            elif isinstance(entity, CashBalanceLog) and entity.cash_change_type is (
                CashChangeType.MANUAL_ADJUSTMENT
            ):
                self.deposits[event.account_id] += entity.delta
            elif isinstance(entity, Order):
                self.counts[entity.ord_status.value] += 1

    def run(self) -> None:
        while self.now < END:
            self.step()

    def step(self) -> None:
        self.now += timedelta(seconds=STEP)
        self.hear(self.venue.advance(self.now))
        if trade_date(self.now) != self.state.session:
            self.turn()
        moved = self.floor.advance(STEP, self.now)
        for number, quote in moved.items():
            self.hear(self.venue.market_moved(number, quote.depth, self.now))
        self.hear(supervision.watch(self.venue, self.now))
        if moved and self.chance.random() < min(0.5, STEP / 300):
            self.act(sorted(moved))

    def act(self, contract_ids: list[int]) -> None:
        """Place, change, cancel, close or deposit, whatever chance says; refusals are part of a week."""
        account_id = self.chance.choice(SEATS).account_id
        orders = list(self.state.alive(account_id))
        wish = self.chance.random()
        try:
            if wish < 0.15 and orders:
                self.hear(self.venue.cancel(self.chance.choice(orders).id, SENDER, self.now).frames)
            elif wish < 0.2:
                number = self.chance.choice(contract_ids)
                self.hear(self.venue.liquidate(account_id, number, SENDER, self.now).frames)
            elif wish < 0.22:
                self.deposit(account_id)
            else:
                self.place(account_id, self.chance.choice(contract_ids))
        except RefusedError:
            self.counts["refused"] += 1

    def place(self, account_id: int, contract_id: int) -> None:
        action = self.chance.choice(tuple(Action))
        kind = self.chance.choice(TYPES)
        last = self.state.books[contract_id].last or 0
        distance = self.chance.randint(1, 40)
        below = last - distance * action.sign
        above = last + distance * action.sign
        terms = Terms(
            qty=self.chance.randint(1, 3),
            order_type=kind,
            limit=below if kind is OrderType.LIMIT else None,
            stop=above if kind is OrderType.STOP else None,
            time_in_force=self.chance.choice(TIMES),
        )
        wanted = Ticketed(action=action, terms=terms)
        self.hear(self.venue.place(account_id, contract_id, wanted, SENDER, self.now).frames)

    def deposit(self, account_id: int) -> None:
        from_desk = Journal(records=self.state.records, now=self.now, session=self.state.session)
        amount = Decimal(self.chance.randint(1, 500))
        reason = CashChangeType.MANUAL_ADJUSTMENT
        book_cash(self.state, from_desk, account_id, amount, reason)
        supervision.moved_cash(self.state, from_desk, account_id, amount)
        self.hear(from_desk.finish())

    def turn(self) -> None:
        """End the day, and hold the venue's books against those kept here."""
        before = {key: holding.net for key, holding in self.state.holdings.items() if holding.net}
        day = [
            order.id
            for seat in SEATS
            for order in self.state.alive(seat.account_id)
            if self.state.version(order.id).time_in_force is TimeInForce.DAY
        ]
        self.hear(roll(self.venue, trade_date(self.now), self.now, resends=False))
        self.floor.settle()
        self.counts["rolls"] += 1
        assert {key: holding.net for key, holding in self.state.holdings.items() if holding.net} == before
        assert all(self.status(number) is OrdStatus.EXPIRED for number in day)
        for account in list(self.state.records.all(Account)):
            self.balanced(account.id)
        self.comes_back()

    def status(self, order_id: int) -> OrdStatus:
        order = self.rows[Kind.ORDER, order_id].entity
        assert isinstance(order, Order)
        return order.ord_status

    def balanced(self, account_id: int) -> None:
        cash = self.state.cash(account_id)
        assert cash.realized_pnl == 0
        assert cash.amount == cash.amount_sod
        value = Decimal(0)
        for (owner, number), net in self.net.items():
            if owner == account_id and net:
                last = self.state.books[number].last
                assert last is not None
                spec = self.state.listing(number).spec
                value += net * spec.price(last) * spec.point_value
                position = self.state.position(owner, number)
                assert position is not None
                assert (position.net_pos, position.prev_pos) == (net, net)
                assert (position.bought, position.sold) == (0, 0)
        paid = OPENING + self.deposits[account_id] + self.flow[account_id] - self.fees[account_id]
        # To the cent: what was paid and what is held is worth the cash and the open profit.
        assert cash.amount + self.state.open_profit(account_id) == paid + value

    def comes_back(self) -> None:
        """A restart now would know the same positions, orders and standings."""
        other = self._state()
        other.session = self.state.session
        kept = [
            row
            for row in self.rows.values()
            if row.kind not in SESSION_KINDS or row.session >= self.state.session
        ]
        recovery.restore(other, kept, self.now)
        assert _open(other.holdings) == _open(self.state.holdings)
        for seat in SEATS:
            mine, its = (list(state.alive(seat.account_id)) for state in (self.state, other))
            assert mine == its
            assert [_newest(self.state, item) for item in mine] == [_newest(other, item) for item in its]
            evaluation = other.records.get(Evaluation, seat.account_id)
            assert evaluation == self.state.records.get(Evaluation, seat.account_id)


def _open(holdings: dict[tuple[int, int], Holding]) -> dict[tuple[int, int], Holding]:
    return {key: holding for key, holding in holdings.items() if holding.net}


def _newest(state: State, order: Order) -> OrderVersion:
    return state.version(order.id)


def test_week_of_random_orders_balances_at_every_roll() -> None:
    week = Week("1")
    week.run()
    assert week.counts["rolls"] == 5
    assert week.counts["fills"] > 200
    assert min(week.counts[name] for name in ("Expired", "Suspended", "Canceled", "Rejected")) > 0
    assert any(value > 0 for value in week.deposits.values())


def test_same_seed_lives_the_same_week() -> None:
    one, other = Week("2"), Week("2")
    for week in (one, other):
        while week.counts["rolls"] < 2:
            week.step()
    assert one.counts == other.counts
    assert one.flow == other.flow
    assert one.flow != Week("3").flow
