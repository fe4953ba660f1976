"""Everything that is a person's: taken along as a ZIP, and deleted with proof."""

import io
import json
import warnings
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import async_to_sync
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import audit, exports, farewell
from accounts.models import AuditEvent, Deletion, Notice, User
from accounts.services import archive, deletion
from accounts.tasks import delete_due_accounts
from accounts.tests.factories import confirm, show_factor
from tradehaven.domain.enums import AuditAction, NoticeKind

PASSWORD = "Correct-horse-7-battery"


@pytest.fixture
def sure(alice: User, client: Client) -> Client:
    """Alice's browser, in which the password was just asked for."""
    confirm(alice)
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def unzip(data: bytes) -> dict[str, Any]:
    with ZipFile(io.BytesIO(data)) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def ask(user: User) -> None:
    deletion.ask(user=user, request=None, now=timezone.now())
    user.refresh_from_db()


def test_the_zip_holds_a_list_for_each_kind_and_nobody_elses(sure: Client, alice: User, bob: User):
    audit.record(owner=bob, action=AuditAction.CONNECTED, subject="Bob's login")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the test's browser has no loop; the server has one
        answer = sure.post(reverse("accounts:export"))
        data = b"".join(answer)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="tradehaven-')
    files = unzip(data)
    assert set(files) == {"README.txt", *(f"{part.name}.json" for part in exports.parts())}
    assert [row["email"] for row in json.loads(files["profile.json"])] == [alice.email]
    assert {row["action"] for row in json.loads(files["audit.json"])} >= {"logged_in", "exported"}
    assert "Bob" not in "".join(files.values())
    assert AuditEvent.objects.filter(owner=alice, action=AuditAction.EXPORTED).exists()


def test_no_hash_and_no_token_leaves_with_the_zip(alice: User):
    data = b"".join(archive.archive(alice.pk, now=timezone.now()))
    assert alice.password not in "".join(unzip(data).values())
    for part in exports.parts():
        assert not [column for column in part.columns if "token" in column or "password" in column]


def test_a_column_that_looks_like_a_secret_is_refused():
    with pytest.raises(ValueError, match="hand out password"):
        exports.register("leak", User, owner="pk")
    assert "leak" not in {part.name for part in exports.parts()}


def test_the_zip_is_made_while_it_is_sent(alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "_ROWS", 10)
    for number in range(95):
        audit.record(owner=alice, action=AuditAction.GROUP_CHANGED, subject=f"number {number} {'x' * 150}")
    chunks = list(archive.archive(alice.pk, now=timezone.now()))
    assert len(chunks) > 9
    assert len(json.loads(unzip(b"".join(chunks))["audit.json"])) == 95


@pytest.mark.parametrize(("name", "method"), [("accounts:export", "post"), ("accounts:delete", "get")])
def test_both_ask_for_the_password(alice_client: Client, client: Client, name: str, method: str):
    answer = getattr(alice_client, method)(reverse(name))
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert getattr(client, method)(reverse(name)).headers["Location"].startswith("/accounts/login/")


def test_both_have_a_page(alice_client: Client):
    page = alice_client.get(reverse("accounts:data")).content.decode()
    assert "audit" in page
    assert alice_client.get(reverse("accounts:export")).status_code == 405


def test_deleting_asks_for_a_code_too_where_there_is_one(sure: Client, alice: User):
    show_factor(sure, alice)
    assert sure.get(reverse("accounts:delete")).status_code == 200
    session = sure.session
    session["factor_shown"]["at"] -= 1000
    session.save()
    assert sure.get(reverse("accounts:delete")).headers["Location"].startswith(reverse("mfa_reauthenticate"))


@pytest.mark.parametrize("typed", ["", "bob@example.org", "alice"])
def test_deletion_does_not_happen_by_mistake(sure: Client, alice: User, typed: str):
    assert sure.post(reverse("accounts:delete"), {"email": typed}).status_code == 422
    alice.refresh_from_db()
    assert alice.delete_after is None


def test_asking_stops_everything_at_once_and_logs_out_everywhere(
    sure: Client, alice: User, monkeypatch: pytest.MonkeyPatch
):
    stopped: list[User] = []
    monkeypatch.setattr(farewell, "_registered", [stopped.append])
    answer = sure.post(reverse("accounts:delete"), {"email": "ALICE@example.org"})
    assert "will be deleted on" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.delete_after is not None
    assert timedelta(days=13, hours=23) < alice.delete_after - timezone.now() <= timedelta(days=14)
    assert stopped == [alice]
    assert not UserSession.objects.exists()
    assert "login" in sure.get("/").headers["Location"]
    assert Notice.objects.get().kind == NoticeKind.DELETION_ASKED


def test_logging_in_within_the_grace_keeps_the_account(sure: Client, alice: User):
    sure.post(reverse("accounts:delete"), {"email": alice.email})
    page = sure.post(
        reverse("account_login"), {"login": alice.email, "password": PASSWORD}, follow=True
    ).content.decode()
    assert "will not be deleted" in page
    alice.refresh_from_db()
    assert alice.delete_after is None
    assert {notice.kind for notice in Notice.objects.all()} == {"deletion_asked", "deletion_cancelled"}
    assert deletion.due(now=timezone.now() + timedelta(days=30)) == []


def test_nothing_is_deleted_before_its_time(alice: User, bob: User):
    ask(alice)
    almost = timezone.now() + timedelta(days=13, hours=23)
    assert deletion.due(now=almost) == []
    assert deletion.erase(alice.pk, now=almost) is None
    assert User.objects.count() == 2


def test_when_the_time_has_come_all_is_deleted_and_counted(
    alice: User, bob: User, sure: Client, django_capture_on_commit_callbacks
):
    audit.record(owner=bob, actor=alice, action=AuditAction.CONNECTED)
    ask(alice)
    number = alice.pk
    User.objects.filter(pk=number).update(delete_after=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        delete_due_accounts()
    assert list(User.objects.all()) == [bob]
    proof = Deletion.objects.get()
    assert proof.person == number
    assert proof.counts["accounts.User"] == 1
    assert proof.counts["accounts.AuditEvent"] >= 2
    assert proof.counts["account.EmailAddress"] == 1
    assert "alice" not in json.dumps(proof.counts)
    assert str(proof).startswith(f"account {number}: ")
    assert not list(deletion.remains(number))
    assert AuditEvent.objects.get(owner=bob).actor is None
    assert mail.outbox[-1].to == ["alice@example.org"]
    delete_due_accounts()
    assert Deletion.objects.count() == 1


def test_a_deletion_that_leaves_something_is_undone(alice: User, monkeypatch: pytest.MonkeyPatch):
    ask(alice)
    monkeypatch.setattr(deletion, "remains", lambda _person: iter(["fills"]))
    with pytest.raises(deletion.DeletionIncomplete, match="fills"):
        deletion.erase(alice.pk, now=timezone.now() + timedelta(days=15))
    assert User.objects.filter(pk=alice.pk).exists()
    assert not Deletion.objects.exists()


def test_what_is_left_is_named(alice: User):
    confirm(alice)
    audit.record(owner=alice, action=AuditAction.CONNECTED)
    assert {"profile", "audit", "account.EmailAddress"} <= set(deletion.remains(alice.pk))


@pytest.mark.django_db(transaction=True)
def test_a_server_with_a_loop_gets_the_zip_piece_by_piece(alice: User):
    async def collect() -> list[bytes]:
        return [chunk async for chunk in archive.stream(alice.pk, now=timezone.now())]

    chunks = async_to_sync(collect)()
    assert len(chunks) > 5
    assert "profile.json" in unzip(b"".join(chunks))
