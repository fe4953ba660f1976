"""The port to persistence, and the store in memory that lets an exchange run without a database.

The store also knows the logins, accounts and OAuth clients, because they are made elsewhere while
the exchange runs. The Django store stands in `django_store`.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from brokers.paper.records import Event, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """An account as it was opened: number, displayed name, opening balance in USD, rule set if any."""

    account_id: int
    name: str
    opening: Decimal
    rule_set: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user of the exchange with the accounts it may trade."""

    user_id: int
    name: str
    email: str
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An application that may ask users for access."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshGrant:
    """A refresh token's meaning; the token itself is known only by its digest."""

    digest: str
    user_id: int
    client_id: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What an earlier run left behind."""

    rows: Sequence[Row] = ()
    next_id: int = 0
    session: date | None = None
    marks: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Changes to be written together, in order; `marks` are last prices in ticks by contract id."""

    events: Sequence[Event]
    next_id: int
    session: date
    marks: dict[int, int]


class Store(Protocol):
    """Persistence; calls may block and are made from a thread unless the store is `instant`."""

    instant: bool

    def load(self) -> Saved:
        """Return what an earlier run left behind."""
        ...

    def save(self, batch: Batch) -> None:
        """Write changes; when it returns they survive the process."""
        ...

    def login(self, name: str, password: str) -> Login | None:
        """Return the login of a name or mail address if the password is right."""
        ...

    def login_of_id(self, user_id: int) -> Login | None:
        """Return a login as it is now."""
        ...

    def client(self, client_id: str) -> Client | None:
        """Return a registered client."""
        ...

    def client_secret_is(self, client_id: str, secret: str) -> bool:
        """Return whether a client's secret is right."""
        ...

    def keep_refresh(self, grant: RefreshGrant) -> None:
        """Remember a refresh token."""
        ...

    def take_refresh(self, digest: str) -> RefreshGrant | None:
        """Return and forget a refresh token: it works once."""
        ...


class MemoryStore:
    """Keeps everything as long as the object lives; a second exchange on it resumes the first."""

    instant = True

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], Row] = {}
        self._saved = Saved()
        self._logins: dict[str, tuple[Login, str]] = {}
        self._clients: dict[str, tuple[Client, str]] = {}
        self._refresh: dict[str, RefreshGrant] = {}

    def add_login(self, name: str, password: str, accounts: Sequence[tuple[str, Decimal]]) -> Login:
        """Make a login with accounts, or add accounts to it."""
        known = self._logins.get(name)
        login = known[0] if known else self._new_login(name)
        have = {seat.name for seat in login.seats}
        taken = sum(len(other.seats) for other, _ in self._logins.values())
        new = [
            Seat(account_id=7_000_001 + taken + index, name=account, opening=opening)
            for index, (account, opening) in enumerate(item for item in accounts if item[0] not in have)
        ]
        login = replace(login, seats=(*login.seats, *new))
        self._logins[name] = (login, password)
        return login

    def add_client(self, client: Client, secret: str) -> None:
        """Register an OAuth client."""
        self._clients[client.client_id] = (client, secret)

    def load(self) -> Saved:
        """Return what an earlier run left behind."""
        return replace(self._saved, rows=tuple(self._rows.values()))

    def save(self, batch: Batch) -> None:
        """Keep changes."""
        for event in batch.events:
            self._rows[event.kind.value, event.entity.id] = Row(
                kind=event.kind, entity=event.entity, account_id=event.account_id, session=event.session
            )
        self._saved = Saved(next_id=batch.next_id, session=batch.session, marks=batch.marks)

    def login(self, name: str, password: str) -> Login | None:
        """Return the login of a name if the password is right."""
        found = self._logins.get(name)
        return found[0] if found and hmac.compare_digest(found[1].encode(), password.encode()) else None

    def login_of_id(self, user_id: int) -> Login | None:
        """Return a login as it is now."""
        return next((login for login, _ in self._logins.values() if login.user_id == user_id), None)

    def client(self, client_id: str) -> Client | None:
        """Return a registered client."""
        found = self._clients.get(client_id)
        return found[0] if found else None

    def client_secret_is(self, client_id: str, secret: str) -> bool:
        """Return whether a client's secret is right."""
        found = self._clients.get(client_id)
        return found is not None and hmac.compare_digest(found[1].encode(), secret.encode())

    def keep_refresh(self, grant: RefreshGrant) -> None:
        """Remember a refresh token."""
        self._refresh[grant.digest] = grant

    def take_refresh(self, digest: str) -> RefreshGrant | None:
        """Return and forget a refresh token."""
        return self._refresh.pop(digest, None)

    def _new_login(self, name: str) -> Login:
        return Login(user_id=15_001 + len(self._logins), name=name, email=f"{name}@paper.example", seats=())
