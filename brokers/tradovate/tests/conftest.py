"""A paper exchange for what speaks to one."""

from collections.abc import Iterator

import pytest

from brokers.paper.testing import RunningExchange, running_exchange
from tradehaven.domain.ids import AccountId, Symbol

ACCOUNT = AccountId(7)
ES = Symbol("ESZ6")


@pytest.fixture(scope="module")
def exchange() -> Iterator[RunningExchange]:
    with running_exchange(logins={"lena": {"P-1": 1_000_000}}) as found:
        found.set_price("ESZ6", "5050.00")
        yield found
