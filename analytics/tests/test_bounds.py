"""What the cockpit may cost: script before the first paint, queries and time however much was traded."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Account, Fill
from brokers.tests.factories import PositionFactory, QuoteFactory
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.calendar import trade_date
from tradehaven.domain.enums import Side
from tradehaven.domain.instruments import SessionTemplate

COCKPIT = reverse("analytics:live")
SCRIPT = 100_000
"""Bytes of script that the first render may load, uncompressed."""
ACCOUNTS, FILLS = 50, 100_000
TIME = 0.2
"""Seconds of the server's time for the page, on a machine that has nothing else to do."""
PATIENCE = 4
"""By how much a machine that runs other tests may be slower."""


def scripts(name: str, seen: set[str]) -> Iterator[tuple[str, int]]:
    """Yield a script and all that it imports, with their sizes."""
    if name in seen:
        return
    seen.add(name)
    found = finders.find(name)
    assert found is not None, name
    text = Path(found).read_text()
    yield name, len(text.encode())
    for other in re.findall(r'^import .*?"\./([\w-]+\.js)";', text, re.MULTILINE):
        yield from scripts(f"js/{other}", seen)


def test_the_first_render_loads_little_script(alice_client: Client):
    page = alice_client.get(COCKPIT).content.decode()
    named = re.findall(r'<script [^>]*src="/static/([^"]+)"', page)
    assert named
    seen: set[str] = set()
    found = [one for name in named for one in scripts(name, seen)]
    assert "js/morph.js" in dict(found), "imports are not followed"
    assert sum(size for _, size in found) < SCRIPT, found


def test_no_script_stands_in_the_page_itself(alice_client: Client):
    page = alice_client.get(COCKPIT).content.decode()
    assert not re.findall(r"<script(?![^>]*src=)[^>]*>", page)
    assert not re.findall(r"\sstyle=", page)


@pytest.fixture
def busy(alice: User) -> list[Account]:
    """Fifty accounts that copy each other, with a hundred thousand fills of three months."""
    made = accounts(alice, *[f"A{number:02}" for number in range(ACCOUNTS)])
    group = GroupFactory.create(leader=made[0], active=True)
    for account in made[1:]:
        FollowerFactory.create(group=group, account=account)
        PositionFactory.create(account=account)
    QuoteFactory.create(environment="paper")
    now = timezone.now()
    Fill.objects.bulk_create(
        [
            Fill(
                account=made[number % ACCOUNTS],
                broker_fill_id=number,
                broker_order_id=number,
                symbol="ESZ6",
                side=Side.BUY if number // ACCOUNTS % 2 else Side.SELL,
                qty=1,
                ticks=20_000 + number % 40,
                price=Decimal(5_000),
                traded_at=(at := now - timedelta(seconds=80 * number)),
                trade_date=trade_date(at, SessionTemplate.EQUITY),
            )
            for number in range(FILLS)
        ],
        batch_size=5_000,
    )
    return made


@pytest.mark.slow
@pytest.mark.usefixtures("busy")
def test_fifty_accounts_and_a_hundred_thousand_fills_are_no_burden(
    alice_client: Client, django_assert_max_num_queries
):
    times = {}
    for name in ("analytics:live", "analytics:equity-points"):
        alice_client.get(reverse(name))
        began = time.perf_counter()
        with django_assert_max_num_queries(32):
            answer = alice_client.get(reverse(name))
        times[name] = time.perf_counter() - began
        assert answer.status_code == 200
    assert max(times.values()) < TIME * PATIENCE, times
