"""The victim: a trader with one of everything, each thing marked, and a picture of it all to compare."""

from dataclasses import dataclass, field
from typing import Any

from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.forms.models import model_to_dict

from accounts.core.keys import KeyKind, Scope
from accounts.models import User
from accounts.services.hooks import make_hook
from accounts.services.keys import make_key
from brokers.tests.factories import (
    AccountFactory,
    ConnectionFactory,
    FillFactory,
    PositionFactory,
    QuoteFactory,
)
from risk.services.gates import ensure_account_risk, ensure_owner_gate
from syncgroups.models import ActivityKind, ManualCopy, ManualShare, ProductRule, Quarantine
from syncgroups.tests.factories import (
    ActivityFactory,
    CopyFactory,
    DriftFactory,
    FollowerFactory,
    GroupFactory,
)
from tradehaven.domain.enums import NoticeKind, RefusalReason

MARK = "QX7VICTIM"
"""Stands in every text of the victim's: whoever reads it has read what is not theirs."""
OURS = ("accounts", "account", "brokers", "risk", "syncgroups")
MOVES_BY_ITSELF = {"accounts.AuditEvent", "brokers.Lease", "brokers.EngineProcess"}


@dataclass(kw_only=True)
class World:
    """The victim's things by the names that addresses use, and her rows by model for the admin's."""

    owner: User
    rows: dict[str, Model] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def victim_of(owner: User) -> World:
    """Give a confirmed person one of everything."""
    owner.display_name = MARK
    owner.save()
    login = ConnectionFactory.create(owner=owner, name=f"{MARK}-login")
    leader, follower, spare = (
        AccountFactory.create(connection=login, name=f"{MARK}-{role}") for role in ("lead", "follow", "spare")
    )
    gate = ensure_owner_gate(owner.pk)
    for account in (leader, follower, spare):
        ensure_account_risk(account, owner.pk)
    group = GroupFactory.create(leader=leader, name=f"{MARK}-group")
    member = FollowerFactory.create(group=group, account=follower)
    rule = ProductRule.objects.create(follower=member, product="ES")
    copy = CopyFactory.create(group=group, follower=follower, outcome=MARK)
    drift = DriftFactory.create(group=group, account=follower, detail=MARK)
    shut_off = Quarantine.objects.create(group=group, account=follower, symbol="NQZ6", reason=MARK)
    line = ActivityFactory.create(owner=owner, text=MARK, group=group, account=leader)
    missed = ActivityFactory.create(
        owner=owner,
        group=group,
        account=follower,
        kind=ActivityKind.COPY_REFUSED,
        reason=RefusalReason.FOLLOWER_OFFLINE,
        key="th-missed",
        text=MARK,
    )
    manual = ManualCopy.objects.create(
        owner=owner, group=group, leader=leader, symbol="ESZ6", side="buy", qty=1, order_type="market"
    )
    ManualShare.objects.create(copy=manual, account=follower)
    fill, position = FillFactory.create(account=leader), PositionFactory.create(account=leader)
    QuoteFactory.create()
    key, _ = make_key(owner=owner, name=MARK, kind=KeyKind.LIVE, scope=Scope.TRADE, expires_at=None)
    hook, _ = make_hook(
        owner=owner, name=MARK, url="https://hooks.example.org/in", kinds=[NoticeKind.GUARDRAIL]
    )
    session = UserSession.objects.create(
        user=owner, ip="192.0.2.7", session_key=f"{MARK}-session".lower(), user_agent=MARK
    )
    world = World(owner=owner)
    rows = [owner, login, leader, gate, group, copy, drift, shut_off, line, fill, position, key]
    world.rows = {row._meta.label_lower: row for row in rows}
    world.values = {
        "group": group.public_id,
        "account": follower.pk,
        "spare": spare.pk,
        "leader": leader.pk,
        "root": rule.product,
        "gate": gate.pk,
        "copy": copy.key,
        "missed": missed.key,
        "drift": drift.pk,
        "quarantine": shut_off.pk,
        "login": login.pk,
        "line": line.pk,
        "key": key.pk,
        "hook": hook.pk,
        "manual": manual.public_id,
        "session": session.pk,
    }
    return world


def picture(owner: User) -> dict[str, Any]:
    """Return every row that is the victim's or hangs on something of hers, to compare before and after."""
    found: dict[str, Any] = {}
    for model in apps.get_models():
        if model._meta.app_label not in OURS or model._meta.label in MOVES_BY_ITSELF:
            continue
        for row in model._default_manager.all():
            if _is_hers(row, owner):
                values = model_to_dict(row) | {"pk": row.pk}
                values.pop("last_login", None)
                found[f"{model._meta.label} {row.pk}"] = str(values)
    return found


def _is_hers(row: Model, owner: User, depth: int = 3) -> bool:
    if row == owner:
        return True
    if not depth:
        return False
    if isinstance(row, User | ContentType):
        return False
    linked = (f for f in row._meta.concrete_fields if f.is_relation)
    others = (getattr(row, link.name, None) for link in linked)
    return any(other is not None and _is_hers(other, owner, depth - 1) for other in others)
