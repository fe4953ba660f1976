"""Groups are made, changed and dissolved here (COPY-01, COPY-04, COPY-10).

Every change first locks the owner's stamp, so that two saves at once cannot close a loop between them.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.access import require_verified
from accounts.models import User
from brokers.models import Account, EngineStamp
from brokers.services.stamps import touch
from risk.services.gates import ensure_owner_gate, new_group_gate
from syncgroups.core.chains import find_loop
from syncgroups.core.plan import RestPolicy
from syncgroups.models import ActivityKind, Follower, Severity, SyncGroup
from syncgroups.services.activity import note
from syncgroups.services.plans import require_plan
from tradehaven.domain.enums import AuditAction, DriftPolicy, RestRule, SessionHours, SizingMode, SyncMode
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.instruments import products
from tradehaven.domain.orders import MAX_ORDER_QTY
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish

LARGEST_RATIO = Decimal(1000)
LONGEST_REST = 3600
WIDEST_SLACK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """What a person chooses for a group; an empty `instruments` lets every product through.

    `entry_slack`, in ticks, bounds the price of a Confirmed entry; None enters at the market.
    """

    name: str
    hours: SessionHours = SessionHours.ALL
    instruments: tuple[str, ...] = ()
    mode: SyncMode = SyncMode.IMMEDIATE
    drift_policy: DriftPolicy = DriftPolicy.OBSERVE
    drift_cap: int = 1
    drift_ticks: int = 8
    entry_slack: int | None = None
    rests: RestPolicy = RestPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerSettings:
    """How one follower's quantities come about; `max_contracts` None means no cap."""

    sizing: SizingMode = SizingMode.RATIO
    ratio: Decimal = Decimal(1)
    fixed_qty: int = 1
    max_contracts: int | None = None
    reverse: bool = False


@transaction.atomic
def create_group(
    owner: User, *, leader: Account, settings: GroupSettings, followers: Iterable[Account] = ()
) -> SyncGroup:
    """Make a group, switched off, its followers one to one; raise `InvalidInput` naming what is wrong."""
    _begin(owner)
    check_settings(settings)
    check_owned(owner, leader)
    check_leads_nowhere(leader)
    ensure_owner_gate(owner.pk)
    group = SyncGroup.objects.create(
        owner=owner, leader=leader, gate=new_group_gate(owner.pk), **_columns(settings)
    )
    _done(group, f"Group {group} created, led by {leader}")
    for account in followers:
        set_follower(group, account=account, settings=FollowerSettings())
    return group


@transaction.atomic
def update_group(group: SyncGroup, *, settings: GroupSettings) -> None:
    """Change a group's own settings."""
    _begin(group.owner)
    check_settings(settings)
    SyncGroup.objects.filter(pk=group.pk).update(**_columns(settings))
    group.refresh_from_db()
    _done(group, f"Group {group} changed")


@transaction.atomic
def revise_group(group: SyncGroup, *, leader: Account, settings: GroupSettings) -> None:
    """Change settings and leader together, or neither."""
    update_group(group, settings=settings)
    change_leader(group, leader=leader)


@transaction.atomic
def change_leader(group: SyncGroup, *, leader: Account) -> None:
    """Name another leader; positions that came from the old one stay where they are."""
    _begin(group.owner)
    if group.leader_id == leader.pk:
        return
    check_owned(group.owner, leader)
    check_leads_nowhere(leader)
    if group.followers.filter(account=leader).exists():
        raise InvalidInput("leader", f"{leader} follows in this group; remove it from the followers first.")
    group.leader = leader
    # What the new leader had working before this moment is not this group's to copy.
    group.active_since = timezone.now() if group.active else None
    group.save(update_fields=["leader", "active_since"])
    check_loops(group.owner)
    _done(group, f"Group {group} is now led by {leader}")


@transaction.atomic
def set_follower(group: SyncGroup, *, account: Account, settings: FollowerSettings) -> Follower:
    """Add a follower, or change its sizing; raise `InvalidInput` naming what is wrong."""
    _begin(group.owner)
    check_sizing(settings)
    check_owned(group.owner, account)
    if account.pk == group.leader_id:
        raise InvalidInput("account", f"{account} leads this group and cannot follow itself.")
    follower, is_new = Follower.objects.update_or_create(
        group=group,
        account=account,
        defaults={
            "sizing": settings.sizing,
            "ratio": settings.ratio,
            "fixed_qty": settings.fixed_qty,
            "max_contracts": settings.max_contracts,
            "reverse": settings.reverse,
        },
    )
    check_loops(group.owner)
    verb = "follows" if is_new else "has new sizing in"
    _done(group, f"{account} {verb} group {group}", account=account)
    return follower


@transaction.atomic
def remove_follower(group: SyncGroup, *, account: Account) -> None:
    """Take an account out; its positions stay open."""
    _begin(group.owner)
    count, _ = Follower.objects.filter(group=group, account=account).delete()
    if count:
        _done(group, f"{account} left group {group}; its positions stay open", account=account)


@transaction.atomic
def activate(group: SyncGroup) -> None:
    """Start copying; only what the leader orders from now on is copied."""
    _begin(group.owner)
    require_plan(group.owner)
    if not group.followers.exists():
        raise InvalidInput("active", "A group needs at least one follower before it can copy.")
    changed = SyncGroup.objects.filter(pk=group.pk, active=False).update(
        active=True, active_since=timezone.now()
    )
    group.refresh_from_db()
    if changed:
        _done(group, f"Group {group} switched on", severity=Severity.GOOD)


@transaction.atomic
def deactivate(group: SyncGroup) -> None:
    """Stop copying; orders and positions stay as they are."""
    _begin(group.owner)
    changed = SyncGroup.objects.filter(pk=group.pk, active=True).update(active=False, active_since=None)
    group.refresh_from_db()
    if changed:
        _done(group, f"Group {group} switched off")


@transaction.atomic
def dissolve(group: SyncGroup) -> None:
    """End a group for good; its copies stay in the lineage, positions stay open."""
    _begin(group.owner)
    name, owner_id = group.name, group.owner_id
    group.delete()  # the gate stays behind: its changes are records
    touch(owner_id)
    text = f"Group {name} dissolved; positions stay open"
    note(owner_id, ActivityKind.GROUP, text)
    audit.record(owner=group.owner, actor=group.owner, action=AuditAction.GROUP_CHANGED, subject=text)
    _publish(owner_id)


def _begin(owner: User) -> None:
    require_verified(owner)
    EngineStamp.objects.get_or_create(owner=owner)
    EngineStamp.objects.select_for_update().get(owner=owner)


def _columns(settings: GroupSettings) -> dict[str, object]:
    return {
        "name": settings.name.strip(),
        "hours": settings.hours,
        "instruments": sorted(set(settings.instruments)),
        "mode": settings.mode,
        "drift_policy": settings.drift_policy,
        "drift_cap": settings.drift_cap,
        "drift_ticks": settings.drift_ticks,
        "entry_slack": settings.entry_slack,
        "rest_after": settings.rests.after,
        "rest_entries": settings.rests.entries,
        "rest_exits": settings.rests.exits,
        "rest_slack": settings.rests.slack,
    }


def settings_of(group: SyncGroup) -> GroupSettings:
    """Return what was chosen for a group, as it is saved."""
    return GroupSettings(
        name=group.name,
        hours=SessionHours(group.hours),
        instruments=tuple(group.instruments),
        mode=SyncMode(group.mode),
        drift_policy=DriftPolicy(group.drift_policy),
        drift_cap=group.drift_cap,
        drift_ticks=group.drift_ticks,
        entry_slack=group.entry_slack,
        rests=group.rests,
    )


def check_settings(settings: GroupSettings) -> None:
    """Raise `InvalidInput` naming the setting that cannot be."""
    if not settings.name.strip():
        raise InvalidInput("name", "A group needs a name.")
    if not 1 <= settings.drift_cap <= MAX_ORDER_QTY:
        raise InvalidInput("drift_cap", "The cap of a repair is at least one contract.")
    if settings.rests.exits is RestRule.CANCEL:
        raise InvalidInput("rest_exits", "An exit cannot be given up: the position would stay behind alone.")
    if not 1 <= settings.rests.after <= LONGEST_REST:
        raise InvalidInput("rest_after", f"The wait is 1 to {LONGEST_REST} seconds.")
    slacks = {"entry_slack": settings.entry_slack, "rest_slack": settings.rests.slack}
    for name, slack in (slacks | {"drift_ticks": settings.drift_ticks}).items():
        if slack is not None and not 0 <= slack <= WIDEST_SLACK:
            raise InvalidInput(name, f"A price may give way by 0 to {WIDEST_SLACK} ticks.")
    known = {product.symbol for product in products()}
    unknown = [root for root in settings.instruments if root not in known]
    if unknown:
        listed = ", ".join(unknown)
        raise InvalidInput(
            "instruments", f"Not a product we know: {listed}. Write roots such as ES, MNQ or 6E."
        )


def check_sizing(settings: FollowerSettings) -> None:
    """Raise `InvalidInput` naming the figure that cannot be."""
    if settings.sizing is SizingMode.RATIO and not 0 < settings.ratio <= LARGEST_RATIO:
        raise InvalidInput("ratio", f"A ratio is above 0 and at most {LARGEST_RATIO}.")
    if settings.sizing is SizingMode.FIXED and settings.fixed_qty < 1:
        raise InvalidInput("fixed_qty", "A fixed quantity is at least one contract.")
    if settings.max_contracts is not None and settings.max_contracts < 1:
        raise InvalidInput("max_contracts", "A cap is at least one contract, or empty for none.")


def check_owned(owner: User, account: Account) -> None:
    """Raise `InvalidInput` for an account of somebody else."""
    # Pages resolve accounts through the selectors already; this holds for every other caller.
    if account.connection.owner_id != owner.pk:
        raise InvalidInput("account", "There is no such account among yours.")


def check_leads_nowhere(leader: Account, group: SyncGroup | None = None) -> None:
    """Raise `InvalidInput` for an account that leads already, in another group than the one given."""
    led = SyncGroup.objects.filter(leader=leader).first()
    if led is not None and led != group:
        raise InvalidInput("leader", f"{leader} already leads {led}; an account leads at most one group.")


def check_loops(
    owner: User,
    *,
    instead_of: SyncGroup | None = None,
    leader: Account | None = None,
    followers: Iterable[Account] = (),
) -> None:
    """Raise `InvalidInput` where accounts would follow themselves, through however many groups.

    With a leader and followers that are not saved yet, as if they stood in the place of a group.
    """
    found: dict[int, list[int]] = defaultdict(list)
    saved = Follower.objects.filter(group__owner=owner)
    if instead_of is not None and leader is not None:
        saved = saved.exclude(group=instead_of)
    for leader_id, account_id in saved.order_by("pk").values_list("group__leader_id", "account_id"):
        found[leader_id].append(account_id)
    if leader is not None:
        found[leader.pk] += [account.pk for account in followers]
    loop = find_loop(found)
    if loop:
        names = dict(Account.objects.filter(pk__in=loop).values_list("pk", "name"))
        trail = " → ".join(names[pk] for pk in loop)
        raise InvalidInput(
            "account",
            f"This would close a loop: {trail}. An order would copy itself for ever. "
            "Take one of these out of a group that it follows in.",
        )


def _done(
    group: SyncGroup, text: str, *, severity: Severity = Severity.INFO, account: Account | None = None
) -> None:
    touch(group.owner_id)
    note(group.owner_id, ActivityKind.GROUP, text, severity=severity, group=group, account=account)
    audit.record(owner=group.owner, actor=group.owner, action=AuditAction.GROUP_CHANGED, subject=text)
    _publish(group.owner_id)


def _publish(owner_id: int) -> None:
    publish(owner_id, [Topic.OVERVIEW, Topic.ACCOUNTS, Topic.GROUPS])
