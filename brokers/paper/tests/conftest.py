"""People and tools of these tests: Alice trades two accounts, Bob must never meet her things."""

from collections.abc import Iterator

import pytest

from brokers.paper.testing import RunningExchange, running_exchange
from brokers.paper.tests.client import Client

LOGINS = {"alice": {"A-1": 50_000, "A-2": 50_000}, "bob": {"B-1": 50_000}}
CLIENTS = {"app": ("app-secret", "http://127.0.0.1:9/callback")}


@pytest.fixture
def exchange() -> Iterator[RunningExchange]:
    """An exchange whose market stands still and answers at once."""
    with running_exchange(logins=LOGINS, clients=CLIENTS) as running:
        running.set_price("MESZ6", "5050.00")
        yield running


@pytest.fixture
def alice(exchange: RunningExchange) -> Iterator[Client]:
    """Alice, logged in."""
    with Client(exchange, "alice") as client:
        yield client


@pytest.fixture
def bob(exchange: RunningExchange) -> Iterator[Client]:
    """Bob, logged in."""
    with Client(exchange, "bob") as client:
        yield client
