"""What people change about themselves."""

from collections.abc import Mapping

from django.db import transaction
from django.http import HttpRequest

from accounts import audit
from accounts.access import NotAllowed, has_factor
from accounts.core.look import FIELDS
from accounts.models import User
from tradehaven.domain.enums import AuditAction


@transaction.atomic
def change_profile(*, user: User, values: Mapping[str, object], request: HttpRequest | None) -> list[str]:
    """Set fields of a person that differ, and return their names."""
    kept = User.objects.select_for_update().get(pk=user.pk)
    changed = [name for name, value in values.items() if getattr(kept, name) != value]
    for name in changed:
        setattr(kept, name, values[name])
    if changed:
        kept.save(update_fields=changed)
        subject = ", ".join(name.replace("_", " ") for name in changed)
        audit.record(
            owner=kept, actor=user, action=AuditAction.PROFILE_CHANGED, subject=subject, request=request
        )
    return changed


@transaction.atomic
def ask_for_codes(*, user: User, on: bool, request: HttpRequest | None) -> None:
    """Choose whether live money asks for a code; raise `NotAllowed` for a person who has none to give."""
    if on and not has_factor(user):
        raise NotAllowed("Add a second factor first; then live money can ask for it.")
    User.objects.filter(pk=user.pk).update(factor_for_live=on)
    subject = f"code before live money: {'on' if on else 'off'}"
    audit.record(owner=user, actor=user, action=AuditAction.PROFILE_CHANGED, subject=subject, request=request)


def choose_look(*, user: User, values: Mapping[str, object]) -> None:
    """Keep how a person wants pages to look; it leaves no audit line, for it changes nothing but looks."""
    chosen = {name: value for name, value in values.items() if name in FIELDS}
    if chosen:
        User.objects.filter(pk=user.pk).update(**chosen)
