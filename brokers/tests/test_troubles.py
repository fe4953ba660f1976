"""Every failure of connecting has a title, a sentence and something to do."""

import string

import pytest

from brokers.core.troubles import ADVICE, Exit, Trouble, trouble_of, trouble_of_redirect
from tradehaven.domain.errors import (
    BrokerError,
    CredentialsRejected,
    ProtocolError,
    RateLimited,
    RequestRejected,
    Unavailable,
)

FACTS = {
    "environment": "live",
    "setting": "TRADOVATE_LIVE_CLIENT_ID",
    "login": "lena",
    "more": 5,
    "plan": "Starter",
    "limit": 3,
    "used": 1,
    "fitting": "Professional",
    "until": "14:05 CST",
    "skew": "7 minutes",
    "address": "https://example.org/back",
}


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_says_what_happened_and_what_to_do(trouble: Trouble) -> None:
    advice = ADVICE[trouble].filled(**FACTS)
    assert advice.title
    assert not advice.title.endswith(".")
    assert advice.steps
    for sentence in (advice.text, *advice.steps):
        assert sentence[0] in string.ascii_uppercase
        assert sentence.endswith(".")
        assert "{" not in sentence


def test_facts_are_in_the_words() -> None:
    assert "TRADOVATE_LIVE_CLIENT_ID" in ADVICE[Trouble.NOT_SET_UP].filled(**FACTS).steps[0]
    full = ADVICE[Trouble.PLAN_FULL].filled(**FACTS)
    assert full.text.startswith("The login lena has 5 accounts; Starter holds 3 and 1 are in use.")
    assert full.exit is Exit.BILLING


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (RequestRejected("invalid_grant", "used"), Trouble.CODE_OVER),
        (RequestRejected("invalid_client", ""), Trouble.CLIENT_REFUSED),
        (RequestRejected("unauthorized_client", ""), Trouble.CLIENT_REFUSED),
        (RequestRejected("something_new", ""), Trouble.REFUSED),
        (RateLimited("429", retry_after=3600), Trouble.SILENT),
        (CredentialsRejected("401"), Trouble.NO_ACCESS),
        (Unavailable("no route"), Trouble.AWAY),
        (ProtocolError("garbage"), Trouble.UNREADABLE),
        (BrokerError("else"), Trouble.REFUSED),
    ],
)
def test_an_error_of_the_broker_has_its_trouble(error: BrokerError, trouble: Trouble) -> None:
    assert trouble_of(error) is trouble


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ("access_denied", Trouble.DENIED),
        ("temporarily_unavailable", Trouble.AWAY),
        ("unauthorized_client", Trouble.CLIENT_REFUSED),
        ("invalid_scope", Trouble.CLIENT_REFUSED),
        ("", Trouble.REFUSED),
        ("<script>", Trouble.REFUSED),
    ],
)
def test_a_redirect_without_a_code_has_its_trouble(said: str, trouble: Trouble) -> None:
    assert trouble_of_redirect(said) is trouble
