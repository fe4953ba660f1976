"""Entities joined into events: each thing told once and whole, in whatever order its parts come."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.tradovate import wire
from brokers.tradovate.entities import (
    Account,
    CashBalance,
    Command,
    Contract,
    Fill,
    Order,
    OrderVersion,
    Position,
    Snapshot,
)
from brokers.tradovate.tests.frames import SAMPLES, sequence
from brokers.tradovate.view import View, ViewEvent
from tradehaven.domain.commands import Rejected
from tradehaven.domain.enums import OrderStatus, OrderType, Side
from tradehaven.domain.errors import ProtocolError
from tradehaven.domain.events import (
    BalanceReported,
    OrderChanged,
    OrderEnded,
    OrderFilled,
    OrderWorking,
    PositionReported,
)
from tradehaven.domain.ids import AccountId, Nanos

ACCOUNT = AccountId(1)
WHEN = "2026-11-18T16:00:00.000Z"
CONTRACT = Contract(id=3400501, name="MESZ6")


def _view(*, knows_contract: bool = True) -> View:
    view = View({7654321: ACCOUNT})
    if knows_contract:
        view.fold("contract", CONTRACT, Nanos(0))
    return view


def _feed(view: View, frames: list[bytes]) -> list[ViewEvent]:
    events: list[ViewEvent] = []
    for number, frame in enumerate(frames, 1):
        parsed = wire.parse(frame)
        assert isinstance(parsed, list)
        for message in parsed:
            if message.e == "props":
                events += view.props(message.d, Nanos(number))
    return events


def _told(events: list[ViewEvent], *kinds: type) -> list[ViewEvent]:
    return [event for event in events if isinstance(event, kinds)]


ORDERS = (OrderWorking, OrderChanged, OrderFilled, OrderEnded)


def test_a_market_order_is_working_then_filled_then_over() -> None:
    events = _feed(_view(), sequence("market_fill"))
    working, filled, ended = _told(events, *ORDERS)
    assert isinstance(working, OrderWorking)
    assert (working.side, working.spec.qty, working.spec.order_type) == (Side.BUY, 2, OrderType.MARKET)
    assert (working.account, working.symbol, working.client_order_id) == (ACCOUNT, "MESZ6", "c-0001")
    assert isinstance(filled, OrderFilled)
    assert (filled.qty, filled.price) == (2, 26322)
    assert isinstance(ended, OrderEnded)
    assert ended.status is OrderStatus.FILLED
    assert [event.net for event in events if isinstance(event, PositionReported)] == [2]
    assert str(next(event.cash for event in events if isinstance(event, BalanceReported))) == "49998.06"


def test_a_limit_order_is_placed_changed_and_cancelled() -> None:
    events = _told(_feed(_view(), sequence("limit_modify_cancel")), *ORDERS)
    assert [type(event) for event in events] == [OrderWorking, OrderChanged, OrderEnded]
    assert isinstance(events[1], OrderChanged)
    assert events[1].spec.limit == 26205
    assert isinstance(events[2], OrderEnded)
    assert events[2].status is OrderStatus.CANCELLED


def test_a_rejection_waits_for_its_reason() -> None:
    (ended,) = _told(_feed(_view(), sequence("reject_async")), *ORDERS)
    assert isinstance(ended, OrderEnded)
    assert ended.status is OrderStatus.REJECTED
    assert ended.reason.startswith("MaxOrderQtyLimitReached")


@pytest.mark.parametrize("case", ["market_fill", "limit_modify_cancel", "reject_async", "liquidate"])
def test_any_order_of_the_frames_tells_the_same_story(case: str) -> None:
    frames = [frame for frame in sequence(case) if b'"e":"props"' in frame]
    expected = [
        _essence(event) for event in _told(_feed(_view(), frames), OrderWorking, OrderFilled, OrderEnded)
    ]
    for shuffled in list(permutations(frames))[:720]:
        events = _told(_feed(_view(), list(shuffled)), OrderWorking, OrderFilled, OrderEnded)
        kinds = [_essence(event) for event in events]
        assert sorted(kinds) == sorted(expected)
        if len(kinds) > 1:
            assert kinds[0][0] == "OrderWorking"
            assert kinds[-1][0] == "OrderEnded"


def _essence(event: ViewEvent) -> tuple[str, int]:
    return type(event).__name__, getattr(event, "qty", 0)


@pytest.mark.parametrize("case", ["market_fill", "limit_modify_cancel", "liquidate"])
def test_every_frame_twice_tells_everything_once(case: str) -> None:
    once = _told(_feed(_view(), sequence(case)), *ORDERS)
    doubled = [frame for frame in sequence(case) for _ in range(2)]
    assert [_essence(event) for event in _told(_feed(_view(), doubled), *ORDERS)] == [
        _essence(event) for event in once
    ]


def test_an_unknown_contract_is_asked_for_and_everything_waits_for_it() -> None:
    view = _view(knows_contract=False)
    assert _feed(view, sequence("market_fill")) == _told(
        _feed(_view(), sequence("market_fill")), BalanceReported
    )
    assert view.unknown_contracts == {3400501}
    events = view.fold("contract", CONTRACT, Nanos(99))
    assert [type(event) for event in events] == [PositionReported, OrderWorking, OrderFilled, OrderEnded]
    assert not view.unknown_contracts
    assert view.contract_of(events[0].symbol) == 3400501  # type: ignore[union-attr]


def test_an_account_that_was_not_brought_in_is_nobody() -> None:
    view = View({1: ACCOUNT})
    view.fold("contract", CONTRACT, Nanos(0))
    assert not _feed(view, sequence("market_fill"))


def test_a_refused_change_keeps_what_was_in_force_and_answers_its_sender() -> None:
    frames = sequence("limit_modify_cancel")
    refused = frames[6].replace(
        b'"commandStatus":"RiskPassed"', b'"commandStatus":"RiskRejected","rejectReason":"InvalidPrice"'
    )
    created = frames[5].replace(b'"commandType":"Modify"', b'"clOrdId":"mine.c1","commandType":"Modify"')
    events = _feed(_view(), [*frames[:5], created, refused])
    assert not _told(events, OrderChanged)
    (rejected,) = _told(events, Rejected)
    assert isinstance(rejected, Rejected)
    assert (rejected.client_order_id, rejected.code) == ("mine.c1", "InvalidPrice")


def test_an_older_image_never_undoes_a_newer_one() -> None:
    view = _view()
    frames = sequence("market_fill")
    _feed(view, frames)
    assert not _told(_feed(view, [frames[1], frames[3]]), *ORDERS)


def test_a_snapshot_is_told_by_account_and_is_news_to_nobody() -> None:
    snapshot = Snapshot(
        accounts=[Account(id=7654321, name="DEMO7654321"), Account(id=5, name="STRANGER")],
        contracts=[CONTRACT],
        commands=[Command(id=9, orderId=9, commandType="New", commandStatus="AtExecution", clOrdId="mine")],
        orderVersions=[OrderVersion(id=9, orderId=9, orderQty=2, orderType="Limit", price=6580.25)],
        orders=[
            Order(
                id=9, accountId=7654321, timestamp=WHEN, action="Buy", ordStatus="Working", contractId=3400501
            )
        ],
        fills=[
            Fill(id=11, orderId=9, contractId=3400501, timestamp=WHEN, action="Buy", qty=1, price=6580.25)
        ],
        positions=[Position(id=1, accountId=7654321, contractId=3400501, netPos=1, netPrice=6580.25)],
        cashBalances=[CashBalance(id=2, accountId=7654321, amount=50_000.0)],
    )
    view = _view(knows_contract=False)
    (account,) = view.load(snapshot, Nanos(5))
    (order,) = account.orders
    assert (order.order_id, order.client_order_id, order.status) == (9, "mine", OrderStatus.WORKING)
    assert [fill.qty for fill in account.fills] == [1]
    assert [position.net for position in account.positions] == [1]
    assert account.balance is not None
    assert view.client_ids() == {"mine"}
    assert view.names[ACCOUNT].name == "DEMO7654321"
    again = view.fold("order", snapshot.orders[0], Nanos(6))
    assert not again


def test_an_order_without_its_parameters_is_left_out_of_a_snapshot() -> None:
    order = Order(id=9, accountId=7654321, timestamp=WHEN, action="Buy", ordStatus="Working", contractId=None)
    (account,) = _view().load(Snapshot(orders=[order]), Nanos(5))
    assert account.orders == ()
    assert account.balance is None


def test_a_pair_is_told_with_the_name_of_its_other_leg() -> None:
    legs = [
        Order(
            id=one,
            accountId=7654321,
            timestamp=WHEN,
            action=action,
            ordStatus="Working",
            contractId=CONTRACT.id,
            ocoId=other,
        )
        for one, other, action in ((11, 12, "Buy"), (12, 11, "Sell"))
    ]
    versions = [
        OrderVersion(id=leg.id, orderId=leg.id, orderQty=1, orderType="Limit", price=6000.0) for leg in legs
    ]
    view = _view()
    events = [event for version in versions for event in view.fold("orderVersion", version, Nanos(1))]
    events += [event for leg in legs for event in view.fold("order", leg, Nanos(1))]
    assert [(event.order_id, event.oco) for event in events if isinstance(event, OrderWorking)] == [
        (11, 12),
        (12, 11),
    ]
    (stated,) = _view().load(Snapshot(contracts=[CONTRACT], orders=legs, orderVersions=versions), Nanos(1))
    assert [(order.order_id, order.oco) for order in stated.orders] == [(11, 12), (12, 11)]


def test_an_order_in_an_unknown_product_does_not_keep_the_login_out() -> None:
    option = Contract(id=99, name="EW3Z6 C6500")
    snapshot = Snapshot(
        contracts=[option, CONTRACT],
        orderVersions=[
            OrderVersion(id=9, orderId=9, orderQty=1, orderType="Limit", price=12.5),
            OrderVersion(id=10, orderId=10, orderQty=1, orderType="Market"),
        ],
        orders=[
            Order(id=9, accountId=7654321, timestamp=WHEN, action="Buy", ordStatus="Working", contractId=99),
            Order(
                id=10,
                accountId=7654321,
                timestamp=WHEN,
                action="Buy",
                ordStatus="Working",
                contractId=3400501,
            ),
        ],
    )
    (account,) = _view().load(snapshot, Nanos(5))
    assert [order.order_id for order in account.orders] == [10]


def test_the_exchange_may_reject_what_the_desk_had_passed() -> None:
    frames = sequence("reject_async")
    report = (
        b'a[{"e":"props","d":{"entityType":"executionReport","eventType":"Created","entity":{"id":601683390299,'
        b'"commandId":601683390287,"orderId":601683390287,"execType":"Rejected","rejectReason":"NoQuote"}}}]'
    )
    (ended,) = _told(_feed(_view(), [*frames[:-1], report]), OrderEnded)
    assert isinstance(ended, OrderEnded)
    assert ended.reason == "NoQuote"


def test_a_busted_fill_is_not_counted() -> None:
    frames = [frame.replace(b'"active":true', b'"active":false') for frame in sequence("market_fill")]
    assert not _told(_feed(_view(), frames), OrderFilled)


def test_a_position_of_nobody_we_know_is_dropped() -> None:
    view = View({1: ACCOUNT})
    assert not view.fold("position", Position(id=1, accountId=2, contractId=3, netPos=1), Nanos(0))


@pytest.mark.parametrize("name", ["ws.props.array_entity", "ws.props.deleted"])
def test_kinds_that_we_do_not_use_amount_to_nothing(name: str) -> None:
    assert not _feed(_view(), [SAMPLES[name]])


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b'{"entityType":"order","eventType":"Created","entity":{}}',
        b'{"entityType":"order","eventType":"Created","entity":{"id":"x"}}',
        b'{"entityType":"fill","eventType":"Created","entity":[1]}',
        b'{"entityType":"order","eventType":"Created","entity":[[' + b"[" * 3000,
    ],
)
def test_an_entity_that_makes_no_sense_raises_its_own_error(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        _view().props(payload, Nanos(0))


@settings(max_examples=200)
@given(data=st.data())
def test_no_mutation_of_an_entity_raises_anything_else(data: st.DataObject) -> None:
    frame = data.draw(st.sampled_from([f for name, f in sorted(SAMPLES.items()) if b"props" in f]))
    at, cut = data.draw(st.integers(1, len(frame))), data.draw(st.integers(0, 12))
    mutant = frame[:at] + data.draw(st.binary(max_size=6)) + frame[at + cut :]
    try:
        parsed = wire.parse(mutant)
        for message in parsed if isinstance(parsed, list) else []:
            if message.e == "props":
                _view().props(message.d, Nanos(0))
    except ProtocolError:
        return


def _image(kind: str, second: int | None, amount: int) -> bytes:
    stamp = "" if second is None else f'"timestamp":"2026-11-18T16:00:0{second}.000Z",'
    own = {"position": f'"contractId":3400501,"netPos":{amount}', "cashBalance": f'"amount":{amount}'}
    body = f'{{"id":77,"accountId":7654321,{stamp}{own[kind]}}}'
    return f'{{"entityType":"{kind}","eventType":"Updated","entity":{body}}}'.encode()


@pytest.mark.parametrize("kind", ["position", "cashBalance"])
def test_an_older_position_and_older_cash_are_no_news(kind: str) -> None:
    view = _view()
    told = []
    for second, amount in ((3, 1), (5, 2), (4, 3), (5, 4), (None, 5), (4, 6), (6, 7)):
        told += [amount] if view.props(_image(kind, second, amount), Nanos(1)) else []
    assert told == [1, 2, 4, 5, 7]


@pytest.mark.parametrize("kind", ["position", "cashBalance"])
def test_what_is_older_than_the_snapshot_is_no_news_either(kind: str) -> None:
    view, stamp = _view(), "2026-11-18T16:00:05.000Z"
    held = Position(id=77, accountId=7654321, contractId=3400501, netPos=1, timestamp=stamp)
    cash = CashBalance(id=77, accountId=7654321, amount=50_000.0, timestamp=stamp)
    view.load(Snapshot(positions=[held], cashBalances=[cash]), Nanos(5))
    assert not view.props(_image(kind, 4, 3), Nanos(6))
    assert view.props(_image(kind, 5, 4), Nanos(7))
    other = "cashBalance" if kind == "position" else "position"
    assert view.props(_image(other, 6, 5), Nanos(8))


def test_a_time_of_change_that_is_not_readable_keeps_nothing_out() -> None:
    view = _view()
    assert view.props(_image("cashBalance", 5, 1), Nanos(1))
    assert view.props(_image("cashBalance", 5, 2).replace(b"2026-11-18T", b"soon"), Nanos(2))
