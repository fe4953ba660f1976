"""Manual copies and the state of groups by API, as the documentation shows them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.core.keys import KeyKind
from accounts.models import StoredAnswer, User
from accounts.tests.factories import confirm
from accounts.tests.keys import caller_for
from brokers.models import Account, Connection, Lease
from brokers.tests.factories import AccountFactory, ConnectionFactory, LeaseFactory
from syncgroups.api import copies
from syncgroups.core.copies import CopyState
from syncgroups.engine import plans
from syncgroups.models import CopiedOrder, Follower, ManualCopy, SyncGroup
from syncgroups.tests.factories import CopyFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from syncgroups.tests.plans import LEADER
from syncgroups.tests.rows import THREE, TWO, Engine, settle_in
from tradehaven.domain.enums import Environment, SizingMode
from tradehaven.domain.ids import OwnerId

pytestmark = pytest.mark.django_db
PATH = "/api/trades/copy"
DOCUMENTED: dict[str, Any] = {
    "leaderAccountId": LEADER,
    "followerAccountIds": [TWO, THREE],
    "instrument": "NQH5",
    "side": "Buy",
    "quantity": 1,
    "orderType": "Market",
    "stopLoss": {"offset": 20},
    "takeProfit": {"offset": 40},
}


@pytest.fixture
def owner(alice: User) -> User:
    cache.clear()
    settle_in(alice)
    Follower.objects.update(ratio=1)
    LeaseFactory.create()
    return alice


@pytest.fixture
def program(owner: User) -> Client:
    return caller_for(owner)


@pytest.fixture
def halved(owner: User) -> None:
    Follower.objects.filter(account_id=THREE).update(ratio="0.5")


@pytest.fixture
def engine(owner: User, tmp_path: Path) -> Iterator[Engine]:
    found = Engine(owner, tmp_path)
    yield found
    found.journal.close()


@pytest.fixture
def running(engine: Engine, owner: User, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Let the engine look and its broker answer whenever the API waits for them."""

    def live(_seconds: float) -> None:
        for asked in plans.settings_of(OwnerId(owner.pk)).asked:
            engine.mailbox.post(asked)
        engine.world.settle()
        engine.recorder.drain()

    monkeypatch.setattr("syncgroups.api.copies.time.sleep", live)
    return engine


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "DEADLINE", 0.0)


def strangers(bob: User) -> list[Account]:
    """Return two accounts of another person, beside those whose numbers are given."""
    confirm(bob)
    login = ConnectionFactory.create(pk=901, owner=bob)
    return [AccountFactory.create(pk=pk, connection=login) for pk in (911, 912)]


def order(program: Client, key: str = "", **changed: Any) -> Any:
    body = {name: value for name, value in (DOCUMENTED | changed).items() if value is not None}
    headers = {"Idempotency-Key": key} if key else {}
    return program.post(PATH, json.dumps(body), "application/json", headers=headers)


def test_a_copy_is_ordered_and_answered_as_documented(program: Client, running: Engine):
    answer = order(program)
    assert answer.status_code == 200
    copy = ManualCopy.objects.get()
    entries = {row.follower_id: row for row in CopiedOrder.objects.filter(order_type="market")}
    assert answer.json() == {
        "status": "ok",
        "data": {
            "copyId": copy.public_id,
            "results": [
                {
                    "followerAccountId": account,
                    "orderId": f"ord_{entries[account].broker_order_id}",
                    "status": "submitted",
                    "quantity": 1,
                }
                for account in (TWO, THREE)
            ],
        },
    }
    assert copy.public_id.startswith("cp_")
    assert (copy.symbol, copy.stop_loss, copy.take_profit) == ("NQH5", 20, 40)
    assert program.get(f"/api/trades/copies/{copy.public_id}").json() == answer.json()


def test_prices_are_taken_on_the_contracts_grid(program: Client, impatient: None):
    asked: dict[str, Any] = {
        "instrument": "ESZ6",
        "orderType": "StopLimit",
        "stopPrice": 5000.25,
        "limitPrice": 5001,
    }
    assert order(program, **asked, timeInForce="Gtc").status_code == 200
    copy = ManualCopy.objects.get()
    assert (copy.stop_ticks, copy.limit_ticks, copy.tif) == (20_001, 20_004, "gtc")


def test_who_is_left_out_is_told_why(program: Client, halved: None, running: Engine):
    _, left_out = order(program).json()["data"]["results"]
    assert (left_out["status"], left_out["orderId"], left_out["quantity"]) == ("skipped", None, 0)
    assert "rounds down to 0" in left_out["reason"]


def test_nobody_waits_longer_than_the_deadline_for_an_engine(program: Client, impatient: None):
    answer = order(program)
    assert answer.status_code == 200
    for result in answer.json()["data"]["results"]:
        assert (result["status"], result["orderId"]) == ("waiting", None)
        assert "within a minute or never" in result["reason"]


def test_an_order_that_the_broker_has_not_answered_is_unresolved(
    program: Client, engine: Engine, owner: User, impatient: None
):
    copy_id = order(program).json()["data"]["copyId"]
    for asked in plans.settings_of(OwnerId(owner.pk)).asked:
        engine.mailbox.post(asked)
    engine.recorder.drain()
    for result in program.get(f"/api/trades/copies/{copy_id}").json()["data"]["results"]:
        assert (result["status"], result["orderId"], result["quantity"]) == ("unresolved", None, 1)
        assert "has not answered" in result["reason"]


@pytest.mark.parametrize("lease", ["none", "given back", "silent"])
def test_without_an_engine_nothing_is_ordered(program: Client, lease: str):
    if lease == "none":
        Lease.objects.all().delete()
    elif lease == "given back":
        Lease.objects.update(holder="")
    else:
        Lease.objects.update(beat_at=timezone.now() - timedelta(seconds=11))
    answer = order(program, key="a")
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_offline")
    assert answer.headers["Retry-After"] == "5"
    assert not ManualCopy.objects.exists()
    assert not StoredAnswer.objects.exists(), "the same key may try again"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"leaderAccountId": None}, "leaderAccountId"),
        ({"followerAccountIds": []}, "followerAccountIds"),
        ({"followerAccountIds": ["x"]}, "followerAccountIds.0"),
        ({"followerAccountIds": [LEADER]}, "followerAccountIds"),
        ({"leaderAccountId": TWO}, "leaderAccountId"),
        ({"instrument": "AAPL"}, "instrument"),
        ({"instrument": "ES\0"}, "instrument"),
        ({"side": "buy"}, "side"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": 10**30}, "quantity"),
        ({"orderType": "Mit"}, "orderType"),
        ({"orderType": "Limit"}, "limitPrice"),
        ({"limitPrice": 5000}, "limitPrice"),
        ({"orderType": "Limit", "limitPrice": 5000.1}, "limitPrice"),
        ({"orderType": "Limit", "limitPrice": "1e999999"}, "limitPrice"),
        ({"stopLoss": {"offset": 0}}, "stopLoss.offset"),
        ({"stopLoss": {}}, "stopLoss.offset"),
        ({"stopLoss": 20}, "stopLoss"),
        ({"stoploss": {"offset": 20}}, "stoploss"),
        ({"takeProfit": {"offset": 10, "unit": "points"}}, "takeProfit.unit"),
    ],
)
def test_what_is_ordered_wrongly_is_named(program: Client, changed: dict[str, Any], field: str):
    answer = order(program, **changed)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["fields"]) == [field]
    assert not ManualCopy.objects.exists()


@pytest.mark.parametrize("whose", ["leaderAccountId", "followerAccountIds"])
def test_strangers_accounts_do_not_exist(program: Client, bob: User, whose: str):
    leader, follower = strangers(bob)
    theirs: dict[str, Any] = {"leaderAccountId": leader.pk, "followerAccountIds": [TWO, follower.pk]}
    answer = order(program, **{whose: theirs[whose]})
    assert (answer.status_code, list(answer.json()["fields"])) == (404, [whose])
    assert not ManualCopy.objects.exists()


def test_a_strangers_copy_does_not_exist(program: Client, bob: User, impatient: None):
    copy_id = order(program).json()["data"]["copyId"]
    assert caller_for(bob).get(f"/api/trades/copies/{copy_id}").status_code == 404


def test_a_paper_key_orders_nothing_for_real_money(owner: User, impatient: None):
    paper, live = caller_for(owner, kind=KeyKind.PAPER), caller_for(owner)
    assert order(paper).status_code == 200
    Connection.objects.filter(accounts=THREE).update(environment=Environment.LIVE)
    answer = order(paper)
    assert (answer.status_code, list(answer.json()["fields"])) == (404, ["followerAccountIds"])
    copy_id = order(live).json()["data"]["copyId"]
    assert paper.get(f"/api/trades/copies/{copy_id}").status_code == 404
    assert live.get(f"/api/trades/copies/{copy_id}").status_code == 200


def test_the_same_key_and_order_is_carried_out_once(program: Client, running: Engine):
    first, second = order(program, key="morning-1"), order(program, key="morning-1")
    assert first.content == second.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Content-Type"] == "application/json"
    assert ManualCopy.objects.count() == 1


def test_the_same_key_with_another_order_is_a_conflict(program: Client, impatient: None):
    order(program, key="a")
    answer = order(program, key="a", quantity=2)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert ManualCopy.objects.count() == 1


def test_a_key_that_is_still_on_its_way_asks_to_wait(program: Client, impatient: None):
    order(program, key="a")
    StoredAnswer.objects.update(status=None, body=None)
    answer = order(program, key="a")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_progress")
    assert answer.headers["Retry-After"] == "1"


def test_a_request_whose_process_died_is_taken_over_and_orders_nothing_twice(
    program: Client, impatient: None
):
    first = order(program, key="a").json()
    StoredAnswer.objects.update(status=None, body=None, claimed_at=timezone.now() - timedelta(seconds=61))
    assert order(program, key="a").json() == first
    assert ManualCopy.objects.count() == 1
    assert StoredAnswer.objects.get().status == 200


def test_a_key_outlives_its_answer_without_ordering_twice(program: Client, impatient: None):
    first = order(program, key="a").json()
    StoredAnswer.objects.update(expires_at=timezone.now())
    again = order(program, key="a")
    assert again.json() == first
    assert "Idempotent-Replayed" not in again.headers
    StoredAnswer.objects.update(expires_at=timezone.now())
    assert order(program, key="a", quantity=2).json()["code"] == "idempotency_key_reused"


def test_a_wrong_order_does_not_use_its_key_up(program: Client, impatient: None):
    assert order(program, key="a", quantity=0).status_code == 400
    assert order(program, key="a").status_code == 200


def test_two_people_may_choose_the_same_key(program: Client, bob: User, impatient: None):
    order(program, key="a")
    leader, follower = strangers(bob)
    FollowerFactory.create(group=GroupFactory.create(pk=921, leader=leader), account=follower)
    answer = order(caller_for(bob), key="a", leaderAccountId=leader.pk, followerAccountIds=[follower.pk])
    assert answer.status_code == 200
    assert ManualCopy.objects.count() == 2


@pytest.mark.parametrize("key", ["x" * 65, "a b", "ä", "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(program: Client, key: str):
    answer = order(program, key=key)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Idempotency-Key"])


def test_who_has_not_confirmed_the_address_orders_nothing(program: Client, owner: User):
    EmailAddress.objects.filter(user=owner).update(verified=False)
    answer = order(program)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert not ManualCopy.objects.exists()


@pytest.fixture
def group(alice: User) -> SyncGroup:
    cache.clear()
    leader, one, two = accounts(alice, "LEAD", "ONE", "TWO")
    made: SyncGroup = GroupFactory.create(leader=leader, name="ES Scalping - Live", active=True)
    FollowerFactory.create(group=made, account=one)
    FollowerFactory.create(group=made, account=two, sizing=SizingMode.BALANCE)
    for account in (one, two):
        CopyFactory.create(
            group=made, follower=account, acknowledged_at=datetime.fromisoformat("2025-12-15T16:04:58.331Z")
        )
    return made


def test_groups_are_as_documented(group: SyncGroup, alice: User):
    LeaseFactory.create(beat_at=datetime.fromisoformat("2025-12-15T16:05:20Z"))
    one, two = Account.objects.filter(name__in=["ONE", "TWO"]).order_by("pk")
    answer = caller_for(alice).get("/api/syncer/snapshot")
    follower = {"connected": True, "lastSyncTimestamp": "2025-12-15T16:04:58.331Z", "pendingOrders": 0}
    assert answer.json() == {
        "status": "ok",
        "data": {
            "syncGroups": [
                {
                    "id": group.public_id,
                    "name": "ES Scalping - Live",
                    "syncMode": "Immediate",
                    "active": True,
                    "leader": {
                        "accountId": group.leader_id,
                        "connected": True,
                        "lastHeartbeat": "2025-12-15T16:05:20.000Z",
                    },
                    "followers": [
                        {"accountId": one.pk} | follower | {"lotSizingMode": "FixedRatio", "lotRatio": 1.0},
                        {"accountId": two.pk}
                        | follower
                        | {"lotSizingMode": "BalanceProportional", "lotRatio": None},
                    ],
                }
            ]
        },
    }


def test_open_copies_are_pending_and_a_lost_login_says_since_when(group: SyncGroup, alice: User):
    lost = datetime.fromisoformat("2026-01-02T03:04:05Z")
    CopiedOrder.objects.filter(follower__name="ONE").update(state=CopyState.LIVE)
    Connection.objects.update(link_up=False, link_changed_at=lost)
    (found,) = caller_for(alice).get("/api/syncer/snapshot").json()["data"]["syncGroups"]
    assert [follower["pendingOrders"] for follower in found["followers"]] == [1, 0]
    assert found["leader"] == {
        "accountId": group.leader_id,
        "connected": False,
        "lastHeartbeat": "2026-01-02T03:04:05.000Z",
    }


def test_strangers_and_paper_keys_see_no_group_with_real_money(group: SyncGroup, alice: User, bob: User):
    assert caller_for(bob).get("/api/syncer/snapshot").json()["data"]["syncGroups"] == []
    paper = caller_for(alice, kind=KeyKind.PAPER)
    assert len(paper.get("/api/syncer/snapshot").json()["data"]["syncGroups"]) == 1
    Connection.objects.update(environment=Environment.LIVE)
    assert paper.get("/api/syncer/snapshot").json()["data"]["syncGroups"] == []
