"""Gates turn once, are recorded, and tell the engines."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from brokers.models import EngineStamp
from brokers.tests.factories import AccountFactory
from risk.models import Gate, GateChange, GateKind
from risk.services import gates
from risk.services.gates import ensure_account_risk
from risk.services.limits import set_max_position
from risk.tests.factories import GateFactory
from tradehaven.db import AppendOnlyError
from tradehaven.domain.enums import TradingState
from tradehaven.domain.errors import InvalidInput

NOW = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)


@pytest.fixture
def gate(alice: User) -> Gate:
    return GateFactory.create(owner=alice)


def test_a_halt_shuts_the_gate_and_is_recorded(gate: Gate, alice: User):
    assert gates.halt(gate=gate, by=alice, reason="news", flatten=True)
    gate.refresh_from_db()
    assert (gate.state, gate.flatten, gate.version, gate.reason) == (TradingState.HALTED, True, 1, "news")
    change = GateChange.objects.get()
    assert (change.by, change.version, change.flatten, change.reason) == (alice, 1, True, "news")
    assert EngineStamp.objects.get(owner=alice).version == 1


def test_a_second_halt_changes_nothing(gate: Gate, alice: User):
    gates.halt(gate=gate, by=alice, reason="", flatten=True)
    assert not gates.halt(gate=gate, by=alice, reason="", flatten=True)
    assert not gates.halt(gate=gate, by=alice, reason="", flatten=False)
    gate.refresh_from_db()
    assert (gate.version, gate.flatten) == (1, True)


def test_flattening_can_be_added_to_a_halt(gate: Gate, alice: User):
    gates.halt(gate=gate, by=alice, reason="", flatten=False)
    assert gates.halt(gate=gate, by=alice, reason="", flatten=True)
    gate.refresh_from_db()
    assert (gate.version, gate.flatten) == (2, True)


def test_only_disarming_opens_a_gate_again(gate: Gate, alice: User):
    gates.halt(gate=gate, by=alice, reason="", flatten=True)
    assert gates.disarm(gate=gate, by=alice, reason="calm again", now=NOW)
    gate.refresh_from_db()
    assert (gate.state, gate.flatten, gate.version) == (TradingState.ACTIVE, False, 2)
    assert not gates.disarm(gate=gate, by=alice, reason="", now=NOW)


def test_of_two_who_saw_the_same_version_one_is_late(gate: Gate, alice: User):
    seen = Gate.objects.get(pk=gate.pk)
    gates.halt(gate=gate, by=alice, reason="", flatten=False)
    assert not gates._turn(seen, TradingState.ACTIVE, by=alice, reason="", flatten=False)
    gate.refresh_from_db()
    assert gate.is_halted
    assert GateChange.objects.count() == 1


def test_a_rule_may_halt_without_a_person(gate: Gate):
    gates.halt(gate=gate, by=None, reason="daily loss", flatten=False)
    assert GateChange.objects.get().by is None


def test_a_change_of_a_gate_cannot_be_edited_or_deleted(gate: Gate, alice: User):
    gates.halt(gate=gate, by=alice, reason="", flatten=False)
    change = GateChange.objects.get()
    with pytest.raises(AppendOnlyError):
        change.save()
    with pytest.raises(AppendOnlyError):
        change.delete()


def test_the_gate_over_everything_is_made_once(alice: User):
    assert gates.ensure_owner_gate(alice.pk) == gates.ensure_owner_gate(alice.pk)
    assert Gate.objects.get().kind == GateKind.OWNER


def test_an_accounts_gate_is_made_once(db):
    account = AccountFactory.create()
    owner = account.connection.owner_id
    assert gates.ensure_account_risk(account, owner) == gates.ensure_account_risk(account, owner)
    assert Gate.objects.get().kind == GateKind.ACCOUNT


@pytest.mark.parametrize("qty", [1, 20, None])
def test_a_largest_position_is_kept(alice: User, qty: int | None):
    account = AccountFactory.create(connection__owner=alice)
    assert (set_max_position(account=account, qty=qty, by=alice) is None) is (qty is None)
    assert ensure_account_risk(account, alice.pk).max_position == qty
    assert not set_max_position(account=account, qty=qty, by=alice)


@pytest.mark.parametrize("qty", [0, -1])
def test_a_largest_position_below_one_is_refused(alice: User, qty: int):
    with pytest.raises(InvalidInput) as caught:
        set_max_position(account=AccountFactory.create(connection__owner=alice), qty=qty, by=alice)
    assert caught.value.field == "max_position"


def test_nothing_that_was_typed_keeps_the_switch_from_working(alice: User):
    gate = GateFactory.create(owner=alice)
    assert gates.halt(gate=gate, by=alice, reason="a\0" * 300, flatten=False)
    assert gate.changes.get().reason == "a" * 200


# -- presses ---------------------------------------------------------------------------------------------


def test_a_press_counts_once_whatever_ways_it_takes(gate: Gate, alice: User):
    assert gates.halt(gate=gate, by=alice, reason="", flatten=True, press="1" * 32)
    assert not gates.halt(gate=gate, by=None, reason="", flatten=True, press="1" * 32)
    assert gate.changes.count() == 1


def test_a_press_that_arrives_after_the_disarm_does_not_shut_again(gate: Gate, alice: User):
    gates.halt(gate=gate, by=alice, reason="", flatten=False, press="1" * 32)
    gates.disarm(gate=gate, by=alice, reason="", now=NOW)
    assert not gates.halt(gate=gate, by=alice, reason="", flatten=False, press="1" * 32)
    gate.refresh_from_db()
    assert not gate.is_halted


def test_a_press_of_a_shut_gate_is_on_record_and_changes_nothing(gate: Gate, alice: User):
    gates.halt(gate=gate, by=alice, reason="", flatten=False)
    assert not gates.halt(gate=gate, by=alice, reason="", flatten=False, press="1" * 32)
    gate.refresh_from_db()
    assert (gate.version, gate.changes.count()) == (1, 2)
    gates.disarm(gate=gate, by=alice, reason="", now=NOW)
    assert not gates.halt(gate=gate, by=alice, reason="", flatten=False, press="1" * 32)


def test_presses_without_a_name_are_never_the_same(gate: Gate, alice: User):
    for _ in range(2):
        gates.halt(gate=gate, by=alice, reason="", flatten=False)
        gates.disarm(gate=gate, by=alice, reason="", now=NOW)
    assert gate.changes.count() == 4


# -- lockouts --------------------------------------------------------------------------------------------


def test_a_lockout_is_not_opened_before_its_time(gate: Gate, alice: User):
    gates.halt(gate=gate, by=None, reason="daily loss", flatten=False)
    assert gates.lock(gate=gate, until=NOW + timedelta(hours=1))
    with pytest.raises(gates.GateLocked, match="Nov 18, 17:00 UTC"):
        gates.disarm(gate=gate, by=alice, reason="", now=NOW + timedelta(minutes=59))
    assert gates.disarm(gate=gate, by=alice, reason="", now=NOW + timedelta(hours=1))
    gate.refresh_from_db()
    assert gate.locked_until is None


def test_a_lockout_is_made_longer_and_never_shorter(gate: Gate):
    gates.halt(gate=gate, by=None, reason="daily loss", flatten=False)
    assert gates.lock(gate=gate, until=NOW + timedelta(hours=1))
    assert not gates.lock(gate=gate, until=NOW)
    assert gates.lock(gate=gate, until=NOW + timedelta(hours=2))
    gate.refresh_from_db()
    assert gate.locked_until == NOW + timedelta(hours=2)


def test_a_press_leaves_a_lockout_as_long_as_it_was(gate: Gate, alice: User):
    gates.halt(gate=gate, by=None, reason="daily loss", flatten=False)
    gates.lock(gate=gate, until=NOW)
    gates.halt(gate=gate, by=alice, reason="", flatten=True)
    gate.refresh_from_db()
    assert gate.locked_until == NOW


def test_an_open_gate_cannot_be_locked(gate: Gate):
    assert not gates.lock(gate=gate, until=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Gate.objects.filter(pk=gate.pk).update(locked_until=NOW)
