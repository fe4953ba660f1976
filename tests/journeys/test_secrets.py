"""I18: nothing that opens a door stands in a log, a journal, a table, a page or a mail after a rough day."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection as database
from django.test import Client

from brokers.models import Connection
from brokers.vault import unseal
from tests.journeys.house import OPERATOR, PASSWORD, House, wait_until

pytestmark = pytest.mark.journey
PAGES = ("/", "/groups/", "/settings/connections/", "/settings/profile/")


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


def test_no_secret_is_found_anywhere(calm: House) -> None:
    secrets = _secrets(calm)
    _have_a_rough_day(calm)
    secrets |= _secrets(calm)
    calm.stop_engine()
    assert len(secrets) >= 8
    found = [
        f"{name} in {place}"
        for place, text in (*_files(calm), *_tables(), *_pages(calm))
        for name, secret in secrets.items()
        if secret in text
    ]
    calm.start_engine()
    assert found == []


def test_the_search_finds_what_is_there(calm: House) -> None:
    texts = dict(_tables())
    assert "LEAD" in texts["brokers_account"]
    assert any("epoch" in text for place, text in _files(calm) if place.endswith("run_engine.log"))
    assert any("LEAD" in text for _, text in _pages(calm))


def _secrets(house: House) -> dict[str, str]:
    """Return what must never be seen, by name: tokens as they are now, and what came from the environment."""
    found = {"password": PASSWORD, "operator's token": OPERATOR, "signing key": settings.SECRET_KEY}
    found["client's secret"] = house.surroundings["PAPER_CLIENT_SECRET"]
    found |= {f"data key {name}": key.hex() for name, key in settings.DATA_KEYS.items()}
    for row in Connection.objects.filter(owner=house.owner):
        for kind, sealed in (("access", row.access_token), ("refresh", row.refresh_token)):
            token = unseal(sealed, subject=f"connection|{row.pk}|{kind}")
            found[f"{kind} token {row.name} {row.token_version}"] = token
    return found


def _have_a_rough_day(house: House) -> None:
    """Trade, be turned down, lose sockets, be thrown out so that tokens are renewed, get no answers."""
    hand = house.hands["lead"]
    house.operator("reject", account="HALF", reason="MaxPosLimitReached", text="too many contracts")
    house.operator("trouble", login="other", kind="fail", endpoint="order/placeorder", times=1)
    hand.order("LEAD", "Buy", 2)
    wait_until(lambda: hand.net("ONE") == 2, "copied")
    before = dict(Connection.objects.values_list("pk", "token_version"))
    house.operator("evict", login="other")
    wait_until(
        lambda: any(row.token_version > before[row.pk] for row in Connection.objects.all()), "renewed", 30
    )
    house.operator("drop", login="lead")
    house.wait_for_links()


def _files(house: House) -> Iterator[tuple[str, str]]:
    for path in Path(house.surroundings["DATA_DIR"]).rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes().decode("utf-8", "replace")


def _tables() -> Iterator[tuple[str, str]]:
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f'select t::text from "{table}" t')  # names are the server's own
            yield table, "\n".join(row[0] for row in cursor.fetchall())


def _pages(house: House) -> Iterator[tuple[str, str]]:
    client = Client()
    client.force_login(house.owner)
    for address in PAGES:
        answer = client.get(address)
        assert answer.status_code == 200, address
        yield address, answer.content.decode()
