"""Which tokens Celery renews."""

from datetime import timedelta

import pytest
from django.utils import timezone

from brokers.models import ConnectionStatus
from brokers.tests.factories import ConnectionFactory
from syncgroups import tasks
from syncgroups.tasks import refresh_token, refresh_tokens


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(tasks, "refresh_login", found.append)

    def at_once(args: tuple[int], countdown: float) -> None:
        assert 0 <= countdown <= tasks.SPREAD_SECONDS
        refresh_token(*args)

    monkeypatch.setattr(refresh_token, "apply_async", at_once)
    return found


@pytest.mark.parametrize(
    ("minutes", "status", "due"),
    [
        (14, ConnectionStatus.ACTIVE, True),
        (16, ConnectionStatus.ACTIVE, False),
        (-60, ConnectionStatus.REFRESHING, True),
        (5, ConnectionStatus.DISCONNECTED, False),
    ],
)
def test_tokens_that_end_within_a_quarter_of_an_hour_are_renewed(
    db: None, asked: list[int], minutes: int, status: str, due: bool
):
    row = ConnectionFactory.create(
        token_expires_at=timezone.now() + timedelta(minutes=minutes), status=status
    )
    refresh_tokens()
    assert asked == ([row.pk] if due else [])
