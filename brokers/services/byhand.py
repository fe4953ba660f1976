"""Logins by REST, for when no engine runs: what their accounts hold and have working, cancels and closes.

Contracts go by the broker's numbers here, as texts: nothing has to be looked up to close one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from brokers.models import Account, Connection, ConnectionStatus
from brokers.ports import Login
from brokers.services.tokens import login_for_engine, refresh_token
from brokers.tradovate import rest
from brokers.tradovate.mapping import status_of
from tradehaven.domain.commands import CancelOrder
from tradehaven.domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from tradehaven.domain.transitions import is_final


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A way to one login. `accounts` maps the broker's numbers of the accounts that it is about to ours."""

    name: str
    base_url: str
    token: str
    accounts: Mapping[int, AccountId]

    def __repr__(self) -> str:
        """Leave the token out, whoever prints this."""
        return f"Access({self.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the broker's own lists say of one account: live orders with their contracts, net positions."""

    working: tuple[tuple[OrderId, Symbol], ...]
    positions: Mapping[Symbol, int]

    @property
    def is_flat(self) -> bool:
        """Say whether nothing works and nothing is held."""
        return not self.working and not any(self.positions.values())


def accesses_of(accounts: Iterable[Account]) -> tuple[list[Access], list[str]]:
    """Return the ways to these accounts, and the names of logins to which there is none.

    Accounts of logins that are lost, or of which the broker tells no more, can be closed only there.
    """
    wanted: dict[int, set[int]] = {}
    for account in accounts:
        wanted.setdefault(account.connection_id, set()).add(account.pk)
    found: list[Access] = []
    lost: list[str] = []
    for row in Connection.objects.filter(pk__in=wanted).order_by("pk"):
        access = access_to(row, frozenset(wanted[row.pk]))
        if access is not None:
            found.append(access)
        else:
            lost.append(str(row))
    return found, lost


def access_to(row: Connection, accounts: frozenset[int]) -> Access | None:
    """Return the way to some of a login's accounts, by our numbers; None for a login that is lost.

    A token that has run out is renewed first.
    """
    if row.token_expires_at is None or row.token_expires_at <= timezone.now():
        refresh_token(row.pk)
    row.refresh_from_db()
    login = login_for_engine(row.pk) if row.status != ConnectionStatus.DISCONNECTED else None
    return narrowed(str(row), login, accounts) if login is not None else None


def narrowed(name: str, login: Login, accounts: frozenset[int]) -> Access:
    """Return the way to some of a login's accounts from what an engine knows of it: no table is asked."""
    place = next(place for place in settings.BROKERS.values() if place["socket_url"] == login.socket_url)
    wanted = {number: ours for number, ours in login.accounts.items() if ours in accounts}
    return Access(name=name, base_url=place["rest_url"], token=login.token, accounts=wanted)


def look(access: Access) -> dict[int, Standing]:
    """Return what the broker says of each account, by its numbers; raise `BrokerError`."""
    orders = rest.orders(access.base_url, access.token)
    positions = rest.positions(access.base_url, access.token)
    return {
        account: Standing(
            working=tuple(
                (OrderId(row.id), Symbol(str(row.contractId)))
                for row in orders
                if row.accountId == account and not is_final(status_of(row.ordStatus))
            ),
            positions={
                Symbol(str(row.contractId)): row.netPos
                for row in positions
                if row.accountId == account and row.netPos
            },
        )
        for account in access.accounts
    }


def cancel(access: Access, account: int, order: OrderId, name: ClientOrderId) -> None:
    """Cancel one order; raise `BrokerError` where the broker does not take it."""
    command = CancelOrder(account=access.accounts[account], client_order_id=name, order_id=order)
    rest.cancel(access.base_url, access.token, command)


def close(access: Access, account: int, contract: Symbol) -> None:
    """Let the broker cancel and close all of an account in a contract; raise `BrokerError`."""
    rest.liquidate(access.base_url, access.token, account, int(contract))
