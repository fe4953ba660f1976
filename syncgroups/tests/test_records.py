"""What the engine writes is what the recorder reads: every event and every decision survives the journal."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from syncgroups.core.decision import CopyStep, Decision
from syncgroups.engine import records
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, GROUP, GROUP_GATE, LEADER, OWNER_GATE, connection_of, follower
from tradehaven.domain.commands import Denied, Unresolved
from tradehaven.domain.enums import Ask, Environment, OrderType, RefusalReason, Side, TradingState
from tradehaven.domain.events import (
    AccountLocked,
    BalanceReported,
    Event,
    HaltPressed,
    LimitsReported,
    OrderAsked,
    OrdersListed,
    PriceMoved,
    PricesLost,
    SilenceAsked,
)
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OwnerId, PressId
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

ME = OwnerId(1)
TWO, THREE = AccountId(2), AccountId(3)


@pytest.fixture(scope="module")
def told() -> tuple[list[Event], list[Decision]]:
    """Tell a story with every kind of event; return them and what was decided."""
    world: Desk = desk(follower(2), follower(3, ratio="1/2", max_position=2))
    events: list[Event] = [world.snapshot(LEADER)]
    see = world.step

    def step(event: Event) -> Decision:
        events.append(event)
        return see(event)

    world.step = step  # type: ignore[method-assign]
    world.market(Side.BUY, 4)
    world.settle()
    resting = world.trade(Side.BUY, 2, OrderType.LIMIT, limit=20000)
    world.settle()
    world.change(resting, limit=19990)
    world.settle()
    world.cancel(resting)
    world.reject(world.outbox.pop(0), "TooLate")
    world.settle()
    world.lose(THREE)
    world.market(Side.BUY, 1)
    name = world.outbox[0].client_order_id
    offline = RefusalReason.FOLLOWER_OFFLINE
    world.step(Denied(account=TWO, client_order_id=name, reason=offline, text="no link", at=world.at()))
    world.step(Unresolved(account=TWO, client_order_id=name, text="no answer", at=world.at()))
    listed = frozenset({name})
    login = connection_of(TWO)
    world.step(OrdersListed(connection=login, accounts=(TWO,), client_order_ids=listed, at=world.at()))
    later = Nanos(world.at() + 3600)
    world.step(SilenceAsked(connection=login, until=later, reason="429", at=world.at()))
    world.ask(Ask.IGNORE, "left_behind.g9.f2.ESZ6.o0")
    world.step(
        OrderAsked(
            number=7,
            leader=LEADER,
            followers=(TWO, THREE),
            symbol=ES,
            side=Side.BUY,
            spec=OrderSpec(order_type=OrderType.LIMIT, qty=2, limit=Ticks(19900)),
            stop_loss=20,
            take_profit=None,
            at=world.at(),
        )
    )
    world.balance(LEADER, Decimal("50000.10"))
    quote = PriceMoved(
        environment=Environment.PAPER, symbol=ES, bid=Ticks(1), ask=None, last=None, at=world.at()
    )
    world.step(quote)
    world.step(PricesLost(environment=Environment.PAPER, at=world.at()))
    lock = AccountLocked(account=TWO, reason=offline, detail="by hand", until=later, at=world.at())
    world.step(lock)
    world.step(LimitsReported(account=TWO, daily_loss=Decimal("900.50"), because="x", at=world.at()))
    world.shut(GROUP_GATE, state=TradingState.HALTED, flatten=True)
    world.settle()
    world.wait(6)
    press = PressId("0" * 32)
    world.step(HaltPressed(press=press, gates=(OWNER_GATE,), flatten=False, at=world.at()))
    world.connect(THREE)
    return events, world.decisions


def test_every_kind_of_event_comes_back_equal(told: tuple[list[Event], list[Decision]]) -> None:
    events, _ = told
    assert {type(event).__name__ for event in events} == set(records._EVENTS)
    for event in events:
        found = records.decode(records.encode_event(ME, event))
        assert isinstance(found, records.EventRecord)
        assert found.owner == ME
        assert records.event_of(found) == event


def test_every_decision_comes_back_equal(told: tuple[list[Event], list[Decision]]) -> None:
    _, decisions = told
    assert any(decision.refusals for decision in decisions)
    assert any(decision.remarks for decision in decisions)
    for decision in decisions:
        found = records.decode(records.encode_decision(ME, decision, Nanos(5), Nanos(7)))
        assert isinstance(found, records.DecisionRecord)
        assert (found.owner, found.received, found.decided) == (ME, 5, 7)
        assert (found.refusals, found.remarks) == (decision.refusals, decision.remarks)
        assert [_written(step) for step in found.steps] == [_meant(step) for step in decision.steps]


def _written(step: records.StepRecord) -> tuple[Any, ...]:
    return step.account, step.command, step.command_id, step.copy


def _meant(step: Any) -> tuple[Any, ...]:
    command = step.command
    kind, name = (type(command).__name__, command.client_order_id) if command is not None else ("", None)
    if isinstance(step, CopyStep):
        return step.copy.follower, kind, name, step.copy
    return step.account, kind, name, None


def test_times_of_writing_and_holdings_come_back_equal() -> None:
    times = {ClientOrderId("a"): Nanos(1), ClientOrderId("b"): Nanos(2**62)}
    assert records.decode(records.encode_written(ME, times)) == records.WrittenRecord(ME, times)
    held = [(GROUP, TWO, ES, ES, -3)]
    old = b'{"type":"holdings","owner":1,"holdings":[[9,2,"ESZ6",-3]]}'
    before = records.decode(old)
    assert isinstance(before, records.HoldingsRecord)
    assert before.rows() == held
    assert records.decode(records.encode_holdings(ME, held)) == records.HoldingsRecord(ME, held)


def test_cash_keeps_its_cents() -> None:
    cash = Decimal("0.10")
    event = BalanceReported(account=TWO, cash=cash, realized=Decimal("-1234567.89"), at=Nanos(1))
    found = records.decode(records.encode_event(ME, event))
    assert isinstance(found, records.EventRecord)
    again = records.event_of(found)
    assert again == event
    assert again != replace(event, cash=cash + Decimal("0.01"))


@pytest.mark.parametrize("payload", [b"", b"{", b'{"type":"nothing"}', b'{"type":"event","owner":1}'])
def test_what_says_nothing_readable_is_an_error(payload: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        records.decode(payload)
