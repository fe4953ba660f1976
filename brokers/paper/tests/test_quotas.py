"""Rate limits, endpoint quotas and penalty tickets: the rules by themselves, then over the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.config import options
from brokers.paper.quotas import ENDPOINT_QUOTAS, REAL, Asked, Counts, Limits, Quotas, Refusal
from brokers.paper.testing import PASSWORD, RunningExchange, running_exchange
from brokers.paper.tests.client import SECONDS, Client
from brokers.paper.tests.conftest import LOGINS
from brokers.paper.tests.test_login import Clock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def command(user_id: int = 1, ticket: str = "") -> Asked:
    return Asked(endpoint="order/placeorder", user_id=user_id, address="203.0.113.7", ticket=ticket)


def log_in(address: str = "203.0.113.7", ticket: str = "") -> Asked:
    return Asked(endpoint="auth/accesstokenrequest", user_id=None, address=address, ticket=ticket)


def penalty(refusal: Refusal | None) -> dict[str, Any]:
    assert refusal is not None
    assert refusal.status == 200
    assert isinstance(refusal.payload, dict)
    return refusal.payload


def test_real_limits_are_those_that_are_known() -> None:
    assert (REAL.commands_per_minute, REAL.requests_per_hour, REAL.anonymous_per_hour) == (80, 5000, 1000)
    known = {name: (quota.per_hour, quota.back_off, quota.counts) for name, quota in ENDPOINT_QUOTAS.items()}
    assert known["auth/accesstokenrequest"] == (5, 15, Counts.FAILURES)
    assert known["auth/renewaccesstoken"] == (15, 15, Counts.ALL)
    assert known["auth/me"] == (10, 30, Counts.FAILURES)
    assert known["user/syncrequest"] == (300, 3, Counts.ALL)


def test_eighty_commands_pass_and_the_next_is_told_when_to_come_again() -> None:
    quotas = Quotas(REAL)
    assert [quotas.admit(command(), at(second / 2)) for second in range(80)] == [None] * 80
    body = penalty(quotas.admit(command(), at(40)))
    assert (body["p-time"], body["p-captcha"]) == (20, False)
    assert quotas.admit(command(user_id=2), at(40)) is None
    assert quotas.admit(command(), at(60)) is None


def test_ticket_opens_the_door_once_and_not_before_its_time() -> None:
    quotas = Quotas(Limits(commands_per_minute=1))
    quotas.admit(command(), at(0))
    ticket = penalty(quotas.admit(command(), at(30)))["p-ticket"]
    early = penalty(quotas.admit(command(ticket=ticket), at(40)))
    assert early["p-ticket"] != ticket
    assert quotas.admit(command(), at(60)) is None
    assert quotas.admit(command(ticket=ticket), at(60)) is None
    assert "p-ticket" in penalty(quotas.admit(command(ticket=ticket), at(61)))


def test_ticket_of_another_login_is_worth_nothing() -> None:
    quotas = Quotas(Limits(commands_per_minute=1))
    for user in (1, 2):
        quotas.admit(command(user), at(0))
    ticket = penalty(quotas.admit(command(1), at(1)))["p-ticket"]
    quotas.admit(command(2), at(59.9))
    assert penalty(quotas.admit(command(2, ticket=ticket), at(59.95)))["p-ticket"] != ticket


def test_who_does_not_listen_gets_tickets_then_needs_a_human_then_is_locked_out() -> None:
    quotas = Quotas(Limits(commands_per_minute=1))
    quotas.admit(command(), at(0))
    told = [quotas.admit(command(), at(1)) for _ in range(11)]
    assert all(told)
    statuses = [item.status for item in told if item]
    assert statuses == [200] * 6 + [423] * 3 + [429] * 2
    assert [penalty(item)["p-captcha"] for item in told[:6]] == [False] * 3 + [True] * 3
    human = penalty(told[3])["p-ticket"]
    quotas.admit(command(), at(3590))
    assert quotas.admit(command(ticket=human), at(3600.5)) is not None
    assert quotas.admit(command(ticket=human), at(3601)) is None


def test_reads_of_orders_are_no_commands_but_use_up_the_hour() -> None:
    quotas = Quotas(Limits(commands_per_minute=1, requests_per_hour=3))
    read = Asked(endpoint="order/list", user_id=1, address="203.0.113.7")
    assert [quotas.admit(read, at(0)) for _ in range(3)] == [None] * 3
    assert quotas.admit(command(), at(1)) == Refusal(status=429, payload="")
    assert quotas.admit(command(), at(3600)) is None


def test_five_failed_logins_of_a_network_lead_to_a_ticket_and_successes_do_not() -> None:
    quotas = Quotas(REAL)
    for number in range(20):
        assert quotas.admit(log_in(), at(number)) is None
    for number in range(5):
        asked = log_in(f"203.0.113.{number}")
        assert quotas.admit(asked, at(20)) is None
        quotas.note_failure(asked, at(20))
    body = penalty(quotas.admit(log_in("203.0.113.99"), at(21)))
    assert (body["p-time"], body["p-captcha"]) == (15, False)
    assert quotas.admit(log_in("198.51.100.99"), at(21)) is None
    assert quotas.admit(log_in("203.0.113.1", ticket=body["p-ticket"]), at(36)) is None
    assert quotas.admit(log_in("203.0.113.1"), at(3621)) is None


def test_quota_without_a_back_off_is_refused_plainly() -> None:
    quotas = Quotas(Limits(endpoints=True))
    asked = Asked(endpoint="order/dryrun", user_id=1, address="203.0.113.7")
    assert [quotas.admit(asked, at(0)) for _ in range(500)] == [None] * 500
    assert quotas.admit(asked, at(1)) == Refusal(status=429, payload="")


def test_before_log_in_the_network_pays() -> None:
    quotas = Quotas(Limits(anonymous_per_hour=2))
    assert [quotas.admit(log_in(), at(0)) for _ in range(2)] == [None, None]
    assert quotas.admit(log_in("203.0.113.8"), at(1)) == Refusal(status=429, payload="")
    assert quotas.admit(log_in("192.0.2.8"), at(1)) is None


@given(gaps=st.lists(st.floats(0, 30), min_size=1, max_size=150), most=st.integers(1, 20))
def test_no_minute_sees_more_commands_than_allowed_without_a_ticket(gaps: list[float], most: int) -> None:
    quotas, now, passed = Quotas(Limits(commands_per_minute=most)), NOON, list[datetime]()
    for gap in gaps:
        now += timedelta(seconds=gap)
        if quotas.admit(command(), now) is None:
            passed.append(now)
        assert sum(1 for moment in passed if moment > now - timedelta(minutes=1)) <= most


@given(
    st.lists(st.sampled_from(["order/placeorder", "order/list", "auth/me", "user/syncrequest"]), max_size=60)
)
def test_without_limits_everything_passes(endpoints: list[str]) -> None:
    quotas = Quotas(Limits())
    for endpoint in endpoints:
        asked = Asked(endpoint=endpoint, user_id=None, address="")
        assert quotas.admit(asked, NOON) is None
        quotas.note_failure(asked, NOON)


def test_refused_command_is_not_carried_out_and_its_ticket_is_redeemed_over_the_wire() -> None:
    clock = Clock()
    limits = Limits(commands_per_minute=2)
    with (
        running_exchange(logins=LOGINS, limits=limits, clock=clock) as exchange,
        Client(exchange, "alice") as alice,
    ):
        exchange.set_price("MESZ6", "5050.00")
        socket = alice.socket(sync=False)
        alice.place()
        clock.ahead = timedelta(seconds=30)
        alice.place("A-2")
        answer = alice.place()
        assert answer == {"p-ticket": answer["p-ticket"], "p-time": 30, "p-captcha": False}
        body = {"accountId": alice.accounts["A-1"], "action": "Buy", "symbol": "MESZ6", "orderQty": 1}
        told = socket.ask("order/placeorder", 9, body={**body, "orderType": "Market"})
        assert told["p-time"] == 30
        assert len(alice.get("order/list")) == 2
        clock.ahead = timedelta(seconds=61)
        # The one slot that came free is taken, so that only the ticket can open the door.
        alice.place("A-2")
        assert "p-ticket" in alice.place()
        assert "orderId" in alice.place(**{"p-ticket": answer["p-ticket"]})
        assert len(alice.get("order/list")) == 4


def test_exhausted_hour_is_429_with_an_empty_body_and_on_the_socket_a_reply() -> None:
    with running_exchange(logins=LOGINS, limits=Limits(requests_per_hour=4)) as exchange:
        with Client(exchange, "alice") as alice:
            socket = alice.socket(sync=False)
            for _ in range(3):
                alice.get("order/list")
            url = f"{exchange.base_url}/order/list"
            answer = alice.session.get(url, timeout=SECONDS)
            assert (answer.status_code, answer.text) == (429, "")
            socket.send_raw("order/list\n5\n\n")
            assert socket.message() == {"s": 429, "i": 5, "d": ""}


def test_wrong_passwords_lead_to_a_penalty_and_the_ticket_to_a_log_in() -> None:
    clock = Clock()
    with running_exchange(logins=LOGINS, limits=REAL, clock=clock) as exchange:
        url = f"{exchange.base_url}/auth/accesstokenrequest"

        def ask(password: str, **more: str) -> Any:
            body = {"name": "alice", "password": password, **more}
            return requests.post(url, json=body, timeout=SECONDS).json()

        for _ in range(5):
            assert "errorText" in ask("wrong")
        told = ask(PASSWORD)
        assert (told["p-time"], told["p-captcha"]) == (15, False)
        clock.ahead = timedelta(seconds=15)
        assert "accessToken" in ask(PASSWORD, **{"p-ticket": told["p-ticket"]})


def test_limits_can_be_ordered_and_called_off(exchange: RunningExchange, alice: Client) -> None:
    assert alice.operator("limits", real=True).json() == {
        "commandsPerMinute": 80,
        "requestsPerHour": 5000,
        "anonymousPerHour": 1000,
        "endpoints": True,
    }
    assert alice.operator("limits", commandsPerMinute=1, endpoints=False).json()["requestsPerHour"] == 5000
    alice.place()
    assert "p-ticket" in alice.place()
    assert alice.operator("limits", commandsPerMinute=-1).status_code == 400
    alice.operator("limits", commandsPerMinute=0, requestsPerHour=0, anonymousPerHour=0)
    assert all("orderId" in alice.place() for _ in range(3))
    assert exchange.exchange.quotas.limits == Limits()


def test_limits_come_from_the_settings_and_are_off_by_default() -> None:
    assert options().limits == Limits()
    assert options({"limits": "real"}).limits == REAL
    with override_settings(
        PAPER_LIMITS="real", PAPER_COMMANDS_PER_MINUTE="40", PAPER_REQUESTS_PER_HOUR="900"
    ):
        found = options().limits
    assert (found.commands_per_minute, found.requests_per_hour, found.endpoints) == (40, 900, True)
    with pytest.raises(ValueError, match="no kind of limits"):
        options({"limits": "some"})
