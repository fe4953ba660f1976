"""Accounts under rules as a client meets them: locked, liquidated, failed, passed, reopened."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.paper import recovery
from brokers.paper.catalogue import Catalogue, load_specs
from brokers.paper.entities import Evaluation
from brokers.paper.exchange import Exchange
from brokers.paper.kinds import Kind
from brokers.paper.records import Row
from brokers.paper.session import roll
from brokers.paper.state import Rules, State
from brokers.paper.store import MemoryStore
from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client
from brokers.paper.tests.conftest import LOGINS


@pytest.fixture
def still() -> Iterator[RunningExchange]:
    with running_exchange(logins=LOGINS, tick_seconds=3600, commission="0") as exchange:
        exchange.set_price("ESZ6", "5000.00")
        yield exchange


@pytest.fixture
def alice(still: RunningExchange) -> Iterator[Client]:
    with Client(still, "alice") as client:
        yield client


def end_day(exchange: RunningExchange, day: int) -> None:
    def work(running: Exchange) -> None:
        running.publish(roll(running.venue, date(2030, 1, day), running.clock()))

    exchange.call(work)


def govern(client: Client, name: str) -> dict[str, Any]:
    answer = client.operator("rules", account="A-1", ruleSet=name)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["standing"]
    return found


def standing(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.operator("rules", account="A-1").json()["standing"]
    return found


def risk(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("accountRiskStatus/item", id=client.accounts["A-1"])
    return found


def account(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("account/item", id=client.accounts["A-1"])
    return found


def buy(client: Client, qty: int = 1, **members: Any) -> dict[str, Any]:
    order = client.place(symbol="ESZ6", orderQty=qty, **members)
    found: dict[str, Any] = client.order(order["orderId"])
    return found


def test_limits_are_visible_through_the_documented_entities(still: RunningExchange, alice: Client) -> None:
    govern(alice, "topstep_combine:50000")
    limits = alice.get("userAccountAutoLiq/item", id=alice.accounts["A-1"])
    assert limits["trailingMaxDrawdown"] == 2_000
    assert limits["trailingMaxDrawdownMode"] == "EOD"
    assert limits["trailingMaxDrawdownLimit"] == 50_000
    assert limits["dailyLossAutoLiq"] == 1_000
    assert (risk(alice)["maxNetLiq"], risk(alice)["minNetLiq"]) == (50_000, 48_000)
    buy(alice)
    margin = alice.get("marginSnapshot/item", id=alice.accounts["A-1"])
    assert margin["autoLiqLevel"] == 48_000


def test_standing_itself_is_never_shown_to_clients(still: RunningExchange, alice: Client) -> None:
    socket = alice.socket()
    govern(alice, "topstep_combine:50000")
    kinds = {event["entityType"] for event in socket.events(2)}
    assert kinds == {"userAccountAutoLiq", "accountRiskStatus"}
    assert socket.quiet()


def test_daily_loss_liquidates_locks_and_opens_again_the_next_day(
    still: RunningExchange, alice: Client
) -> None:
    govern(alice, "topstep_combine:50000")
    buy(alice)
    waiting = buy(alice, orderType="Limit", price=4_900)
    still.set_price("ESZ6", "4980.25")
    assert alice.position()["netPos"] == 1
    still.set_price("ESZ6", "4980.00")
    assert alice.position()["netPos"] == 0
    assert alice.order(waiting["id"])["ordStatus"] == "Canceled"
    assert risk(alice)["adminAction"] == "LiquidateImmediately"
    assert not account(alice)["restricted"]
    assert buy(alice)["ordStatus"] == "Rejected"
    mine = {"accountId": alice.accounts["A-1"]}
    assert "errorText" in alice.post("accountRiskStatus/resetautoliqstatus", mine)
    end_day(still, 2)
    assert risk(alice)["adminAction"] == "Normal"
    assert buy(alice)["ordStatus"] == "Filled"


def test_desk_orders_are_told_from_the_trader_s_own(still: RunningExchange, alice: Client) -> None:
    govern(alice, "topstep_combine:50000")
    buy(alice)
    still.set_price("ESZ6", "4980.00")
    senders = [item["senderId"] for item in alice.get("command/list")]
    assert senders == [alice.user_id, -1]


def test_drawdown_fails_the_account_until_a_reset(still: RunningExchange, alice: Client) -> None:
    govern(alice, "apex_intraday_eval_4:50000")
    buy(alice)
    still.set_price("ESZ6", "5030.00")
    assert risk(alice)["minNetLiq"] == 49_500
    still.set_price("ESZ6", "4990.25")
    assert standing(alice)["standing"] == "active"
    still.set_price("ESZ6", "4990.00")
    assert standing(alice)["standing"] == "failed"
    assert account(alice)["restricted"]
    assert alice.position()["netPos"] == 0
    end_day(still, 2)
    assert buy(alice)["ordStatus"] == "Rejected"
    alice.post("account/resetdemoaccountstate", {"accountIds": [alice.accounts["A-1"]]})
    assert standing(alice) == standing(alice) | {"standing": "active", "floor": 48_000, "high": 50_000}
    assert not account(alice)["restricted"]
    assert buy(alice)["ordStatus"] == "Filled"


def test_static_floor_stays_and_end_of_day_floor_moves_only_overnight(
    still: RunningExchange, alice: Client
) -> None:
    for name, after in (("topstep_combine:50000", 49_000), ("tradeday_static:100000", 49_250)):
        alice.post("account/resetdemoaccountstate", {"accountIds": [alice.accounts["A-1"]]})
        still.set_price("ESZ6", "5000.00")
        govern(alice, name)
        before = risk(alice)["minNetLiq"]
        buy(alice)
        still.set_price("ESZ6", "5020.00")
        buy(alice, action="Sell")
        assert risk(alice)["minNetLiq"] == before
        end_day(still, 2 if after == 49_000 else 3)
        assert risk(alice)["minNetLiq"] == after


def test_evaluation_passes_at_its_target_when_flat(still: RunningExchange, alice: Client) -> None:
    govern(alice, "apex_eod_eval_4:50000")
    buy(alice, 2)
    still.set_price("ESZ6", "5030.00")
    assert standing(alice)["standing"] == "active"
    buy(alice, 2, action="Sell")
    assert standing(alice)["standing"] == "passed"
    assert account(alice)["restricted"]
    assert risk(alice)["adminAction"] == "LockTradingImmediately"
    assert buy(alice)["ordStatus"] == "Rejected"


def test_too_many_contracts_are_refused_and_micros_count_a_tenth(
    still: RunningExchange, alice: Client
) -> None:
    govern(alice, "topstep_combine:50000")
    still.set_price("MESZ6", "5000.00")
    assert buy(alice, 4)["ordStatus"] == "Filled"
    assert alice.order(alice.place(orderQty=10)["orderId"])["ordStatus"] == "Filled"
    refused = alice.place(orderQty=1)["orderId"]
    assert alice.order(refused)["ordStatus"] == "Rejected"
    report = alice.get("commandReport/deps", masterid=refused)[-1]
    assert report["rejectReason"] == "MaxPosLimitReached"
    assert buy(alice, 1, action="Sell")["ordStatus"] == "Filled"


def test_deposits_and_withdrawals(still: RunningExchange, alice: Client) -> None:
    govern(alice, "apex_intraday_eval_4:50000")
    mine = alice.accounts["A-1"]

    def change(amount: int) -> dict[str, Any]:
        found: dict[str, Any] = alice.post(
            "cashBalance/changedemobalance", {"accountId": mine, "cashChange": amount}
        )
        return found

    assert change(1_000)["ok"]
    assert (risk(alice)["minNetLiq"], alice.cash()["netLiq"]) == (49_000, 51_000)
    assert change(-500)["ok"]
    assert (risk(alice)["minNetLiq"], alice.cash()["netLiq"]) == (49_000, 50_500)
    assert not change(-51_000)["ok"]
    assert alice.cash()["realizedPnL"] == 0
    assert change(-1_500)["ok"]
    assert standing(alice)["standing"] == "failed"


def test_unknown_rule_set_is_refused(still: RunningExchange, alice: Client) -> None:
    assert alice.operator("rules", account="A-1", ruleSet="nobody:1").status_code == 400


def failing(exchange: RunningExchange, alice: Client) -> None:
    govern(alice, "apex_intraday_eval_4:50000")
    buy(alice)
    exchange.set_price("ESZ6", "5030.00")
    exchange.set_price("ESZ6", "4980.00")


def high(exchange: RunningExchange, alice: Client) -> None:
    govern(alice, "apex_intraday_eval_4:50000")
    buy(alice)
    exchange.set_price("ESZ6", "5030.00")


@pytest.mark.parametrize(("work", "word"), [(failing, "failed"), (high, "active")])
def test_rules_and_standing_survive_a_restart(
    work: Callable[[RunningExchange, Client], None], word: str
) -> None:
    store = MemoryStore()
    with running_exchange(logins=LOGINS, store=store, tick_seconds=3600) as first:
        first.set_price("ESZ6", "5000.00")
        with Client(first, "alice") as alice:
            work(first, alice)
            before = standing(alice)
    with running_exchange(store=store, tick_seconds=3600) as second, Client(second, "alice") as alice:
        assert standing(alice) == before
        assert before["standing"] == word
        second.set_price("ESZ6", "4980.00")
        assert standing(alice)["standing"] == "failed"
        assert alice.position()["netPos"] == 0


def test_start_is_refused_when_a_rule_set_in_use_is_gone() -> None:
    session = date(2026, 11, 18)
    state = State(catalogue=Catalogue(load_specs(), session), rules=Rules(), first_id=1000, session=session)
    lost = Evaluation(id=10, rule_set="gone:1", start=Decimal(1), high=Decimal(1), floor=Decimal(0))
    row = Row(kind=Kind.EVALUATION, entity=lost, account_id=0, session=session)
    with pytest.raises(ValueError, match="gone:1"):
        recovery.restore(state, [row], datetime(2026, 11, 18, tzinfo=UTC))


def test_liquidation_under_way_is_not_repeated(alice: Client) -> None:
    with running_exchange(logins=LOGINS, latency=(150, 150), tick_seconds=3600) as slow:
        slow.set_price("ESZ6", "5000.00")
        with Client(slow, "alice") as trader:
            govern(trader, "topstep_combine:50000")
            socket = trader.socket()
            trader.place(symbol="ESZ6", orderQty=2)
            socket.until("position", netPos=2)
            for price in ("4970.00", "4969.00", "4968.00"):
                slow.set_price("ESZ6", price)
            socket.until("position", netPos=0)
            assert len(trader.get("order/list")) == 2


def test_immediate_liquidation_closes_what_is_open_and_locks(still: RunningExchange, alice: Client) -> None:
    buy(alice, 2)
    waiting = buy(alice, orderType="Limit", price=4_900)
    alice.post(
        "accountRiskStatus/setadminautoliqaction",
        {"accountId": alice.accounts["A-1"], "adminAutoLiqAction": "LiquidateImmediately"},
    )
    assert alice.position()["netPos"] == 0
    assert alice.order(waiting["id"])["ordStatus"] == "Canceled"
    assert buy(alice)["ordStatus"] == "Rejected"
