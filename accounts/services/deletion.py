"""The end of an account: asked for, called off by a log-in within fourteen days, or carried out and shown."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.http import HttpRequest

from accounts import audit, notify
from accounts.exports import parts
from accounts.farewell import stop_all
from accounts.models import Deletion, User
from accounts.notify.letters import letter
from accounts.services.sessions import revoke_all
from tradehaven.domain.enums import AuditAction, NoticeKind

log = logging.getLogger(__name__)

GRACE = timedelta(days=14)


class DeletionIncomplete(RuntimeError):
    """Rows of a deleted person were found; all is undone, and the account stays until that is mended."""


@transaction.atomic
def ask(*, user: User, request: HttpRequest | None, now: datetime) -> datetime:
    """Set the day of deletion (UTC), stop all copying at once, end every session, and tell the person."""
    due_at = now + GRACE
    User.objects.filter(pk=user.pk).update(delete_after=due_at)
    audit.record(owner=user, actor=user, action=AuditAction.DELETION_ASKED, request=request)
    stop_all(user)
    notify.tell(user, NoticeKind.DELETION_ASKED, due=due_at)
    revoke_all(user=user, but=None, request=request)
    return due_at


@transaction.atomic
def cancel(*, user: User, request: HttpRequest | None) -> bool:
    """Call a deletion off; say whether there was one. What was stopped stays so until its owner starts it."""
    if not User.objects.filter(pk=user.pk, delete_after__isnull=False).update(delete_after=None):
        return False
    audit.record(owner=user, actor=user, action=AuditAction.DELETION_CANCELLED, request=request)
    notify.tell(user, NoticeKind.DELETION_CANCELLED)
    return True


def due(*, now: datetime) -> list[int]:
    """Return the people whose grace is over."""
    return list(User.objects.filter(delete_after__lte=now).values_list("pk", flat=True))


@transaction.atomic
def erase(person: int, *, now: datetime) -> Deletion | None:
    """Delete a person and all that is theirs, and record how much; None if it was called off or done already.

    Raises `DeletionIncomplete`, and undoes everything, when a row of theirs is still found afterwards.
    """
    user = User.objects.select_for_update().filter(pk=person, delete_after__lte=now).first()
    if user is None or user.delete_after is None:
        return None
    address, due_at = user.email, user.delete_after
    for session in UserSession.objects.filter(user_id=person):
        session.end()
    said = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User), object_id=str(person)
    ).delete()[1]
    counts = said | user.delete()[1]
    if left := list(remains(person)):
        raise DeletionIncomplete(f"of person {person} there is still: {', '.join(left)}")
    log.info("person %s deleted, %s rows", person, sum(counts.values()))
    transaction.on_commit(lambda: _farewell(address), robust=True)
    return Deletion.objects.create(person=person, due_at=due_at, done_at=now, counts=counts)


def remains(person: int) -> Iterator[str]:
    """Name every kind of row that still belongs to a person: registered ones, and all that point to them."""
    for part in parts():
        if part.rows(person).exists():
            yield part.name
    for relation in User._meta.related_objects:
        model = relation.related_model
        if isinstance(model, type) and issubclass(model, models.Model):
            if model._base_manager.filter(**{relation.field.name: person}).exists():
                yield model._meta.label


def _farewell(address: str) -> None:
    text = "Your TradeHaven account and everything in it is deleted, as you asked. This is our last mail."
    letter(subject="Your account is deleted", text=text, to=address).send(fail_silently=True)
