"""The one place that turns domain errors into an answer: a toast for htmx, a page for a browser."""

import json
import logging
from collections.abc import Callable

from allauth.account.internal.flows.reauthentication import suspend_request
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views import defaults
from django_htmx.middleware import HtmxDetails

from accounts.access import FactorNeeded, NotAllowed
from accounts.api.errors import error_body
from accounts.billing.provider import BillingUnavailable
from tradehaven.domain.errors import BrokerError, InvalidInput, RateLimited, TradeHavenError

log = logging.getLogger(__name__)


class ReadableAddressMiddleware:
    """Refuses addresses with a NUL, which no column of ours could hold: there is nothing to be found."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or raise what becomes a 400."""
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("a NUL in the address")
        return self.get_response(request)


class DomainErrorMiddleware:
    """Answers for views that let a domain error through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return what the person should see, or None for errors that are not ours."""
        if not isinstance(error, TradeHavenError):
            return None
        status = status_of(error)
        if status == 500:
            return None
        if status >= 502:
            log.warning("%s: %s", type(error).__name__, error)
        text = error.message if isinstance(error, InvalidInput) else str(error)
        if isinstance(error, FactorNeeded):
            return _ask_for_code(request)
        htmx = getattr(request, "htmx", None)
        if isinstance(htmx, HtmxDetails) and htmx:
            toast = json.dumps({"toast": {"text": text, "level": "danger"}})
            return HttpResponse(status=status, headers={"HX-Trigger": toast})
        return render(request, "error.html", {"text": text, "status": status}, status=status)


def _ask_for_code(request: HttpRequest) -> HttpResponse:
    """Send a person to the code, and back: to the page for htmx, otherwise on with what was asked."""
    place = reverse("mfa_reauthenticate")
    htmx = getattr(request, "htmx", None)
    if isinstance(htmx, HtmxDetails) and htmx:
        back = urlencode({"next": htmx.current_url_abs_path or "/"})
        return HttpResponse(status=204, headers={"HX-Redirect": f"{place}?{back}"})
    answer: HttpResponse = suspend_request(request, place)
    return answer


def status_of(error: TradeHavenError) -> int:
    """Return the HTTP status that says whose turn it is: the person's, the broker's or ours."""
    match error:
        case InvalidInput():
            return 400
        case NotAllowed():
            return 403
        case RateLimited():
            return 503
        case BrokerError() | BillingUnavailable():
            return 502
        case _:
            return 500


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses to read."""
    if _is_api(request):
        return JsonResponse(error_body("parse_error", "This request cannot be read."), status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a mistake of ours; what it was stands in the log, not here."""
    if _is_api(request):
        text = "Something went wrong on our side. Try again; if it stays so, tell us when you asked."
        return JsonResponse(error_body("internal", text), status=500)
    return defaults.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
