"""The API held against its own document: whatever the document allows or forbids, the answers are in it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from accounts.core import rates
from accounts.core.keys import Scope
from accounts.core.plans import Plan
from accounts.core.rates import Rates
from accounts.models import User
from accounts.tests.factories import confirm
from accounts.tests.keys import key_of
from brokers.tests.factories import LeaseFactory
from syncgroups.api import copies
from tests.tenancy.world import victim_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Let requests share the test's transaction, as the test client does: a server closes its connection."""
    both = (request_started, request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@pytest.fixture
def document(alice: User, one_connection: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the document, asked for by a trader with accounts and a key, whom nobody throttles."""
    cache.clear()
    monkeypatch.setitem(rates.RATES, Plan.STARTER, Rates(key=10**6, owner=10**6))
    monkeypatch.setattr(copies, "DEADLINE", 0.0)
    confirm(alice)
    LeaseFactory.create()
    victim_of(alice)
    _, text = key_of(alice, Scope.DISARM)
    loaded = schemathesis.openapi.from_wsgi("/api/schema", get_wsgi_application())
    loaded.config.update(headers={"Authorization": f"Bearer {text}"})
    loaded.config.generation.update(database="none")
    return loaded


def test_every_answer_is_in_the_document(document: Any) -> None:
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) >= 5
    for operation in operations:
        _hold(operation)


def _hold(operation: Any) -> None:
    seen: set[int] = set()

    @given(case=operation.as_strategy())
    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: Any) -> None:
        # The key is sent by us, not made up by the document's reader, who may take it for his own.
        # A document cannot say which contracts exist or who leads, so it does not know what is accepted.
        answer = case.call_and_validate(
            excluded_checks=[ignored_auth, positive_data_acceptance, negative_data_rejection]
        )
        seen.add(answer.status_code)

    answers()
    assert seen - {401, 403, 429}, "the key opened nothing"
