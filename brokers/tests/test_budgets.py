"""What is written down of a login's budget, and who obeys it."""

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from accounts.tests.factories import confirm
from brokers.core.budget import CallLimits, Usage
from brokers.models import Connection, EngineStamp
from brokers.selectors import call_limits, is_silent, usable_connection, usage_of
from brokers.services import consents, tokens
from brokers.services.budgets import obey, record_silence, record_usage
from brokers.services.consents import ConsentFailed
from brokers.services.tokens import Refreshed
from brokers.tests.factories import ConnectionFactory
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import RateLimited
from tradehaven.domain.ids import ConnectionId

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def login() -> Connection:
    return ConnectionFactory.create(token_expires_at=timezone.now() + timedelta(minutes=5))


def test_used_calls_stop_counting_when_their_window_is_over(login: Connection) -> None:
    now = timezone.now()
    assert usage_of(login, now) == Usage()
    record_usage({ConnectionId(login.pk): Usage(minute=12, hour=340)}, now)
    login.refresh_from_db()
    assert usage_of(login, now) == Usage(minute=12, hour=340)
    assert usage_of(login, now + timedelta(minutes=1)) == Usage(hour=340)
    assert usage_of(login, now + HOUR) == Usage()


def test_the_longest_silence_holds(login: Connection) -> None:
    now = timezone.now()
    assert record_silence(login.pk, now + HOUR, "429")
    assert not record_silence(login.pk, now + HOUR / 2, "a ticket")
    login.refresh_from_db()
    assert login.silent_reason == "429"
    assert is_silent(login, now)
    assert not is_silent(login, now + HOUR)


def test_a_login_that_must_keep_silent_is_asked_nothing(login: Connection) -> None:
    assert usable_connection(Environment.PAPER) == login.pk
    record_silence(login.pk, timezone.now() + HOUR, "429")
    assert tokens.refresh_token(login.pk) is Refreshed.LATER  # without a token to renew it would be lost
    assert usable_connection(Environment.PAPER) is None


def test_a_silent_login_is_reconnected_later(login: Connection) -> None:
    confirm(login.owner)
    record_silence(login.pk, timezone.now() + HOUR, "429")
    login.refresh_from_db()
    with pytest.raises(ConsentFailed, match="takes no calls of"):
        consents.begin_connect(login.owner, Environment.PAPER, reconnects=login)


def test_a_refusal_by_rest_silences_the_engine_too(login: Connection) -> None:
    obey(login, RateLimited("429", retry_after=3600))
    login.refresh_from_db()
    assert is_silent(login, timezone.now())
    assert EngineStamp.objects.get(owner=login.owner).version == 1
    obey(login, RateLimited("429", retry_after=60))
    assert EngineStamp.objects.get(owner=login.owner).version == 1


def test_a_ticket_for_one_endpoint_silences_nobody_but_a_captcha_does(login: Connection) -> None:
    obey(login, RateLimited("a ticket", retry_after=15, ticket="t"))
    login.refresh_from_db()
    assert not is_silent(login, timezone.now())
    obey(login, RateLimited("a captcha", retry_after=3600, ticket="t", captcha=True))
    login.refresh_from_db()
    assert is_silent(login, timezone.now())


def test_a_refresh_that_meets_429_is_remembered(login: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_row: Connection) -> None:
        raise RateLimited("the broker asks for silence (429)", retry_after=3600)

    monkeypatch.setattr(tokens, "_ask_for_tokens", refuse)
    assert tokens.refresh_token(login.pk) is Refreshed.LATER
    login.refresh_from_db()
    assert is_silent(login, timezone.now())


def test_limits_are_those_of_the_environment() -> None:
    places = {"live": {"per_minute": 80, "per_hour": 5000}, "paper": {"per_minute": 1, "per_hour": 2}}
    with override_settings(CALL_LIMITS=places):
        assert call_limits(Environment.LIVE) == CallLimits()
        assert call_limits(Environment.PAPER) == CallLimits(per_minute=1, per_hour=2)
