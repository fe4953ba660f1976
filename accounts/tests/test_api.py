"""What all API answers share: keys, scopes, limits, the shape of errors, and the reference."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisGone

from accounts.api.render import LARGEST_BODY
from accounts.billing.services import choose_plan
from accounts.core import rates
from accounts.core.keys import Scope
from accounts.core.plans import Plan
from accounts.core.rates import Rates
from accounts.models import User
from accounts.services.keys import revoke_key
from accounts.tests.factories import confirm
from accounts.tests.keys import caller, caller_for, key_of

pytestmark = pytest.mark.django_db
PATH = "/api/accounts"


@pytest.fixture(autouse=True)
def no_memory_of_other_tests() -> None:
    cache.clear()


def refusal(answer) -> str:
    """Return an error's code, having looked at its shape."""
    said = answer.json()
    assert list(said) == ["status", "code", "message", "fields"]
    assert said["status"] == "error"
    assert said["message"]
    return str(said["code"])


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "key_missing"),
        ({"Authorization": "Bearer"}, "key_missing"),
        ({"Authorization": "Bearer th_live_abc123def456"}, "key_refused"),
        ({"Authorization": "Bearer \x00"}, "key_refused"),
        ({"Authorization": "Basic YTpi"}, "key_refused"),
    ],
)
def test_without_a_key_nothing_is_told(client: Client, header: dict[str, str], code: str):
    answer = client.get(PATH, headers=header)
    assert answer.status_code == 401
    assert refusal(answer) == code
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="TradeHaven"'


def test_a_key_is_noted_when_used_and_refused_when_over(alice: User):
    row, text = key_of(alice)
    assert caller(text).get(PATH).status_code == 200
    row.refresh_from_db()
    assert row.used_at is not None
    revoke_key(key=row)
    assert refusal(caller(text).get(PATH)) == "key_refused"
    assert alice.audit_events.filter(action="key_refused").count() == 1


def test_an_expired_key_is_refused(alice: User):
    _, text = key_of(alice, expires_at=timezone.now() - timedelta(seconds=1))
    assert caller(text).get(PATH).status_code == 401


def test_a_log_in_is_no_key(alice_client: Client):
    assert alice_client.get(PATH).status_code == 401


def test_a_reading_key_changes_nothing(alice: User):
    answer = caller_for(alice, Scope.READ).post("/api/trades/copy", {}, "application/json")
    assert (answer.status_code, refusal(answer)) == (403, "scope_missing")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_a_method_that_is_not_there_is_said(alice: User, method: str):
    answer = getattr(caller_for(alice), method)(PATH)
    assert (answer.status_code, refusal(answer)) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/trades/", "/api/a/b"])
@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
def test_an_address_that_leads_nowhere_answers_in_shape(client: Client, path: str, method: str):
    answer = getattr(client, method)(path)
    assert (answer.status_code, refusal(answer)) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        ("{", "application/json", 400, "parse_error"),
        ("[" * 50_000, "application/json", 400, "parse_error"),
        ('{"quantity": NaN}', "application/json", 400, "parse_error"),
        ("\xff", "application/json", 400, "parse_error"),
        ("[]", "application/json", 400, "invalid"),
        ("null", "application/json", 400, "invalid"),
        ("a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (" " * (LARGEST_BODY + 1), "application/json", 413, "too_large"),
    ],
)
def test_what_cannot_be_read_is_said_in_shape(alice: User, body: str, kind: str, status: int, code: str):
    answer = caller_for(alice).post("/api/trades/copy", body.encode("latin-1"), kind)
    assert (answer.status_code, refusal(answer)) == (status, code)


@pytest.mark.parametrize("path", ["/api/trades?instrument=%00", "/api/trades/copies/a%00"])
def test_an_address_that_cannot_be_read_is_said_in_shape(alice: User, path: str):
    answer = caller_for(alice).get(path)
    assert (answer.status_code, refusal(answer)) == (400, "parse_error")


def test_any_wish_for_another_format_gets_json(alice: User):
    answer = caller_for(alice).get(PATH, headers={"Accept": "application/xml"})
    assert answer.headers["Content-Type"] == "application/json"


def test_a_mistake_of_ours_is_said_in_shape_and_tells_nothing(alice: User, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("analytics.api.accounts_in_reach", fail)
    answer = caller_for(alice).get(PATH)
    assert (answer.status_code, refusal(answer)) == (500, "internal")
    assert "secret" not in answer.content.decode()


def test_calls_beyond_the_plans_limit_wait(alice: User, monkeypatch):
    monkeypatch.setitem(rates.RATES, Plan.STARTER, Rates(key=3, owner=100))
    program = caller_for(alice)
    codes = [program.get(PATH).status_code for _ in range(4)]
    assert codes[:3] == [200] * 3
    answer = program.get(PATH)
    assert (answer.status_code, refusal(answer)) == (429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 120
    assert caller_for(alice, Scope.READ).get(PATH).status_code == 200


def test_a_larger_plan_may_call_more_often(alice: User, monkeypatch):
    monkeypatch.setitem(rates.RATES, Plan.STARTER, Rates(key=1, owner=100))
    confirm(alice)
    choose_plan(alice, Plan.PROFESSIONAL, used=0, now=timezone.now())
    program = caller_for(alice)
    assert [program.get(PATH).status_code for _ in range(3)] == [200] * 3


def test_many_keys_of_one_person_share_a_limit(alice: User, bob: User, monkeypatch):
    monkeypatch.setitem(rates.RATES, Plan.STARTER, Rates(key=100, owner=2))
    programs = [caller(key_of(alice, name=f"key {n}")[1]) for n in range(3)]
    assert [program.get(PATH).status_code for program in programs] == [200, 200, 429]
    assert caller_for(bob).get(PATH).status_code == 200


def test_guessing_keys_is_slowed_down(client: Client, monkeypatch):
    monkeypatch.setattr("accounts.api.throttles.REFUSALS", 2)
    guesses = [client.get(PATH, headers={"Authorization": "Bearer x"}).status_code for _ in range(3)]
    assert guesses == [401, 401, 429]


def test_programs_are_served_while_the_counters_are_gone(alice: User, monkeypatch):
    def gone(*_: object, **__: object) -> None:
        raise RedisGone

    monkeypatch.setattr(cache, "incr", gone)
    assert caller_for(alice).get(PATH).status_code == 200


def test_the_document_names_every_address_and_every_error(client: Client):
    document = json.loads(client.get("/api/schema").content)
    assert document["openapi"] == "3.1.1"
    assert set(document["paths"]) >= {
        "/api/trades",
        "/api/trades/copy",
        "/api/pnl/snapshot",
        "/api/syncer/snapshot",
    }
    for path in document["paths"].values():
        for operation in path.values():
            assert {"200", "400", "401", "403", "404", "429"} <= set(operation["responses"])
            assert operation["security"] == [{"apiKey": []}]


def test_the_reference_brings_everything_from_here(client: Client):
    page = client.get("/api/docs").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert "<style" not in page
    assert "style=" not in page
    assert "//cdn" not in page
    assert client.post("/api/docs").status_code == 405
