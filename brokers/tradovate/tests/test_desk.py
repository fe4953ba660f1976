"""What the broker's risk desk says of an account: three entities, one word."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
import requests

from brokers.clock import process_clock
from brokers.paper.testing import RunningExchange
from brokers.ports import Login
from brokers.tradovate import wire
from brokers.tradovate.entities import AccountRiskStatus, AutoLiq, Entity, Snapshot
from brokers.tradovate.gateway import TradovateGateway
from brokers.tradovate.tests.frames import SAMPLES
from brokers.tradovate.tests.watching import Watch, login_at, with_gateway
from brokers.tradovate.view import View
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import LimitsReported, SnapshotTaken
from tradehaven.domain.ids import AccountId, ConnectionId, Nanos

NUMBER, ACCOUNT, AT = 7654321, AccountId(1), Nanos(5)
NOTHING = LimitsReported(account=ACCOUNT, at=AT)


def said(kind: str, entity: Entity, view: View | None = None) -> LimitsReported:
    (event,) = (view or View({NUMBER: ACCOUNT})).fold(kind, entity, AT)
    assert isinstance(event, LimitsReported)
    return event


def test_the_published_lock_of_an_account_is_told() -> None:
    frame = wire.parse(SAMPLES["ws.props.accountRiskStatus"])
    assert isinstance(frame, list)
    (event,) = View({NUMBER: ACCOUNT}).props(frame[0].d, AT)
    assert event == replace(NOTHING, state=TradingState.REDUCING, because="LiquidateOnlyModeImmediately")


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("Normal", TradingState.ACTIVE),
        ("DisableAutoLiq", TradingState.ACTIVE),
        ("PlaceAutoLiqOnHold", TradingState.ACTIVE),
        ("LockTradingImmediately", TradingState.HALTED),
        ("LiquidateImmediately", TradingState.HALTED),
        ("AgreedOnLiquidationByAutoLiq", TradingState.HALTED),
        ("LiquidateOnlyModeImmediately", TradingState.REDUCING),
        ("AgreedOnLiqOnlyModeByAutoLiq", TradingState.REDUCING),
    ],
)
def test_each_action_of_the_desk_leaves_its_state(action: str, state: TradingState) -> None:
    event = said("accountRiskStatus", AccountRiskStatus(id=NUMBER, adminAction=action))
    assert event.state is state
    assert event.because == ("" if state is TradingState.ACTIVE else action)


@pytest.mark.parametrize(("by_trader", "whose"), [(True, "the trader's own limit"), (False, "the risk desk")])
def test_a_time_of_closing_only_is_a_lock_without_an_action(by_trader: bool, whose: str) -> None:
    status = AccountRiskStatus(
        id=NUMBER, liquidateOnly="2026-11-18T16:00:00Z", userTriggeredLiqOnly=by_trader
    )
    event = said("accountRiskStatus", status)
    assert event.state is TradingState.REDUCING
    assert event.because == f"closing only, by {whose}"


def test_of_the_owners_and_the_firms_limits_the_stricter_counts_and_zero_is_none() -> None:
    view = View({NUMBER: ACCOUNT})
    own = AutoLiq(
        id=NUMBER,
        dailyLossAutoLiq=900.0,
        dailyLossLiqOnly=0.0,
        trailingMaxDrawdown=2500.0,
        trailingMaxDrawdownMode="RealTime",
        dailyProfitAutoLiq=3000.0,
    )
    firm = AutoLiq(
        id=NUMBER,
        changesLocked=True,
        dailyLossAutoLiq=1000.0,
        dailyLossLiqOnly=850.0,
        weeklyLossAutoLiq=4000.0,
        weeklyProfitAutoLiq=9000.0,
        trailingMaxDrawdown=2000.0,
        trailingMaxDrawdownLimit=50_100.0,
        trailingMaxDrawdownMode="EOD",
    )
    first = said("userAccountAutoLiq", own, view)
    assert (first.daily_loss, first.drawdown, first.by_day_end, first.locked_in) == (
        Decimal(900),
        Decimal(2500),
        False,
        False,
    )
    assert said("permissionedAccountAutoLiq", firm, view) == replace(
        NOTHING,
        daily_loss=Decimal(850),
        weekly_loss=Decimal(4000),
        daily_profit=Decimal(3000),
        weekly_profit=Decimal(9000),
        drawdown=Decimal(2000),
        stops_at=Decimal(50_100),
        by_day_end=True,
        locked_in=True,
    )


def test_the_same_word_is_told_once_and_of_accounts_that_are_not_ours_nothing() -> None:
    view = View({NUMBER: ACCOUNT})
    status = AccountRiskStatus(id=NUMBER, maxNetLiq=51_234.5, minNetLiq=49_000.0)
    event = said("accountRiskStatus", status, view)
    assert (event.high, event.low) == (Decimal("51234.5"), Decimal(49_000))
    assert view.fold("accountRiskStatus", status, AT) == []
    assert view.fold("accountRiskStatus", AccountRiskStatus(id=3), AT) == []


def test_a_snapshot_says_it_too_and_forgets_what_it_does_not_show() -> None:
    view = View({NUMBER: ACCOUNT})
    shown = Snapshot(accountRiskStatuses=[AccountRiskStatus(id=NUMBER, adminAction="LockTradingImmediately")])
    (account,) = view.load(shown, AT)
    assert account.limits is not None
    assert account.limits.state is TradingState.HALTED
    (account,) = view.load(Snapshot(), AT)
    assert account.limits is None


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None: ...

    def ping(self) -> None: ...


@pytest.mark.parametrize("refused_again", [False, True])
def test_a_login_that_may_not_see_the_desk_is_let_in_without_it(refused_again: bool) -> None:
    events: list[object] = []
    login = Login(
        connection=ConnectionId(1), socket_url="ws://x", token="t", user_id=8, accounts={NUMBER: ACCOUNT}
    )
    gateway = TradovateGateway(login, events.append, process_clock(), lambda: True)
    wire_ = Wire()
    gateway._transport = wire_  # type: ignore[assignment]  # a socket is what this test is not about
    gateway.on_frame(memoryview(b"o"))
    gateway.on_frame(memoryview(b'a[{"s":200,"i":1,"d":{}}]'))
    gateway.on_frame(memoryview(b'a[{"s":401,"i":2,"d":"Access is denied"}]'))
    first, second = (_wish(sent) for sent in wire_.sent[1:3])
    assert "accountRiskStatus" in first
    assert second == [kind for kind in first if "Risk" not in kind and "AutoLiq" not in kind]
    answer = b'{"s":401,"i":3,"d":"Access is denied"}' if refused_again else b'{"s":200,"i":3,"d":{}}'
    gateway.on_frame(memoryview(b"a[" + answer + b"]"))
    assert gateway.is_ready is not refused_again
    assert [type(event) for event in events] == ([] if refused_again else [SnapshotTaken])
    assert len(wire_.sent) == 3


def _wish(sent: bytes) -> list[str]:
    body = sent.split(b"\n", 3)[3]
    kinds: list[str] = msgspec.json.decode(body)["entityTypes"]
    return kinds


def test_a_lock_at_the_broker_is_told_at_once_and_stands_in_the_next_snapshot(
    exchange: RunningExchange,
) -> None:
    login = login_at(exchange)
    (number,) = login.accounts

    async def story(watch: Watch) -> None:
        address = f"{exchange.base_url}/accountRiskStatus/setadminautoliqaction"
        body = {"accountId": number, "adminAutoLiqAction": "LiquidateOnlyModeImmediately"}
        headers = {"Authorization": f"Bearer {login.token}"}
        await asyncio.to_thread(requests.post, address, json=body, headers=headers, timeout=5)
        assert (await watch.until(LimitsReported)).state is TradingState.REDUCING

    with_gateway(login, story)

    async def again(watch: Watch) -> None:
        (account,) = (await watch.until(SnapshotTaken)).accounts
        assert account.limits is not None
        assert account.limits.because == "LiquidateOnlyModeImmediately"

    with_gateway(login, again)
