"""Making logins, accounts and OAuth clients of the paper exchange from code; all may run twice."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from brokers.paper.evaluation import rule_sets as known_rule_sets
from brokers.paper.models import PaperAccount, PaperClient, PaperLogin


@transaction.atomic
def ensure_login(
    *,
    name: str,
    password: str,
    accounts: Iterable[tuple[str, Decimal]] = (),
    email: str = "",
    rule_sets: Mapping[str, str] | None = None,
) -> PaperLogin:
    """Make a login with accounts (name, opening balance in USD); add what is missing, set the password.

    `rule_sets` maps account names to prop-firm rule sets such as `topstep_combine:50000`.
    A running exchange notices at the next log-in. Raises ValueError when an account is somebody else's.
    """
    login, made = PaperLogin.objects.get_or_create(
        name=name, defaults={"email": email or f"{name}@paper.example", "password": make_password(password)}
    )
    if not made and not check_password(password, login.password):
        login.password = make_password(password)
        login.save(update_fields=["password"])
    for account_name, balance in accounts:
        account, _ = PaperAccount.objects.get_or_create(
            name=account_name, defaults={"login": login, "opening_balance": balance}
        )
        if account.login_id != login.pk:
            raise ValueError(f"account {account_name} belongs to another login")
        _govern(account, (rule_sets or {}).get(account_name))
    return login


def _govern(account: PaperAccount, name: str | None) -> None:
    if name is not None and name != account.rule_set:
        if name not in known_rule_sets():
            raise ValueError(f"{name!r} is no rule set")
        account.rule_set = name
        account.save(update_fields=["rule_set"])


def register_client(
    *, client_id: str, client_secret: str, redirect_uris: Iterable[str], name: str
) -> PaperClient:
    """Register an application for OAuth, or replace what is registered under its id."""
    values = {"name": name, "secret": make_password(client_secret), "redirect_uris": list(redirect_uris)}
    client, _ = PaperClient.objects.update_or_create(client_id=client_id, defaults=values)
    return client
