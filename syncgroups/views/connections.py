"""Settings > Connected accounts: connect, return from the broker, reconnect, disconnect (CONN-01 to 05)."""

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import is_verified, require_fresh_factor
from accounts.http import UserRequest
from brokers.core.troubles import Trouble, trouble_of_redirect
from brokers.paper import remote
from brokers.selectors import connection_for
from brokers.services import consents
from brokers.services.consents import ConsentFailed
from syncgroups.selectors import connections as selectors
from syncgroups.services import logins
from syncgroups.views.answers import done
from tradehaven.domain.enums import Environment

if TYPE_CHECKING:
    from brokers.models import Connection
    from brokers.services.connections import Connected

SESSION_KEY = "consent_states"


@login_required
@require_GET
def connection_list(request: UserRequest) -> HttpResponse:
    wanted = selectors.Wanted.of(request.GET)
    page = {
        "shown": selectors.connections_page(request.user, wanted, timezone.now()),
        "places": consents.places(),
        "verified": is_verified(request.user),
        "operates_paper": remote.configured(),
    }
    partial = request.htmx and not request.htmx.boosted
    return render(request, "brokers/_logins.html" if partial else "brokers/connections.html", page)


@login_required
@require_POST
def connect(request: UserRequest, environment: str) -> HttpResponse:
    if environment not in set(Environment):
        return render(request, "404.html", status=404)
    return _ask(request, Environment(environment), None)


@login_required
@require_POST
def reconnect(request: UserRequest, pk: int) -> HttpResponse:
    connection = connection_for(request.user, pk)
    return _ask(request, Environment(connection.environment), connection)


@login_required
@require_GET
@never_cache
def callback(request: UserRequest) -> HttpResponse:
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    try:
        if state not in _forget(request, state):
            raise ConsentFailed(Trouble.STRANGE_STATE)
        if not code:
            said = request.GET.get("error", "")
            raise consents.drop_consent(request.user, state, trouble_of_redirect(said), said)
        connected = logins.finish_connect(request.user, state, code)
    except ConsentFailed as error:
        return _failed(request, error)
    _welcome(request, connected)
    return redirect("syncgroups:connections")


@login_required
@require_POST
def disconnect(request: UserRequest, pk: int) -> HttpResponse:
    connection = connection_for(request.user, pk)
    logins.disconnect(connection, request.user)
    text = f"{connection.name} is disconnected. To withdraw the consent too, remove TradeHaven at the broker."
    return done(request, text, "syncgroups:connections", warn=True)


@login_required
@require_POST
def look(request: UserRequest, pk: int) -> HttpResponse:
    moved = logins.look_again(connection_for(request.user, pk).pk)
    came, went = len(moved.came), len(moved.went)
    if moved.beyond:
        text = f"{len(moved.beyond)} new beyond your plan; see Plan and billing."
    else:
        text = f"{came} new, {went} gone." if came or went else "No account has come or gone."
    return done(request, text, "syncgroups:connections", warn=bool(moved.beyond or moved.went))


def _ask(request: UserRequest, environment: Environment, reconnects: "Connection | None") -> HttpResponse:
    if environment is Environment.LIVE:
        require_fresh_factor(request)
    try:
        url, state = consents.begin_connect(request.user, environment, reconnects=reconnects)
    except ConsentFailed as error:
        return _failed(request, error)
    # Ten are enough for a person with many tabs, and a bound for one who means harm.
    request.session[SESSION_KEY] = [*request.session.get(SESSION_KEY, []), state][-10:]
    page = {"url": url, "environment": environment, "scopes": consents.SCOPES, "reconnects": reconnects}
    return render(request, "brokers/consent.html", page)


def _forget(request: UserRequest, state: str) -> list[str]:
    begun: list[str] = request.session.get(SESSION_KEY, [])
    request.session[SESSION_KEY] = [other for other in begun if other != state]
    return begun


def _welcome(request: UserRequest, connected: "Connected") -> None:
    name = connected.connection.name
    if connected.instead_of:
        waits = f"{connected.instead_of} still waits to be reconnected."
        messages.warning(request, f"You logged in as {name}, which is connected now. {waits}")
    elif connected.is_new:
        messages.success(request, f"{name} is connected.")
    else:
        messages.success(
            request, f"{name} was known already and has a new authorization; nothing else changed."
        )


def _failed(request: UserRequest, error: ConsentFailed) -> HttpResponse:
    page = {
        "advice": error.advice,
        "said": error.said,
        "environment": error.environment,
        "trouble": error.trouble,
        "at": timezone.now(),
    }
    return render(request, "brokers/failed.html", page, status=400)
