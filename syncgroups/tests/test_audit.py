"""The sealed trail: it holds as it was written, and any later hand in it shows."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from syncgroups.core.seal import START, Sealed, first_break, seal
from syncgroups.models import AuditEntry
from syncgroups.services import audit
from syncgroups.tests.factories import CopyFactory
from tradehaven.db import AppendOnlyError
from tradehaven.domain.ids import OwnerId


def _chain(bodies: list[str]) -> list[Sealed]:
    found: list[Sealed] = []
    before = START
    for number, body in enumerate(bodies, start=1):
        before = seal(before, number, body)
        found.append(Sealed(number=number, body=body, seal=before))
    return found


def _verify(*words: str) -> str:
    out = StringIO()
    call_command("verify_audit", *words, stdout=out)
    return out.getvalue()


@given(st.lists(st.text(), min_size=1, max_size=8), st.data())
def test_every_change_of_a_body_shows_at_its_place(bodies: list[str], data: st.DataObject) -> None:
    chain = _chain(bodies)
    assert first_break(chain) is None
    at = data.draw(st.integers(0, len(chain) - 1))
    forged = data.draw(st.text().filter(lambda text: text != bodies[at]))
    chain[at] = Sealed(number=at + 1, body=forged, seal=chain[at].seal)
    broken = first_break(chain)
    assert broken is not None
    assert broken.number == at + 1


@given(st.lists(st.text(), min_size=2, max_size=8), st.data())
def test_a_record_that_was_taken_out_shows(bodies: list[str], data: st.DataObject) -> None:
    chain = _chain(bodies)
    at = data.draw(st.integers(0, len(chain) - 2))
    del chain[at]
    broken = first_break(chain)
    assert broken is not None
    assert broken.number == at + 1


def test_a_chain_may_be_verified_from_a_known_record_on() -> None:
    chain = _chain(["a", "b", "c"])
    assert first_break(chain[1:], number=1, before=chain[0].seal) is None


def test_a_rewritten_tail_does_not_fit_a_seal_that_was_kept_elsewhere() -> None:
    kept = _chain(["a", "b", "c"])[-1].seal
    assert _chain(["a", "B", "c"])[-1].seal != kept


def test_an_owners_trail_goes_on_where_it_ended(alice: User, bob: User) -> None:
    owner = OwnerId(alice.pk)
    assert audit.append(owner, [("decision", b"{}"), ("written", b"{}")]) == 2
    audit.append(OwnerId(bob.pk), [("decision", b"[]")])
    audit.append(owner, [("OrderFilled", b"{}")])
    assert [row.number for row in audit.chain_of(owner)] == [1, 2, 3]
    assert audit.verify(owner) is None
    assert audit.owners() == sorted([alice.pk, bob.pk])
    assert str(alice.audit_trail.order_by("number").last()) == "3 OrderFilled"


def test_a_record_is_neither_edited_nor_deleted_nor_written_twice(alice: User) -> None:
    audit.append(OwnerId(alice.pk), [("decision", b"{}")])
    row = AuditEntry.objects.get()
    with pytest.raises(AppendOnlyError):
        row.save()
    with pytest.raises(AppendOnlyError):
        row.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.create(owner=alice, number=1, at=row.at, kind="x", body="", seal="")


def test_the_command_proves_all_trails_and_names_the_newest_seals(alice: User) -> None:
    audit.append(OwnerId(alice.pk), [("decision", b"{}")])
    said = _verify()
    assert f"owner {alice.pk}: 1 records hold" in said
    assert AuditEntry.objects.get().seal in said
    assert "0 records hold, newest seal none" in _verify("--owner", "999")


def test_the_command_finds_a_forged_row(alice: User) -> None:
    audit.append(OwnerId(alice.pk), [("decision", b'{"qty":1}'), ("written", b"{}")])
    AuditEntry.objects.filter(number=1).update(body='{"qty":2}')
    with pytest.raises(CommandError, match="broken at record 1"):
        _verify()


def test_an_order_without_a_decision_on_record_is_named(alice: User) -> None:
    audit.append(OwnerId(alice.pk), [("decision", b'{"key":"known"}')])
    CopyFactory.create(owner=alice, key="known", received_at=AuditEntry.objects.get().at)
    assert "1 records hold" in _verify()
    CopyFactory.create(owner=alice, key="unheard-of", received_at=AuditEntry.objects.get().at)
    with pytest.raises(CommandError, match="unheard-of"):
        _verify()


def test_an_exported_trail_is_verified_without_the_database(alice: User, tmp_path: Path) -> None:
    audit.append(OwnerId(alice.pk), [("decision", b"{}"), ("written", b"[1]")])
    file = tmp_path / "trail.jsonl"
    _verify("--owner", str(alice.pk), "--export", str(file))
    AuditEntry.objects.all()._raw_delete("default")
    assert "2 records hold" in _verify("--file", str(file))
    lines = file.read_text().splitlines()
    forged = json.loads(lines[1]) | {"body": "[2]"}
    file.write_text("\n".join([lines[0], json.dumps(forged)]))
    with pytest.raises(CommandError, match="broken at record 2"):
        _verify("--file", str(file))


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--export needs --owner"):
        _verify("--export", str(tmp_path / "x"))
    with pytest.raises(CommandError, match="not an exported trail"):
        _verify("--file", str(tmp_path / "absent"))
    (tmp_path / "odd").write_text("{}")
    with pytest.raises(CommandError, match="not an exported trail"):
        _verify("--file", str(tmp_path / "odd"))
