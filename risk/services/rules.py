"""Rules are changed here: what tightens holds at once, what loosens waits for the next limit day (BEY-11).

Every change is a version, kept for good with what it says and who made it. `syncgroups.services.guardrails`
wraps these for people.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from brokers.services.stamps import touch
from risk.core.changes import differences
from risk.core.rules import Rules
from risk.core.tightening import strictest
from risk.core.written import written
from risk.models import RuleBook, RuleChange, RuleScope
from risk.selectors import rules_in_force, rules_wished
from tradehaven.domain.calendar import next_reset
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a change of rules: `later_at` (UTC) is when its looser part holds, None for at once."""

    text: str
    later_at: datetime | None


def new_book(owner_id: int, scope: RuleScope) -> RuleBook:
    """Return fresh rules that ask for nothing."""
    return RuleBook.objects.create(owner_id=owner_id, scope=scope)


def ensure_owner_book(owner_id: int) -> RuleBook:
    """Return the rules over the sum of everything of an owner; make them once."""
    found, _ = RuleBook.objects.get_or_create(owner_id=owner_id, scope=RuleScope.OWNER)
    return found


@transaction.atomic
def change(
    *,
    book: RuleBook,
    rules: Rules,
    by: User | None,
    now: datetime,
    preset: str | None = None,
    preset_version: str = "",
) -> Changed | None:
    """Set rules at a moment (UTC); None where they are what was asked for already.

    `preset` names the rule set that they come from, None leaves what was said about that.
    """
    row = RuleBook.objects.select_for_update().get(pk=book.pk)
    held = rules_in_force(row, now)
    wished = rules_wished(row)
    same_set = preset is None or (preset, preset_version) == (row.preset, row.preset_version)
    if rules == wished and same_set:
        return None
    now_on = strictest(held, rules)
    waits = now_on != rules
    row.rules, row.later = written(now_on), written(rules) if waits else None
    row.later_at = next_reset(now, held.reset_at) if waits else None
    if preset is not None:
        row.preset, row.preset_version = preset, preset_version
    row.version += 1
    row.save()
    text = "; ".join(one.text for one in differences(wished, rules)) or "nothing but the rule set's name"
    _record(row, text, by)
    touch(row.owner_id)
    publish(row.owner_id, [Topic.ACCOUNTS, Topic.GROUPS])
    book.refresh_from_db()
    return Changed(text=text, later_at=row.later_at)


def _record(row: RuleBook, text: str, by: User | None) -> None:
    RuleChange.objects.create(
        book=row,
        version=row.version,
        rules=row.rules,
        later=row.later,
        later_at=row.later_at,
        preset=row.preset,
        preset_version=row.preset_version,
        text=text[:1000],
        by=by,
    )
