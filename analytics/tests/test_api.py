"""Trades and the day's profit by API, as the documentation shows them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.core.keys import KeyKind, Scope
from accounts.models import User
from accounts.tests.keys import caller_for
from brokers.models import Account, Order
from brokers.tests.factories import AccountFactory, FillFactory, PositionFactory, QuoteFactory
from risk.core.rules import DayLimit, Rules
from risk.services.gates import ensure_account_risk, halt
from risk.services.rules import change
from syncgroups.models import SyncGroup
from syncgroups.tests.factories import CopyFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import Environment, OrderStatus, OrderType, Side, TimeInForce

pytestmark = pytest.mark.django_db
SHOWN = "2025-12-15T14:32:18.442Z"


@pytest.fixture
def program(alice: User) -> Client:
    return caller_for(alice, Scope.READ)


@pytest.fixture
def account(alice: User) -> Account:
    (made,) = accounts(alice, "LEAD")
    return made


def fill(account: Account, at: str, side: Side, price: str, kind: OrderType, order: int, **more):
    Order.objects.create(
        account=account,
        broker_order_id=order,
        symbol="ESZ5",
        side=side,
        order_type=kind,
        qty=2,
        tif=TimeInForce.DAY,
        status=OrderStatus.FILLED,
        first_seen_at=datetime.fromisoformat(at),
    )
    ticks = int(Decimal(price) * 4)
    return FillFactory.create(
        account=account,
        broker_order_id=order,
        symbol="ESZ5",
        side=side,
        qty=2,
        ticks=ticks,
        price=Decimal(price),
        traded_at=datetime.fromisoformat(at),
        **more,
    )


@pytest.fixture
def documented(account: Account) -> SyncGroup:
    """Return a group whose leader did what the documentation's example shows."""
    group = GroupFactory.create(leader=account)
    fill(account, SHOWN, Side.BUY, "5042.75", OrderType.MARKET, 1)
    fill(account, "2025-12-15T14:47:03.118Z", Side.SELL, "5045.50", OrderType.LIMIT, 2)
    for order in (1, 2):
        CopyFactory.create(group=group, leader_order_id=order, follower__connection=account.connection)
    made: SyncGroup = group
    return made


def test_trades_are_as_documented(program: Client, account: Account, documented: SyncGroup):
    asked: dict[str, Any] = {
        "accountId": account.pk,
        "instrument": "ESZ5",
        "from": "2025-12-01",
        "to": "2025-12-31",
        "limit": 50,
    }
    answer = program.get("/api/trades", asked)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    said = answer.json()
    sell, buy = said["data"]
    assert buy == {
        "id": buy["id"],
        "accountId": account.pk,
        "instrument": "ESZ5",
        "side": "Buy",
        "quantity": 2,
        "fillPrice": 5042.75,
        "timestamp": SHOWN,
        "realizedPnl": None,
        "orderType": "Market",
        "syncGroupId": documented.public_id,
    }
    assert (sell["side"], sell["orderType"], sell["timestamp"]) == (
        "Sell",
        "Limit",
        "2025-12-15T14:47:03.118Z",
    )
    assert '"fillPrice":5045.5,' in answer.content.decode()
    assert '"realizedPnl":275.00,' in answer.content.decode()
    assert buy["id"].startswith("fill_")
    assert list(said) == ["status", "data", "pagination"]
    assert said["status"] == "ok"
    assert said["pagination"] == {"total": 2, "limit": 50, "offset": 0, "hasMore": False}


def test_pages_by_offset_and_by_cursor_show_every_trade_once(program: Client, account: Account):
    at = datetime(2026, 1, 2, 15, tzinfo=UTC)
    for _ in range(5):  # all at one moment: only the row tells them apart
        FillFactory.create(account=account, traded_at=at)
    whole = [row["id"] for row in program.get("/api/trades").json()["data"]]
    by_offset = [program.get("/api/trades", {"limit": 2, "offset": n}).json() for n in (0, 2, 4)]
    assert [row["id"] for page in by_offset for row in page["data"]] == whole
    assert [page["pagination"]["hasMore"] for page in by_offset] == [True, True, False]
    found: list[str] = []
    asked: dict[str, Any] = {"limit": 2, "cursor": ""}
    while asked["cursor"] is not None:
        page = program.get("/api/trades", asked).json()
        FillFactory.create(account=account)  # what is new disturbs no page
        found += [row["id"] for row in page["data"]]
        assert page["pagination"]["hasMore"] is (page["pagination"]["nextCursor"] is not None)
        asked["cursor"] = page["pagination"]["nextCursor"]
    assert found == whole


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"side": "Buy"}, 1),
        ({"instrument": "ESZ5"}, 2),
        ({"instrument": "NQZ5"}, 0),
        ({"from": "2025-12-16"}, 0),
    ],
)
def test_trades_are_filtered(program: Client, documented: SyncGroup, asked: dict[str, str], found: int):
    assert program.get("/api/trades", asked).json()["pagination"]["total"] == found


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"from": "yesterday"}, "from"),
        ({"side": "Both"}, "side"),
        ({"accountId": "x"}, "accountId"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"acountId": "1"}, "acountId"),
    ],
)
def test_what_is_asked_wrongly_is_named(program: Client, asked: dict[str, str], field: str):
    answer = program.get("/api/trades", asked)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["fields"]) == [field]


def test_the_order_of_reads_does_not_grow_with_the_page(
    program: Client, account: Account, django_assert_max_num_queries
):
    FillFactory.create_batch(30, account=account)
    program.get("/api/trades")
    with django_assert_max_num_queries(12):
        assert len(program.get("/api/trades").json()["data"]) == 30


def test_a_fill_larger_than_the_position_realises_what_it_closes(program: Client, account: Account):
    at = datetime(2026, 1, 2, 15, tzinfo=UTC)
    for minute, side, qty, ticks in (
        (0, Side.BUY, 1, 20_000),
        (1, Side.SELL, 3, 20_008),
        (2, Side.BUY, 2, 20_000),
    ):
        FillFactory.create(
            account=account, side=side, qty=qty, ticks=ticks, traded_at=at.replace(minute=minute)
        )
    gains = [row["realizedPnl"] for row in program.get("/api/trades").json()["data"]]
    assert gains == [200, 100, None]  # 8 ticks of $12.50: on two, on one, on nothing


@time_machine.travel("2025-12-15T16:05:22.901Z", tick=False)
def test_the_days_profit_is_as_documented(program: Client, account: Account, alice: User):
    Account.objects.filter(pk=account.pk).update(realized=Decimal(1250), balance_at=timezone.now())
    PositionFactory.create(account=account, symbol="ESZ5", net=1, price=Decimal("5000.00"))
    QuoteFactory.create(symbol="ESZ5", bid=19_986, ask=19_987, last=19_986)
    for number in range(14):
        FillFactory.create(account=account, symbol="NQZ5", broker_fill_id=number)
    answer = program.get("/api/pnl/snapshot", {"accountId": account.pk})
    assert answer.json() == {
        "status": "ok",
        "data": {
            "accountId": account.pk,
            "realizedPnl": 1250,
            "unrealizedPnl": -175,
            "netPnl": 1075,
            "openPositions": 1,
            "tradesToday": 14,
            "timestamp": "2025-12-15T16:05:22.901Z",
            "dailyLossLimitRemaining": None,
            "killSwitchActive": False,
        },
    }
    assert '"realizedPnl":1250.00,' in answer.content.decode()
    halt(gate=account.risk.gate, by=alice, reason="", flatten=False)
    assert program.get("/api/pnl/snapshot").json()["data"][0]["killSwitchActive"] is True


@time_machine.travel("2025-12-15T16:05:22.901Z", tick=False)
def test_what_may_still_be_lost_today_is_the_limit_and_what_was_made_since(
    program: Client, account: Account, alice: User
):
    Account.objects.filter(pk=account.pk).update(realized=Decimal("-74.50"), balance_at=timezone.now())
    book = ensure_account_risk(account, alice.pk).book
    change(book=book, rules=Rules(daily_loss=DayLimit(amount=Decimal(1000))), by=alice, now=timezone.now())
    asked = {"accountId": account.pk}
    assert program.get("/api/pnl/snapshot", asked).json()["data"]["dailyLossLimitRemaining"] == 925.5
    Account.objects.filter(pk=account.pk).update(realized=Decimal(-2000))
    assert program.get("/api/pnl/snapshot", asked).json()["data"]["dailyLossLimitRemaining"] == 0


def test_a_position_without_a_price_has_no_profit_yet(program: Client, account: Account):
    PositionFactory.create(account=account)
    (day,) = program.get("/api/pnl/snapshot").json()["data"]
    assert (day["unrealizedPnl"], day["netPnl"], day["openPositions"]) == (None, None, 1)


@pytest.mark.parametrize("path", ["/api/trades", "/api/pnl/snapshot"])
def test_a_strangers_account_does_not_exist(path: str, bob: User, account: Account):
    answer = caller_for(bob).get(path, {"accountId": account.pk})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert list(answer.json()["fields"]) == ["accountId"]


def test_a_paper_key_never_sees_real_money(alice: User, account: Account):
    live = AccountFactory.create(
        connection__owner=alice, connection__environment=Environment.LIVE, name="REAL"
    )
    FillFactory.create(account=live)
    paper = caller_for(alice, kind=KeyKind.PAPER)
    assert paper.get("/api/trades").json()["data"] == []
    assert paper.get("/api/trades", {"accountId": live.pk}).status_code == 404
    assert [row["name"] for row in paper.get("/api/accounts").json()["data"]] == ["LEAD"]
    assert [row["accountId"] for row in paper.get("/api/pnl/snapshot").json()["data"]] == [account.pk]
    everything = caller_for(alice).get("/api/accounts").json()["data"]
    assert {row["environment"] for row in everything} == {"live", "paper"}
