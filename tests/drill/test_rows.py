"""The drill's rows against the real ones: the same records give the same book through the database."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from accounts.tests.factories import UserFactory
from brokers.models import Account
from brokers.tests.factories import AccountFactory, ConnectionFactory
from risk.core.instants import moment
from syncgroups.core.book import Book
from syncgroups.engine import books, guardrails
from syncgroups.engine.recorder import record_one
from syncgroups.services.lines import names_of, write_lines
from syncgroups.tests.factories import GroupFactory
from tests.drill.grammar import script_of
from tests.drill.history import Died, History
from tests.drill.people import OWNER, People
from tests.drill.rows import Rows
from tests.drill.world import drill

pytestmark = pytest.mark.django_db
SEEDS = (3, 8, 14, 27, 30, 61, 91, 144, 199, 455, 25, 121)
"""Stories with crashes, lost and full disks, chains, hands, manual copies, Confirmed mode."""
LOCKED = (1091, 1146)
"""Stories in which rules are broken; in the first the engine is stopped while it closes what broke one."""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(books, "REMEMBER", timedelta(days=36_500))  # the drill has its own calendar
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def _with_rows(people: People) -> None:
    owner = UserFactory.create(pk=OWNER)
    found = sorted({login for _, login in people.logins})
    logins = {login: ConnectionFactory.create(pk=login, owner=owner) for login in found}
    for account, login in people.logins:
        AccountFactory.create(pk=account, connection=logins[login])
    for group in people.groups:
        GroupFactory.create(pk=group.group, leader=Account.objects.get(pk=group.leader), active=True)


def _through_the_database(history: History) -> Book:
    names = names_of(OWNER)
    for record in history.recorded:
        record_one(record, names)
    write_lines(names)
    return books.book_of(OWNER)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_start_finds_the_same_book_in_both(seed: int) -> None:
    script = script_of(seed)
    history = drill(script)
    _with_rows(script.people)
    ours = Rows()
    for record in history.recorded:
        ours.record(record)
    expected, found = ours.book(), _through_the_database(history)
    assert found.copies == expected.copies
    known = {account for account, _ in script.people.logins}  # of others nonsense may have been told
    assert found.fills == {fill for fill in expected.fills if fill[0] in known}
    assert {key: net for key, net in found.copied.items() if net} == dict(expected.copied)
    assert found.refused == expected.refused
    assert found.held_as == expected.held_as
    assert expected.copies


@pytest.mark.parametrize("seed", LOCKED)
def test_a_start_finds_the_same_locks_and_standings_in_both(seed: int) -> None:
    script = script_of(seed)
    history = drill(script)
    _with_rows(script.people)
    ours = Rows()
    for record in history.recorded:
        ours.record(record)
    found, end = _through_the_database(history), history.entries[-1].at
    locks = {(one.account, one.reason, one.flatten) for one in guardrails.locks_of(OWNER, moment(end))}
    assert locks == {(one.account, one.reason, one.flatten) for one in ours.running_locks(end)}
    assert found.risk.standings == ours.book().risk.standings
    assert locks


def test_the_seeds_have_what_they_are_here_for() -> None:
    deaths = [e for seed in SEEDS for e in drill(script_of(seed)).entries if isinstance(e, Died)]
    assert any(death.lost for death in deaths)
    assert {"stop"} < {death.how for death in deaths}
