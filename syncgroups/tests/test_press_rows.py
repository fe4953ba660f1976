"""Presses become rows: once, by whoever comes first, and never against a disarm that came later."""

from typing import Any

import pytest

from accounts.models import AuditEvent, Notice, User
from risk.models import Gate, GateKind
from risk.tests.factories import AccountRiskFactory, GateFactory
from syncgroups.models import Activity, Severity
from syncgroups.services import gates
from syncgroups.services.presses import settle
from syncgroups.tests.factories import GroupFactory
from tradehaven.control import direct
from tradehaven.control.messages import Heard, HeardState, Press
from tradehaven.domain.enums import TradingState
from tradehaven.domain.ids import GateId, Nanos, OwnerId, PressId

NAME = PressId("ab" * 16)


@pytest.fixture
def gate(alice: User) -> Gate:
    return GateFactory.create(owner=alice, kind=GateKind.OWNER)


def press(owner: User, *subjects: Gate, flatten: bool = False, by: int | None = None) -> Press:
    return Press(
        press=NAME,
        owner=OwnerId(owner.pk),
        gates=tuple(GateId(found.pk) for found in subjects),
        flatten=flatten,
        at=Nanos(5),
        by=by,
        reason="loss",
    )


def test_a_press_turns_the_row_and_says_by_whom(gate: Gate, alice: User) -> None:
    (turned,) = settle(press(alice, gate, flatten=True, by=alice.pk))
    gate.refresh_from_db()
    assert (gate.is_halted, gate.flatten, gate.version, gate.reason) == (True, True, 1, "loss")
    assert (turned.state, turned.version, turned.presses) == (TradingState.HALTED, 1, (NAME,))
    assert not turned.flatten  # the engine that was told has begun already
    line = Activity.objects.get(owner=alice)
    assert line.severity == Severity.DANGER
    assert "Kill switch on for everything, flattening, by Alice: loss" in line.text
    assert AuditEvent.objects.filter(owner=alice, actor=alice, action="gate_changed").count() == 1


def test_a_press_is_settled_once(gate: Gate, alice: User) -> None:
    settle(press(alice, gate))
    settle(press(alice, gate))
    assert Gate.objects.get().version == 1
    assert Activity.objects.count() == 1


def test_the_web_and_the_engine_write_one_row_between_them(
    gate: Gate, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(pressed: Press) -> tuple[Heard, ...]:
        settle(pressed)  # the engine is quicker than the page
        return (Heard(engine="one", state=HeardState.OBEYED),)

    monkeypatch.setattr(direct, "tell", tell)
    done = gates.halt(gate=gate, by=alice, reason="", flatten=False)
    assert (done.changed, [word.state for word in done.heard]) == (False, [HeardState.OBEYED])
    assert Gate.objects.get().version == 1
    assert gate.changes.count() == 1


def test_a_press_that_comes_after_the_disarm_opens_what_it_finds_open(gate: Gate, alice: User) -> None:
    settle(press(alice, gate))
    gates.disarm(gate=gate, by=alice, reason="", intent=gates.INTENT)
    (turned,) = settle(press(alice, gate))
    assert (turned.state, turned.version, turned.presses) == (TradingState.ACTIVE, 2, (NAME,))


def test_a_press_without_a_person_is_on_record_as_one(gate: Gate, alice: User) -> None:
    settle(press(alice, gate))
    assert "by a press at the engine" in Activity.objects.get().text


def test_a_press_of_somebody_who_is_gone_counts_all_the_same(gate: Gate, alice: User) -> None:
    settle(press(alice, gate, by=987_654))
    assert Gate.objects.get().is_halted


def test_a_strangers_gate_is_left_alone(gate: Gate, alice: User, bob: User) -> None:
    assert settle(press(bob, gate)) == ()
    assert not Gate.objects.get().is_halted


def test_a_gate_that_is_gone_keeps_nobody_waiting(gate: Gate, alice: User) -> None:
    kept, gone = gate, GateFactory.create(owner=alice)
    told = press(alice, kept, gone)
    gone.delete()
    assert [turned.gate for turned in settle(told)] == [kept.pk]


def test_one_press_may_shut_several(alice: User) -> None:
    group = GroupFactory.create(leader__connection__owner=alice)
    account = AccountRiskFactory.create(account__connection__owner=alice)
    turned = settle(press(alice, group.gate, account.gate))
    assert [event.state for event in turned] == [TradingState.HALTED] * 2
    assert Activity.objects.filter(owner=alice).count() == 2


def test_a_mail_goes_out_once(gate: Gate, alice: User, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        settle(press(alice, gate))
        settle(press(alice, gate))
    assert Notice.objects.filter(owner=alice).count() == 1
