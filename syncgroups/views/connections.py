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
from brokers.paper import remote
from brokers.selectors import connection_for
from brokers.services import connections as service
from syncgroups import selectors
from syncgroups.services import logins
from syncgroups.views.answers import done
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import BrokerError, InvalidInput

if TYPE_CHECKING:
    from brokers.models import Connection

SESSION_KEY = "consent_states"
DENIED = "access_denied"


@login_required
@require_GET
def connection_list(request: UserRequest) -> HttpResponse:
    page = {
        "logins": selectors.budgeted_logins(request.user, timezone.now()),
        "places": service.places(),
        "verified": is_verified(request.user),
        "operates_paper": remote.configured(),
    }
    return render(request, "brokers/connections.html", page)


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
    if state not in _forget(request, state):
        return _failed(request, "This authorization was not begun in this browser. Connect again from here.")
    if not code:
        service.drop_consent(state)
        return _failed(request, _refusal(request.GET.get("error", "")))
    return _finish(request, state, code)


@login_required
@require_POST
def disconnect(request: UserRequest, pk: int) -> HttpResponse:
    connection = connection_for(request.user, pk)
    logins.disconnect(connection, request.user)
    return done(request, f"{connection.name} is disconnected.", "syncgroups:connections", warn=True)


def _ask(request: UserRequest, environment: Environment, reconnects: "Connection | None") -> HttpResponse:
    if environment is Environment.LIVE:
        require_fresh_factor(request)
    url, state = service.begin_connect(request.user, environment, reconnects=reconnects)
    # Ten are enough for a person with many tabs, and a bound for one who means harm.
    request.session[SESSION_KEY] = [*request.session.get(SESSION_KEY, []), state][-10:]
    page = {"url": url, "environment": environment, "scopes": service.SCOPES, "reconnects": reconnects}
    return render(request, "brokers/consent.html", page)


def _finish(request: UserRequest, state: str, code: str) -> HttpResponse:
    try:
        connected = logins.finish_connect(request.user, state, code)
    except InvalidInput as error:
        return _failed(request, error.message)
    except BrokerError as error:
        return _failed(request, "The broker did not hand out a token.", detail=str(error))
    if connected.instead_of:
        messages.warning(request, _another(connected))
    else:
        messages.success(request, f"{connected.connection.name} is connected.")
    return redirect("syncgroups:connections")


def _forget(request: UserRequest, state: str) -> list[str]:
    begun: list[str] = request.session.get(SESSION_KEY, [])
    request.session[SESSION_KEY] = [other for other in begun if other != state]
    return begun


def _refusal(error: str) -> str:
    if error == DENIED:
        return "You did not give TradeHaven access, so nothing was connected."
    return "The broker sent you back without an authorization."


def _another(connected: service.Connected) -> str:
    return (
        f"You logged in as {connected.connection.name}, which is connected now. "
        f"{connected.instead_of} still waits to be reconnected."
    )


def _failed(request: UserRequest, text: str, *, detail: str = "") -> HttpResponse:
    return render(request, "brokers/failed.html", {"text": text, "detail": detail}, status=400)
