"""API keys for tests, and browsers that have just given the password."""

from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.core.keys import KeyKind, Scope
from accounts.models import ApiKey, User
from accounts.services.keys import make_key
from accounts.tests.factories import confirm


def key_of(
    owner: User,
    scope: Scope = Scope.TRADE,
    kind: KeyKind = KeyKind.LIVE,
    name: str = "robot",
    **changed: Any,
) -> tuple[ApiKey, str]:
    """Return a key of a person, who is confirmed by it, and its text; `changed` is put into the row."""
    confirm(owner)
    row, text = make_key(owner=owner, name=name, kind=kind, scope=scope, expires_at=None)
    for column, value in changed.items():
        setattr(row, column, value)
    row.save()
    return row, text.text


def just_gave_the_password(client: Client) -> Client:
    """Return the browser as one whose person logged in a moment ago."""
    session = client.session
    given = {"method": "password", "at": timezone.now().timestamp(), "reauthenticated": True}
    session["account_authentication_methods"] = [given]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()
    return client


def caller(text: str) -> Client:
    """Return a program that holds a key."""
    return Client(headers={"Authorization": f"Bearer {text}"}, raise_request_exception=False)


def caller_for(owner: User, scope: Scope = Scope.TRADE, kind: KeyKind = KeyKind.LIVE) -> Client:
    """Return a program that acts for a person, with a new key."""
    return caller(key_of(owner, scope, kind, name=f"{scope} {kind}")[1])
