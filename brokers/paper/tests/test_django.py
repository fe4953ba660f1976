"""The exchange in the project's database: services, options, store, and a whole process."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from brokers.paper.config import options, span
from brokers.paper.django_store import DjangoStore
from brokers.paper.entities import Account, CashBalance, Evaluation
from brokers.paper.kinds import Kind
from brokers.paper.models import PaperAccount, PaperEntity, PaperLogin
from brokers.paper.options import Hours
from brokers.paper.records import Event
from brokers.paper.services import ensure_login, register_client
from brokers.paper.store import Batch, RefreshGrant
from brokers.paper.words import EventType

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
SESSION = date(2026, 11, 18)
PASSWORD = "Correct-horse-7"


def cash(number: int, amount: str, session: date = SESSION) -> CashBalance:
    return CashBalance(
        id=number,
        account_id=10,
        timestamp=NOW,
        trade_date=session,
        amount=Decimal(amount),
        amount_sod=Decimal(0),
    )


def event(
    entity: Any, kind: Kind, event_type: EventType = EventType.CREATED, session: date = SESSION
) -> Event:
    return Event(event_type=event_type, kind=kind, entity=entity, account_id=10, session=session)


def batch(*events: Event, next_id: int = 99, session: date = SESSION) -> Batch:
    return Batch(events=events, next_id=next_id, session=session, marks={300701123: 20171})


def test_span_reads_ranges_and_single_values() -> None:
    assert (span("50-200"), span("0"), span((1, 2))) == ((50, 200), (0, 0), (1, 2))
    for wrong in ("5-1", "-1", "x"):
        with pytest.raises(ValueError):
            span(wrong)


def test_options_come_from_settings_and_arguments_go_before_them(settings: Any) -> None:
    settings.PAPER_LATENCY_MS = "10-20"
    settings.PAPER_HOURS = "cme"
    found = options({"slippage_ticks": "1", "port": 0, "commission": None})
    assert found.rules.latency_ms == (10, 20)
    assert found.rules.slippage_ticks == (1, 1)
    assert (found.port, found.hours, found.replay) == (0, Hours.CME, None)
    assert settings.SECRET_KEY not in found.secret


def test_replay_needs_the_symbol_of_its_contract() -> None:
    with pytest.raises(ValueError, match="symbol"):
        options({"data_file": "gold.csv"})
    replay = options({"data_file": "gold.csv", "symbol": "gcz6", "speed": 4}).replay
    assert replay is not None
    assert (replay.symbol, replay.speed) == ("GCZ6", 4)


def test_command_tells_bad_ranges_in_one_sentence() -> None:
    with pytest.raises(CommandError, match="no range"):
        call_command("run_paper_exchange", "--latency", "9-1")


@pytest.mark.django_db
def test_login_is_made_once_and_gets_what_is_missing() -> None:
    first = ensure_login(name="lena", password="old", accounts=[("P-1", Decimal(100))])
    again = ensure_login(name="lena", password="new", accounts=[("P-1", Decimal(999)), ("P-2", Decimal(200))])
    assert first == again
    assert PaperAccount.objects.get(name="P-1").opening_balance == 100
    assert "new" not in PaperLogin.objects.get().password
    store = DjangoStore()
    assert store.login("lena", "old") is None
    assert store.login("nobody", "new") is None
    login = store.login("lena", "new")
    assert login is not None
    assert [(seat.name, seat.opening) for seat in login.seats] == [
        ("P-1", Decimal(100)),
        ("P-2", Decimal(200)),
    ]
    assert store.login(login.email, "new") == login
    assert store.login_of_id(login.user_id) == login
    assert store.login_of_id(1) is None


@pytest.mark.django_db
def test_account_of_somebody_else_is_refused_and_nothing_is_made() -> None:
    ensure_login(name="lena", password="x", accounts=[("P-1", Decimal(100))])
    with pytest.raises(ValueError, match="another login"):
        ensure_login(name="mia", password="x", accounts=[("P-1", Decimal(100))])
    assert not PaperLogin.objects.filter(name="mia").exists()


@pytest.mark.django_db
def test_client_is_registered_and_replaced() -> None:
    for secret in ("one", "two"):
        register_client(client_id="app", client_secret=secret, redirect_uris=["http://x/"], name="App")
    store = DjangoStore()
    client = store.client("app")
    assert client is not None
    assert client.redirect_uris == ("http://x/",)
    assert store.client("other") is None
    assert [store.client_secret_is("app", secret) for secret in ("one", "two")] == [False, True]
    assert not store.client_secret_is("other", "two")


@pytest.mark.django_db
def test_refresh_token_is_taken_once() -> None:
    login = ensure_login(name="lena", password="x")
    store = DjangoStore()
    grant = RefreshGrant(digest="d" * 64, user_id=login.user_id, client_id="app", expires=NOW + timedelta(1))
    store.keep_refresh(grant)
    assert store.take_refresh("d" * 64) == grant
    assert store.take_refresh("d" * 64) is None


@pytest.mark.django_db
def test_store_keeps_the_last_image_of_an_entity() -> None:
    store = DjangoStore()
    assert store.load().rows == ()
    store.save(batch(event(cash(5, "10.25"), Kind.CASH_BALANCE), event(cash(5, "11.75"), Kind.CASH_BALANCE)))
    store.save(batch(event(cash(5, "12.50"), Kind.CASH_BALANCE, EventType.UPDATED), next_id=121))
    saved = store.load()
    assert [row.entity for row in saved.rows] == [cash(5, "12.50")]
    assert (saved.next_id, saved.session, saved.marks) == (121, SESSION, {300701123: 20171})


@pytest.mark.django_db
def test_store_loads_the_session_and_what_outlives_sessions() -> None:
    store = DjangoStore()
    account = Account(id=10, name="P-1", user_id=1, timestamp=NOW, evaluation_size=Decimal(100))
    later = SESSION + timedelta(days=1)
    store.save(batch(event(account, Kind.ACCOUNT), event(cash(5, "10"), Kind.CASH_BALANCE)))
    store.save(
        batch(event(cash(6, "10", later), Kind.CASH_BALANCE, session=later), session=later, next_id=130)
    )
    assert {row.entity.id for row in store.load().rows} == {10, 6}
    assert PaperEntity.objects.count() == 3


class Process:
    """`manage.py run_paper_exchange` on the test's database."""

    def __init__(self, *arguments: str) -> None:
        database = connection.settings_dict
        url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
        environment = {**os.environ, "DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
        manage = str(Path(settings.BASE_DIR) / "manage.py")
        self._process = subprocess.Popen(
            [sys.executable, manage, "run_paper_exchange", "--port", "0", "--latency", "0", *arguments],
            env={**environment, "DJANGO_SETTINGS_MODULE": "tradehaven.settings.test"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.line = self._process.stdout.readline().strip()
        self.url = self.line.rpartition(" ")[2]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self._process.send_signal(number)
        watchdog = threading.Timer(5, self._process.kill)
        watchdog.start()
        code = self._process.wait()
        watchdog.cancel()
        return code

    def login(self) -> dict[str, str]:
        body = {"name": "lena", "password": PASSWORD}
        answer = requests.post(f"{self.url}/auth/accesstokenrequest", json=body, timeout=5).json()
        return {"Authorization": f"Bearer {answer['accessToken']}"}


@pytest.mark.journey
@pytest.mark.django_db(transaction=True)
def test_process_killed_in_the_middle_comes_back_with_every_answered_order(tmp_path: Path) -> None:
    fixture = tmp_path / "people.json"
    account = {"name": "P-1", "balance": 50_000}
    login = {"name": "lena", "password": PASSWORD, "accounts": [account]}
    client = {"client_id": "app", "client_secret": "s", "redirect_uris": ["http://x/"], "name": "App"}
    fixture.write_text(json.dumps({"logins": [login], "clients": [client]}))
    first = Process("--fixture", str(fixture))
    assert first.line == f"paper exchange ready on {first.url}"
    headers = first.login()
    order = {"accountSpec": "P-1", "action": "Buy", "symbol": "MESZ6", "orderQty": 1}
    resting = {**order, "orderType": "Limit", "price": 4000}
    url = f"{first.url}/order/placeorder"
    answered = [
        requests.post(url, json=body, headers=headers, timeout=5).json()["orderId"]
        for body in (resting, {**order, "orderType": "Market"}, resting)
    ]
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    second = Process()
    try:
        found = requests.get(f"{second.url}/order/list", headers=headers, timeout=5).json()
        assert {row["id"]: row["ordStatus"] for row in found} == {
            answered[0]: "Working",
            answered[1]: "Filled",
            answered[2]: "Working",
        }
        cancel = {"orderId": answered[0]}
        requests.post(f"{second.url}/order/cancelorder", json=cancel, headers=second.login(), timeout=5)
        one = requests.get(f"{second.url}/order/item?id={answered[0]}", headers=headers, timeout=5)
        assert one.json()["ordStatus"] == "Canceled"
    finally:
        assert second.stop() == 0


@pytest.mark.django_db
def test_rule_set_is_kept_with_the_account_and_reaches_the_exchange() -> None:
    people: dict[str, Any] = {
        "name": "nina",
        "password": PASSWORD,
        "accounts": [("PAPER-N1", Decimal(50_000))],
    }
    ensure_login(**people, rule_sets={"PAPER-N1": "topstep_combine:50000"})
    ensure_login(**people)
    login = DjangoStore().login("nina", PASSWORD)
    assert login is not None
    assert [seat.rule_set for seat in login.seats] == ["topstep_combine:50000"]
    with pytest.raises(ValueError, match="no rule set"):
        ensure_login(**people, rule_sets={"PAPER-N1": "nobody:1"})


@pytest.mark.django_db
def test_standing_survives_in_the_database() -> None:
    standing = Evaluation(
        id=10, rule_set="topstep_combine:50000", start=Decimal(1), high=Decimal("2.25"), floor=Decimal(0)
    )
    DjangoStore().save(batch(event(standing, Kind.EVALUATION)))
    assert [row.entity for row in DjangoStore().load().rows] == [standing]
