"""Requests of every shape that the published description allows, and many that it forbids.

Schemathesis makes them; whatever comes, the answer is no 500 and no hang, and a 200 is as described.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from brokers.paper.testing import running_exchange
from brokers.paper.tests import published
from brokers.paper.tests.client import SECONDS, Client
from brokers.paper.tests.conftest import CLIENTS, LOGINS
from brokers.paper.tests.test_published import BODIES, listed

# Refusals that the description leaves out although the service sends them (protocol 4.2 and 4.4).
STATUSES = {200, 400, 401, 404}
# Reads share their code, so that one entity of each source stands for the others.
READ = {"account", "adminAlert", "contract", "contractMaturity", "order", "product"}
CASES = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def implemented() -> list[tuple[str, str]]:
    absent = listed()
    return [
        (endpoint, method)
        for endpoint, method in published.operations()
        if endpoint not in absent and (endpoint in BODIES or endpoint.partition("/")[0] in READ)
    ]


@pytest.fixture(scope="module")
def alice() -> Iterator[Client]:
    """Alice on an exchange of her own, which strange requests may wreck."""
    with running_exchange(logins=LOGINS, clients=CLIENTS) as exchange, Client(exchange, "alice") as client:
        exchange.set_price("MESZ6", "5050.00")
        client.place(orderQty=3)
        yield client


def strategy(endpoint: str, method: str, mode: GenerationMode) -> st.SearchStrategy[Any]:
    schema = schemathesis.openapi.from_dict(published.document())
    return schema[f"/{endpoint}"][method].as_strategy(generation_mode=mode)


def send(alice: Client, case: schemathesis.Case[Any]) -> requests.Response:
    members = case.as_transport_kwargs(base_url=alice.exchange.base_url)
    members["headers"] = {**members["headers"], "Authorization": f"Bearer {alice.token}"}
    return requests.request(**{**members, "timeout": SECONDS})


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
@pytest.mark.parametrize(("endpoint", "method"), implemented())
def test_any_request_is_answered_and_success_is_as_described(
    alice: Client, endpoint: str, method: str, mode: GenerationMode
) -> None:
    cases = strategy(endpoint, method, mode)

    @CASES
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        answer = send(alice, data.draw(cases))
        assert answer.status_code in STATUSES, answer.text
        if answer.status_code == 200:
            body = answer.json()
            told = body.get("violations") if isinstance(body, dict) else None
            # What breaks the shape of a request is told in a shape of its own (protocol 4.4).
            assert (
                all(one["description"] for one in told)
                if told
                else not published.faults(endpoint, method, body)
            )

    holds()


def test_exchange_is_still_in_order_after_all_that(alice: Client) -> None:
    assert alice.exchange.exchange.failures == 0
    number = alice.place(orderType="Limit", price=5000)["orderId"]
    assert alice.order(number)["ordStatus"] == "Working"
