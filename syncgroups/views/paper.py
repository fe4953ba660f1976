"""Settings > Paper exchange: the venue as its owner sees it, and the switches of the fire drill."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.http import UserRequest
from brokers.paper import remote
from brokers.paper.faults import Drill
from syncgroups import selectors
from syncgroups.services import drills
from syncgroups.views.answers import done
from tradehaven.domain.errors import Unavailable

if TYPE_CHECKING:
    from brokers.models import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account of ours with what the exchange says of it."""

    account: "Account"
    roles: tuple[str, ...]
    there: remote.AccountThere


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRow:
    """A login of ours; `there` is None where the exchange does not know it any more."""

    login: selectors.PaperLogin
    there: remote.LoginThere | None
    accounts: tuple[AccountRow, ...]


@login_required
@require_GET
def venue(request: UserRequest) -> HttpResponse:
    _must_be_there()
    symbol = request.GET.get("symbol", "")[:16]
    logins = selectors.paper_logins(request.user)
    page: dict[str, object] = {"symbol": symbol, "none": not logins}
    try:
        found = remote.venue([login.connection.broker_user_id for login in logins], symbol)
    except Unavailable:
        page["away"] = True
    else:
        page |= {"venue": found, "rows": _rows(logins, found)}
    return render(request, "brokers/_paper.html" if request.htmx else "brokers/paper.html", page)


@login_required
@require_POST
def switch_login(request: UserRequest, pk: int, drill: str, on: bool) -> HttpResponse:
    _must_be_there()
    connection = selectors.paper_login_for(request.user, pk)
    text = drills.switch_login(connection, _drill(drill, of_login=True), on=on)
    return done(request, text, "syncgroups:paper", warn=on)


@login_required
@require_POST
def switch_account(request: UserRequest, pk: int, drill: str, on: bool) -> HttpResponse:
    _must_be_there()
    account = selectors.paper_account_for(request.user, pk)
    text = drills.switch_account(account, _drill(drill, of_login=False), on=on)
    return done(request, text, "syncgroups:paper", warn=on)


def _must_be_there() -> None:
    if not remote.configured():
        raise Http404


def _drill(word: str, *, of_login: bool) -> Drill:
    if word not in set(Drill) or Drill(word).of_login is not of_login:
        raise Http404
    return Drill(word)


def _rows(logins: list[selectors.PaperLogin], found: remote.Venue) -> list[LoginRow]:
    known = {login.user_id: login for login in found.logins}
    return [_row(login, known.get(login.connection.broker_user_id)) for login in logins]


def _row(login: selectors.PaperLogin, there: remote.LoginThere | None) -> LoginRow:
    stated = {account.account_id: account for account in there.accounts} if there else {}
    accounts = tuple(
        AccountRow(
            account=account,
            roles=login.roles[account.broker_account_id],
            there=stated[account.broker_account_id],
        )
        for account in login.accounts
        if account.broker_account_id in stated
    )
    return LoginRow(login=login, there=there, accounts=accounts)
