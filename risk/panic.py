"""The kill switch without database, Redis and session: a ticket or a key in, every engine's door out.

It answers before any middleware that would ask a table who is there; ticket or key say that. What it shows is
what the engines said, no more. The rows follow by themselves: whoever was told brings them (ADR 16).
"""

from collections.abc import Callable, Sequence
from typing import cast

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.core.keys import digest, parse
from risk.services.presses import press_of
from risk.services.tickets import BadTicket, read
from tradehaven.control import direct
from tradehaven.control.messages import Heard, HeardState, KeyKnown, KeyShown

PATH = "/panic/"
PAGE = "risk/panic.html"


class PanicMiddleware:
    """Answers the panic page itself, so that nothing behind it has to work."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._panic = CSPMiddleware(XFrameOptionsMiddleware(press))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a press, and pass on anything else."""
        if request.path != PATH:
            return self._get_response(request)
        answer = cast(HttpResponse, self._panic(request))
        answer.headers["Cache-Control"] = "no-store, private"
        return answer


@csrf_exempt  # the ticket, or the key, is what no other site's page has
@require_POST
def press(request: HttpRequest) -> HttpResponse:
    """Shut the gates of a ticket, and say what each engine answered."""
    if "Authorization" in request.headers:
        return _by_key(request)
    text = request.POST.get("ticket", "")
    try:
        ticket = read(text, timezone.now())
    except BadTicket as error:
        return render(request, PAGE, {"refused": str(error)}, status=403)
    flatten = "flatten" in request.POST
    reason = request.POST.get("reason", "")
    told = press_of(owner=ticket.owner, gates=ticket.gates, by=ticket.owner, reason=reason, flatten=flatten)
    heard = direct.tell(told)
    page = {"ticket": text, "subject": ticket.subject, "flatten": flatten, "heard": heard}
    return render(request, PAGE, page | _verdict(heard), status=200 if _is_stopped(heard) else 503)


def _by_key(request: HttpRequest) -> HttpResponse:
    """Shut everything of the owner of an API key, which the engines know without a table."""
    scheme, _, text = request.headers["Authorization"].partition(" ")
    key = parse(text.strip()) if scheme.lower() == "bearer" else None
    known = direct.whose(KeyShown(prefix=key.prefix, digest=digest(key))) if key is not None else KeyKnown()
    if known.owner is None or known.gate is None:
        refused = "No engine knows this key as one that may stop everything. Send one that may trade."
        return JsonResponse(
            {"status": "error", "error": {"code": "unauthorized", "message": refused}}, status=401
        )
    flatten, reason = "flatten" in request.POST, request.POST.get("reason", "")
    told = press_of(owner=known.owner, gates=[known.gate], by=known.owner, reason=reason, flatten=flatten)
    heard = direct.tell(told)
    stopped = _is_stopped(heard)
    data = {
        "stopped": stopped,
        "engines": [{"name": word.engine, "state": word.state, "stored": word.is_stored} for word in heard],
        "inFlight": [
            {"accountId": order.account, "clientOrderId": order.client_order_id}
            for word in heard
            for order in word.in_flight
        ],
        "flattening": sorted({account for word in heard for account in word.flattening}),
    }
    return JsonResponse(
        {"status": "ok" if stopped else "error", "data": data}, status=200 if stopped else 503
    )


def _is_stopped(heard: Sequence[Heard]) -> bool:
    """Say whether nothing is copied any more: one leads and has obeyed, or all are there and none leads."""
    states = {word.state for word in heard}
    return HeardState.OBEYED in states or states == {HeardState.KEPT}


def _verdict(heard: Sequence[Heard]) -> dict[str, object]:
    return {
        "stopped": _is_stopped(heard),
        "led": any(word.state is HeardState.OBEYED for word in heard),
        "forgetful": any(word.state is not HeardState.SILENT and not word.is_stored for word in heard),
        "flying": [order for word in heard for order in word.in_flight],
        "flattening": sorted({account for word in heard for account in word.flattening}),
    }
