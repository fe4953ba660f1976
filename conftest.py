"""The people of the tests. Alice owns; Bob and Charlie trade too and must never meet her things."""

import pytest
from django.test import Client
from hypothesis import HealthCheck, settings

from accounts.models import User

PASSWORD = "Correct-horse-7-battery"

# How long one example takes says more about the machine than about the code: a busy one fails no test.
settings.register_profile(
    "unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


def _person(name: str) -> User:
    return User.objects.create_user(f"{name}@example.org", PASSWORD, display_name=name.title())


@pytest.fixture
def alice(db: None) -> User:
    """Return the owner of everything in the tests."""
    return _person("alice")


@pytest.fixture
def bob(db: None) -> User:
    """Return a stranger."""
    return _person("bob")


@pytest.fixture
def charlie(db: None) -> User:
    """Return another stranger."""
    return _person("charlie")


@pytest.fixture
def alice_client(alice: User) -> Client:
    """Return Alice's browser, logged in."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def bob_client(bob: User) -> Client:
    """Return Bob's browser, logged in."""
    client = Client()
    client.force_login(bob)
    return client
