"""A paper exchange that a test's pages connect to, and the hands of the person on its consent page."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.conf import settings
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Connection
from brokers.paper.testing import PASSWORD, RunningExchange, running_exchange
from brokers.services import consents
from brokers.services.connections import Connected
from syncgroups.services import logins
from tradehaven.domain.enums import Environment

LOGINS = {
    "alice": {"ALICE-1": 50_000, "ALICE-2": 25_000},
    "second": {"SECOND-1": 10_000},
    "empty": {},
}


@contextmanager
def connected_exchange(**options: Any) -> Iterator[RunningExchange]:
    """Run an exchange, and point the paper environment of the settings at it."""
    callback = settings.SITE_URL.rstrip("/") + reverse("syncgroups:connect-callback")
    clients = {"tradehaven": ("secret", callback)}
    with running_exchange(logins=LOGINS, clients=clients, **options) as exchange:
        place = settings.BROKERS["paper"] | {
            "authorize_url": f"{exchange.root_url}/oauth",
            "rest_url": exchange.base_url,
            "token_url": f"{exchange.base_url}/auth/oauthtoken",
            "socket_url": exchange.socket_url,
            "client_id": "tradehaven",
            "client_secret": "secret",
        }
        with override_settings(BROKERS=settings.BROKERS | {"paper": place}):
            yield exchange


def consent(url: str, login: str = "alice", *, allow: bool = True) -> dict[str, str]:
    """Log in on the consent page and decide; return what the browser brings back."""
    form = {"name": login, "password": PASSWORD, "decision": "allow" if allow else "deny"}
    answer = requests.post(url, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    brought = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in brought.items()}


def connect(owner: User, login: str = "alice", **options: Any) -> Connected:
    """Bring a login in through the consent page."""
    url, state = consents.begin_connect(owner, Environment.PAPER, **options)
    brought = consent(url, login)
    assert brought["state"] == state
    return logins.finish_connect(owner, state, brought["code"])


def expire_soon(connection: Connection, **left: int) -> None:
    """Let a login's token end after so long."""
    Connection.objects.filter(pk=connection.pk).update(token_expires_at=timezone.now() + timedelta(**left))
