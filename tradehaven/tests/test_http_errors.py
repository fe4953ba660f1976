"""Domain errors as answers."""

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from accounts.access import NotAllowed
from tradehaven.domain.errors import (
    CredentialsRejected,
    CurrencyMismatch,
    InvalidInput,
    RateLimited,
    TradeHavenError,
    Unavailable,
)
from tradehaven.http_errors import DomainErrorMiddleware, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("name", "bad"), 400),
        (NotAllowed("confirm first"), 403),
        (RateLimited("slow", retry_after=5), 503),
        (Unavailable("away"), 502),
        (CredentialsRejected("no"), 502),
        (CurrencyMismatch("ours"), 500),
    ],
)
def test_a_status_says_whose_turn_it_is(error: TradeHavenError, status: int):
    assert status_of(error) == status


def answer(error: Exception, *, htmx: bool = False):
    request: HttpRequest = RequestFactory().get("/", headers={"HX-Request": "true"} if htmx else {})
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]  # what the middleware sets
    middleware = DomainErrorMiddleware(lambda _: pytest.fail("not called"))
    return middleware.process_exception(request, error)


def test_a_browser_gets_a_page_with_the_words():
    page = answer(InvalidInput("name", "A group needs a <name>."))
    assert page.status_code == 400
    assert "A group needs a &lt;name&gt;." in page.content.decode()


def test_htmx_gets_a_toast():
    said = answer(NotAllowed("Confirm first"), htmx=True)
    assert (said.status_code, said.content) == (403, b"")
    assert "Confirm first" in said.headers["HX-Trigger"]


@pytest.mark.parametrize("error", [ValueError("x"), CurrencyMismatch("ours")])
def test_mistakes_of_ours_are_left_to_the_log(error: Exception):
    assert answer(error) is None
