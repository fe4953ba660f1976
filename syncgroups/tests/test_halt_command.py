"""The kill switch and flattening from a shell."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from brokers.models import Account
from brokers.services import byhand as broker
from brokers.services.byhand import Access, Standing
from brokers.tests.factories import LeaseFactory
from risk.management.commands import flatten
from risk.models import Gate
from syncgroups.management.commands import halt
from syncgroups.tests.factories import GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.control import direct
from tradehaven.control.messages import Heard, HeardState, Press
from tradehaven.domain.ids import AccountId, OrderId, Symbol

OBEYED = Heard(engine="one", state=HeardState.OBEYED, is_stored=True)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Press]:
    presses: list[Press] = []

    def tell(press: Press) -> tuple[Heard, ...]:
        presses.append(press)
        return (OBEYED,)

    monkeypatch.setattr(direct, "tell", tell)
    return presses


@pytest.fixture
def members(alice: User) -> list[Account]:
    return accounts(alice, "ONE", "TWO")


def run(command: str, *given: str, **more: Any) -> str:
    out = StringIO()
    call_command(command, *given, stdout=out, **more)
    return out.getvalue()


def test_everything_is_stopped(alice: User, members: list[Account], told: list[Press]) -> None:
    said = run("halt", alice.email.upper(), "--flatten", "--reason", "fire")
    assert "one: obeyed, 0 orders on their way" in said
    gate = Gate.objects.get(kind="owner")
    assert (gate.is_halted, gate.flatten, gate.reason) == (True, True, "fire")
    assert told[0].gates == (gate.pk,)


def test_one_account_or_group_is_stopped(alice: User, members: list[Account], told: list[Press]) -> None:
    group = GroupFactory.create(leader=members[0], name="Scalps")
    run("halt", alice.email, "--account", str(members[1].pk))
    assert "group Scalps" in run("halt", alice.email, "--group", group.public_id)
    assert [press.gates for press in told] == [(members[1].risk.gate_id,), (group.gate_id,)]


def test_without_engines_the_rows_are_written(alice: User, members: list[Account]) -> None:
    assert "no engine was reached" in run("halt", alice.email)
    assert Gate.objects.get(kind="owner").is_halted


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), "nobody logs in"),
        (("nobody@example.org",), "nobody logs in"),
        (("alice@example.org", "--account", "0"), "no such account"),
        (("alice@example.org", "--tag", "none"), "no such tag"),
        (("--gate", "7"), "--gate needs --owner-id"),
    ],
)
def test_what_makes_no_sense_is_said(
    alice: User, members: list[Account], told: list[Press], given: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        run("halt", *given)
    assert not told


def test_without_a_database_gates_are_named_by_number(told: list[Press]) -> None:
    said = run("halt", "--owner-id", "7", "--gate", "3", "--gate", "4", "--flatten")
    assert "the rows follow" in said
    assert (told[0].owner, told[0].gates, told[0].flatten, told[0].by) == (7, (3, 4), True, None)


def test_without_a_database_and_engines_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Heard(engine="one", state=HeardState.SILENT)
    monkeypatch.setattr(direct, "tell", lambda _press: (silent,))
    with pytest.raises(CommandError, match="no engine was reached"):
        run("halt", "--owner-id", "7", "--gate", "3")


def test_a_database_that_is_away_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_address: str) -> None:
        raise OperationalError("no route")

    monkeypatch.setattr(halt, "person_of", away)
    with pytest.raises(CommandError, match="--owner-id and --gate"):
        run("halt", "alice@example.org")


# -- flatten -------------------------------------------------------------------------------------------


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, members: list[Account]) -> dict[int, Standing]:
    """Let each account's first login hold something until it is closed."""
    standing = {
        account.broker_account_id: Standing(
            working=((OrderId(5), Symbol("7")),), positions={Symbol("3001"): 2}
        )
        for account in members
    }
    found = [
        Access(name=account.name, base_url="", token="", accounts={account.broker_account_id: AccountId(1)})
        for account in members
    ]
    flat = Standing(working=(), positions={})

    def look(access: Access) -> dict[int, Standing]:
        return {account: standing.get(account, flat) for account in access.accounts}

    def close(_access: Access, account: int, _contract: Symbol) -> None:
        standing[account] = flat

    monkeypatch.setattr(flatten, "accesses_of", lambda rows: (found[: len(rows)], []))
    monkeypatch.setattr("risk.management.commands.flatten.time.sleep", lambda _seconds: None)
    monkeypatch.setattr(broker, "look", look)
    monkeypatch.setattr(broker, "cancel", lambda *_given: None)
    monkeypatch.setattr(broker, "close", close)
    return standing


def test_all_accounts_are_made_flat(alice: User, held: dict[int, Standing]) -> None:
    said = run("flatten", alice.email)
    assert "close +2 of 3001" in said
    assert "2 accounts: the broker says flat" in said


def test_only_the_named_account_is_touched(
    alice: User, members: list[Account], held: dict[int, Standing]
) -> None:
    run("flatten", alice.email, "--account", str(members[0].pk))
    assert not held[members[1].broker_account_id].is_flat


def test_what_is_left_is_said(
    alice: User, members: list[Account], held: dict[int, Standing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "close", lambda *_given: None)
    with pytest.raises(CommandError, match=r"ONE \d+: 1 orders, \+2 of 3001"):
        run("flatten", alice.email, "--looks", "2")


def test_a_login_that_is_lost_is_said(
    alice: User, held: dict[int, Standing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flatten, "accesses_of", lambda _rows: ([], ["old login"]))
    with pytest.raises(CommandError, match="old login: cannot be seen"):
        run("flatten", alice.email)


def test_while_an_engine_leads_it_wants_to_be_told_twice(alice: User, held: dict[int, Standing]) -> None:
    LeaseFactory.create(beat_at=timezone.now())
    with pytest.raises(CommandError, match="an engine leads"):
        run("flatten", alice.email)
    assert "flat" in run("flatten", alice.email, "--anyway")


def test_a_stranger_is_not_flattened(db: None) -> None:
    with pytest.raises(CommandError, match="nobody logs in"):
        run("flatten", "nobody@example.org")
