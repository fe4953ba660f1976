"""Guardrails as people set them: the change, the activity log, the audit log, all or nothing."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from brokers.models import Account
from risk.core.presets import Preset
from risk.core.rules import Rules
from risk.models import RuleBook, RuleScope
from risk.services import lockouts, rules
from risk.services.rules import Changed
from syncgroups.models import ActivityKind, Severity, SyncGroup
from syncgroups.services.activity import note
from tradehaven.domain.enums import AuditAction


@transaction.atomic
def change(*, book: RuleBook, wished: Rules, by: User, preset: Preset | None = None) -> Changed | None:
    """Set rules; what loosens them waits for the next limit day. None where nothing changes."""
    changed = rules.change(
        book=book,
        rules=wished,
        by=by,
        now=timezone.now(),
        preset=preset.name if preset is not None else None,
        preset_version=preset.version if preset is not None else "",
    )
    if changed is not None:
        text = f"Guardrails of {subject_of(book)}: {changed.text}{_when(changed)}, by {by}"
        _note(book, text, by)
    return changed


@transaction.atomic
def lock(*, account: Account, by: User, until: datetime, reason: str) -> None:
    """Lock an account for entries until a moment (UTC); nobody opens it before. Raise `InvalidInput`."""
    lockouts.lock_by_hand(account=account, by=by, until=until, detail=reason, now=timezone.now())
    text = f"{account} is locked until {until:%b %-d, %H:%M} UTC{f': {reason}' if reason else ''}, by {by}"
    note(by.pk, ActivityKind.GUARDRAIL, text, severity=Severity.WARNING, account=account)
    audit.record(owner=by, actor=by, action=AuditAction.LIMITS_CHANGED, subject=text[:200])


@transaction.atomic
def ensure_group_books(group: SyncGroup) -> tuple[RuleBook, RuleBook]:
    """Return what a group asks of each follower, and of their sum; make both once."""
    group = SyncGroup.objects.select_for_update(of=("self",)).get(pk=group.pk)
    if group.member_rules is None:
        group.member_rules = rules.new_book(group.owner_id, RuleScope.MEMBERS)
    if group.total_rules is None:
        group.total_rules = rules.new_book(group.owner_id, RuleScope.GROUP)
    group.save(update_fields=["member_rules", "total_rules"])
    return group.member_rules, group.total_rules


def subject_of(book: RuleBook) -> str:
    """Name whom rules hold for."""
    match book.scope:
        case RuleScope.ACCOUNT:
            return f"account {book.account_risk.account}"
        case RuleScope.MEMBERS:
            return f"each follower of {book.members_of}"
        case RuleScope.GROUP:
            return f"the sum of {book.total_of}"
        case _:
            return "all accounts together"


def _when(changed: Changed) -> str:
    if changed.later_at is None:
        return ""
    return f" (what is looser holds from {changed.later_at:%b %-d, %H:%M} UTC on)"


def _note(book: RuleBook, text: str, by: User) -> None:
    account = book.account_risk.account if book.scope == RuleScope.ACCOUNT else None
    note(by.pk, ActivityKind.GUARDRAIL, text, account=account)
    audit.record(owner=by, actor=by, action=AuditAction.LIMITS_CHANGED, subject=text[:200])
