"""The kill switch and batch acts by API: what a page can do, a program can, as far as its key goes."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.core.keys import KeyKind, Scope
from accounts.models import User
from accounts.tests.keys import caller_for
from brokers.models import Account, TagKind
from brokers.services.labels import label_account
from risk.models import Gate
from risk.services.gates import ensure_owner_gate
from syncgroups.models import Request, SyncGroup
from syncgroups.services import gates
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.control import direct
from tradehaven.control.messages import Heard, HeardState, InFlight, Press
from tradehaven.domain.enums import Ask, Environment
from tradehaven.domain.ids import AccountId, ClientOrderId

KILL, DISARM, BATCH = "/api/kill", "/api/kill/disarm", "/api/batch"


@pytest.fixture
def members(alice: User) -> list[Account]:
    cache.clear()
    found = accounts(alice, "LEAD", "ONE", "TWO")
    for account in found[1:]:
        label_account(account, folder="Evals", tags={TagKind.FIRM: ["prop"]})
    return found


@pytest.fixture
def group(members: list[Account]) -> SyncGroup:
    made = GroupFactory.create(leader=members[0], active=True, name="Scalps")
    for account in members[1:]:
        FollowerFactory.create(group=made, account=account)
    return made


@pytest.fixture
def program(alice: User) -> Client:
    return caller_for(alice)


def post(client: Client, path: str, body: dict[str, Any], **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers or None)


def halted() -> set[str]:
    return {f"{gate.kind}" for gate in Gate.objects.filter(state="halted")}


def test_one_call_stops_everything(program: Client, members: list[Account]) -> None:
    answer = post(program, KILL, {"scope": "everything", "flatten": True, "reason": "news"})
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "message": "Kill switch is on for everything.",
        "changed": True,
        "engines": [],
    }
    gate = Gate.objects.get(kind="owner")
    assert (gate.is_halted, gate.flatten, gate.reason) == (True, True, "news")
    assert post(program, KILL, {"scope": "everything"}).json()["data"]["changed"] is False


def test_the_engines_own_words_are_in_the_answer(
    program: Client, members: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    flying = (InFlight(account=AccountId(4), client_order_id=ClientOrderId("th1.x")),)
    heard = Heard(engine="one", state=HeardState.OBEYED, in_flight=flying, flattening=(AccountId(4),))
    monkeypatch.setattr(direct, "tell", lambda _press: (heard,))
    assert post(program, KILL, {"scope": "everything"}).json()["data"]["engines"] == [
        {
            "engine": "one",
            "state": "obeyed",
            "inFlight": [{"accountId": 4, "clientOrderId": "th1.x"}],
            "flattening": [4],
        }
    ]


@pytest.mark.parametrize(
    ("scope", "kinds", "count"),
    [("group", {"group"}, 1), ("tag", {"account"}, 2), ("folder", {"account"}, 2)],
)
def test_a_scope_stops_what_it_names(
    program: Client, members: list[Account], group: SyncGroup, scope: str, kinds: set[str], count: int
) -> None:
    name = {"group": group.public_id, "tag": "prop", "folder": "Evals"}[scope]
    assert post(program, KILL, {"scope": scope, "id": name}).status_code == 200
    assert halted() == kinds
    assert Gate.objects.filter(state="halted").count() == count


def test_an_account_is_named_by_its_number(program: Client, members: list[Account]) -> None:
    assert post(program, KILL, {"scope": "account", "id": members[1].pk}).status_code == 200
    assert members[1].risk.gate.changes.count() == 1


def test_the_same_key_stops_once(program: Client, members: list[Account]) -> None:
    first = post(program, KILL, {"scope": "everything"}, **{"Idempotency-Key": "stop-1"})
    again = post(program, KILL, {"scope": "everything"}, **{"Idempotency-Key": "stop-1"})
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Gate.objects.get(kind="owner").changes.count() == 1


def test_all_switches_are_listed(
    program: Client, alice: User, members: list[Account], group: SyncGroup
) -> None:
    ensure_owner_gate(alice.pk)
    gates.halt(gate=group.gate, by=alice, reason="news", flatten=True)
    rows = program.get(KILL).json()["data"]["gates"]
    assert [(row["scope"], row["name"]) for row in rows] == [
        ("everything", "everything"),
        ("account", "LEAD"),
        ("account", "ONE"),
        ("account", "TWO"),
        ("group", "Scalps"),
    ]
    assert (rows[-1]["id"], rows[-1]["state"], rows[-1]["flatten"], rows[-1]["reason"]) == (
        group.public_id,
        "halted",
        True,
        "news",
    )
    assert rows[-1]["lockedUntil"] is None


def test_a_dissolved_groups_switch_is_not_listed(
    program: Client, members: list[Account], group: SyncGroup
) -> None:
    group.delete()
    assert {row["scope"] for row in program.get(KILL).json()["data"]["gates"]} == {"account"}


# -- disarming -----------------------------------------------------------------------------------------


def test_a_key_that_trades_may_stop_and_not_disarm(
    program: Client, alice: User, members: list[Account]
) -> None:
    post(program, KILL, {"scope": "everything"})
    answer = post(program, DISARM, {"scope": "everything", "confirm": "DISARM"})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert halted() == {"owner"}


def test_a_key_made_for_that_disarms_with_the_word(alice: User, members: list[Account]) -> None:
    opener = caller_for(alice, Scope.DISARM)
    assert post(opener, KILL, {"scope": "tag", "id": "prop"}).status_code == 200
    for confirm in ({}, {"confirm": "yes"}, {"confirm": "disarm"}):
        assert post(opener, DISARM, {"scope": "tag", "id": "prop"} | confirm).status_code == 400
    answer = post(opener, DISARM, {"scope": "tag", "id": "prop", "confirm": "DISARM"})
    assert answer.json()["data"]["changed"] is True
    assert halted() == set()


def test_a_program_cannot_show_a_code(alice: User, members: list[Account]) -> None:
    members[1].connection.environment = Environment.LIVE
    members[1].connection.save()
    User.objects.filter(pk=alice.pk).update(factor_for_live=True)
    opener = caller_for(alice, Scope.DISARM)
    post(opener, KILL, {"scope": "account", "id": members[1].pk})
    answer = post(opener, DISARM, {"scope": "account", "id": members[1].pk, "confirm": "DISARM"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert halted() == {"account"}


# -- many at once --------------------------------------------------------------------------------------


def test_acts_on_many(program: Client, members: list[Account], group: SyncGroup) -> None:
    scope = {"scope": "group", "id": group.public_id}
    assert post(program, BATCH, scope | {"act": "pause"}).json()["data"]["changed"] is True
    assert Gate.objects.get(pk=group.gate_id).state == "reducing"
    assert post(program, BATCH, scope | {"act": "resume"}).status_code == 200
    assert post(program, BATCH, scope | {"act": "close"}).status_code == 200
    assert Request.objects.filter(ask=Ask.FLATTEN).count() == 2
    assert post(program, BATCH, scope | {"act": "limit", "maxPosition": 3}).status_code == 200
    assert [account.risk.max_position for account in Account.objects.order_by("pk")] == [None, 3, 3]
    assert post(program, BATCH, scope | {"act": "limit", "maxPosition": None}).status_code == 200
    assert post(program, BATCH, scope | {"act": "flatten"}).status_code == 200
    assert halted() == {"group"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (KILL, {}),
        (KILL, {"scope": "planet"}),
        (KILL, {"scope": "everything", "flattened": True}),
        (KILL, {"scope": "everything", "reason": "x" * 201}),
        (BATCH, {"scope": "everything"}),
        (BATCH, {"scope": "everything", "act": "stop"}),
        (BATCH, {"scope": "everything", "act": "pause", "maxPosition": 3}),
        (BATCH, {"scope": "everything", "act": "limit", "maxPosition": 0}),
    ],
)
def test_what_makes_no_sense_is_refused(
    program: Client, members: list[Account], path: str, body: dict[str, Any]
) -> None:
    assert post(program, path, body).status_code == 400
    assert halted() == set()


# -- whose ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [KILL, BATCH, DISARM])
def test_others_things_do_not_exist(bob: User, members: list[Account], group: SyncGroup, path: str) -> None:
    stranger = caller_for(bob, Scope.DISARM)
    more = {KILL: {}, BATCH: {"act": "pause"}, DISARM: {"confirm": "DISARM"}}[path]
    for scope, name in (("account", members[1].pk), ("group", group.public_id), ("tag", "prop")):
        assert post(stranger, path, {"scope": scope, "id": name} | more).status_code == 404
    assert halted() == set()


def test_a_key_that_reads_changes_nothing(alice: User, members: list[Account]) -> None:
    reader = caller_for(alice, Scope.READ)
    assert reader.get(KILL).status_code == 200
    for path in (KILL, BATCH, DISARM):
        assert post(reader, path, {"scope": "everything"}).status_code == 403
    assert halted() == set()


def test_a_paper_key_does_not_reach_live_money(alice: User, members: list[Account], group: SyncGroup) -> None:
    members[0].connection.environment = Environment.LIVE
    members[0].connection.save()
    ensure_owner_gate(alice.pk)
    program = caller_for(alice, kind=KeyKind.PAPER)
    assert post(program, KILL, {"scope": "group", "id": group.public_id}).status_code == 404
    assert post(program, KILL, {"scope": "everything"}).status_code == 404
    assert halted() == set()
    assert program.get(KILL).json()["data"]["gates"] == []


def test_without_a_key_nobody_is_heard(
    client: Client, members: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Press] = []
    monkeypatch.setattr(direct, "tell", told.append)
    assert post(client, KILL, {"scope": "everything"}).status_code == 401
    assert not told
