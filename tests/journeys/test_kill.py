"""F37, F45, F46 over real processes: the switch works without PostgreSQL and Redis, and outlives a crash."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.utils import timezone

from accounts.core.keys import KeyKind, Scope
from accounts.services.keys import make_key
from risk.models import Gate, GateKind
from risk.services.tickets import issue
from syncgroups.models import Activity
from syncgroups.services import gates
from syncgroups.services.groups import FollowerSettings
from tests.journeys.conftest import free_port
from tests.journeys.house import House, open_house, wait_until
from tests.journeys.proxy import Proxy

pytestmark = pytest.mark.journey
LEASE = "6"
"""Seconds: an engine writes for three to four of them without the database."""
FOLLOWERS = ("ONE", "HALF", "TWICE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A house whose engine and web reach PostgreSQL over a line that can go dead, and nobody at Redis."""

    house: House
    key: str
    web: str
    database: Proxy


@pytest.fixture
def cut(journey_database: None, django_db_blocker: Any, tmp_path: Any) -> Iterator[Cut]:
    """Return a house with followers on two logins; the exchange has a line of its own."""
    door, server = free_port(), int(database.settings_dict["PORT"] or 5432)
    nowhere = {"LEASE_SECONDS": LEASE, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    line = Proxy(door, server)
    line.start()
    with django_db_blocker.unblock(), open_house(tmp_path, free_port(), **nowhere) as house:
        url = urlsplit(house.surroundings["DATABASE_URL"])
        place = url.netloc.rpartition("@")[0] + f"@127.0.0.1:{door}"
        house.surroundings["DATABASE_URL"] = url._replace(netloc=place).geturl()
        port = free_port()
        web = house.start("-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "tradehaven.asgi:application")
        try:
            house.connect("lead", ["LEAD", "ONE"])
            house.connect("other", ["HALF", "TWICE"])
            house.group("LEAD", {name: FollowerSettings() for name in FOLLOWERS})
            _, key = make_key(
                owner=house.owner, name="cut", kind=KeyKind.LIVE, scope=Scope.TRADE, expires_at=None
            )
            house.start_engine()
            yield Cut(house=house, key=key.text, web=f"http://127.0.0.1:{port}", database=line)
        finally:
            web.kill()
            web.wait(10)
    line.stop()


def nets(house: House) -> tuple[int, ...]:
    return tuple(house.hands[login].net(name) for login, name in _where())


def _where() -> list[tuple[str, str]]:
    return [("lead", "ONE"), ("other", "HALF"), ("other", "TWICE")]


def placed(house: House) -> int:
    """Return how many orders of ours the followers' accounts have ever taken."""
    return sum(
        str(row.get("clOrdId", "")).startswith("th1.")
        for hand in house.hands.values()
        for row in hand.get("command/list")
        if row.get("commandType") == "New"
    )


def test_the_switch_works_without_database_and_redis_and_outlives_a_crash(cut: Cut) -> None:
    house, lead = cut.house, cut.house.hands["lead"]
    gate = Gate.objects.get(owner=house.owner, kind=GateKind.OWNER)
    ticket = issue(owner=house.owner.pk, gates=[gate.pk], subject="everything", now=timezone.now())
    wait_until(partial(_is_up, cut.web), "web is up", 30)
    lead.order("LEAD", "Buy", 2)
    lead.order("LEAD", "Buy", 1, "Limit", price=5000.0)
    wait_until(lambda: nets(house) == (2, 2, 2), "entries")
    wait_until(lambda: len(lead.working("ONE")) == 1, "a resting copy")

    cut.database.swallow()
    answer = requests.post(f"{cut.web}/panic/", data={"ticket": ticket, "flatten": "on"}, timeout=5)
    assert answer.status_code == 200, answer.text
    assert "has shut the gate" in answer.text
    before = placed(house)  # acknowledged: from here on nothing opens (I7)
    assert before == 6
    lead.order("LEAD", "Buy", 3)
    wait_until(lambda: nets(house) == (0, 0, 0), "flat without a database", 4)
    answer = requests.post(f"{cut.web}/panic/", headers={"Authorization": f"Bearer {cut.key}"}, timeout=5)
    assert (answer.status_code, answer.json()["data"]["stopped"]) == (200, True), answer.text
    wait_until(lambda: not lead.working("ONE"), "nothing works", 4)
    assert house.engine is not None
    house.engine.kill()
    house.engine.wait(10)
    cut.database.heal()

    house.kill_engine()
    house.start_engine(seconds=60)  # the old lease has to stand still for its term first
    gate.refresh_from_db()
    assert (gate.is_halted, gate.flatten) == (True, True)
    lead.order("LEAD", "Buy", 1)
    refused = Activity.objects.filter(owner=house.owner, reason="kill_switch")
    wait_until(refused.exists, "an order is refused")
    assert nets(house) == (0, 0, 0)
    assert placed(house) == before

    gates.disarm(gate=gate, by=house.owner, reason="", intent=gates.INTENT)
    wait_until(partial(_copies, house), "copies go on", 10)

    # No engine at all: the same by hand.
    house.kill_engine()
    lead.order("ONE", "Buy", 1, "Limit", price=4900.0, symbol="NQZ6")
    with pytest.raises(CommandError, match="an engine leads"):
        call_command("flatten", house.owner.email)  # its last sign of life is too fresh to be sure
    call_command("flatten", house.owner.email, "--anyway", stdout=StringIO())
    assert nets(house) == (0, 0, 0)
    assert (lead.net("LEAD"), lead.working("ONE")) == (0, [])


def _is_up(web: str) -> bool:
    try:
        return requests.get(f"{web}/livez", timeout=2).ok
    except requests.RequestException:
        return False


def _copies(house: House) -> bool:
    house.hands["lead"].order("LEAD", "Buy", 1)
    return all(net > 0 for net in nets(house))
