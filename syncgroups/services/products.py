"""What a follower does differently for one product of its leader: another contract or size, or nothing."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from accounts import audit
from accounts.access import require_verified
from brokers.services.stamps import touch
from syncgroups.models import ActivityKind, Follower, ProductRule
from syncgroups.services.activity import note
from syncgroups.services.groups import FollowerSettings, check_sizing
from tradehaven.domain.enums import AuditAction, SizingMode
from tradehaven.domain.errors import InvalidInput, UnknownInstrument
from tradehaven.domain.instruments import product, size_factor
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSettings:
    """A product root of the leader's, and what is different for it; None and "" are as for all others."""

    product: str
    copied: bool = True
    trades: str = ""
    sizing: SizingMode | None = None
    ratio: Decimal | None = None
    fixed_qty: int | None = None
    max_contracts: int | None = None


@transaction.atomic
def set_product(follower: Follower, *, settings: ProductSettings) -> ProductRule:
    """Set how a follower answers one product; raise `InvalidInput` naming what is wrong.

    What it holds by then is closed as it was opened; the new setting is for new positions.
    """
    require_verified(follower.group.owner)
    check_product(follower, settings)
    rule, _ = ProductRule.objects.update_or_create(
        follower=follower,
        product=settings.product,
        defaults={
            "copied": settings.copied,
            "trades": settings.trades if settings.trades != settings.product else "",
            "sizing": settings.sizing or "",
            "ratio": settings.ratio,
            "fixed_qty": settings.fixed_qty,
            "max_contracts": settings.max_contracts,
        },
    )
    _done(follower, f"{follower.account} answers {settings.product} {_described(rule)}")
    return rule


@transaction.atomic
def remove_product(follower: Follower, *, root: str) -> None:
    """Let a product be answered as all others are."""
    require_verified(follower.group.owner)
    count, _ = follower.products.filter(product=root).delete()
    if count:
        _done(follower, f"{follower.account} answers {root} like every other product")


def _described(rule: ProductRule) -> str:
    if not rule.copied:
        return "with nothing"
    return f"with {rule.trades}" if rule.trades else "with figures of its own"


def check_product(follower: Follower | FollowerSettings, settings: ProductSettings) -> None:
    """Raise `InvalidInput` naming what cannot be about a product, beside a follower's own figures."""
    try:
        theirs = product(settings.product)
    except UnknownInstrument:
        raise InvalidInput(
            "product", f"{settings.product} is not a product we know. Write a root such as ES or 6E."
        ) from None
    try:
        size_factor(theirs, product(settings.trades or settings.product))
    except UnknownInstrument:
        raise InvalidInput("trades", _why_not(settings)) from None
    plain = FollowerSettings(
        sizing=settings.sizing or SizingMode(follower.sizing),
        ratio=settings.ratio if settings.ratio is not None else follower.ratio,
        fixed_qty=settings.fixed_qty if settings.fixed_qty is not None else follower.fixed_qty,
        max_contracts=settings.max_contracts,
    )
    check_sizing(plain)


def _why_not(settings: ProductSettings) -> str:
    sibling = product(settings.product).sibling
    hint = f" For {settings.product} that is {sibling}." if sibling else ""
    return f"{settings.trades} is not another size of {settings.product}.{hint}"


def _done(follower: Follower, text: str) -> None:
    owner = follower.group.owner
    touch(owner.pk)
    note(owner.pk, ActivityKind.GROUP, text, group=follower.group, account=follower.account)
    audit.record(owner=owner, actor=owner, action=AuditAction.GROUP_CHANGED, subject=text)
    publish(owner.pk, [Topic.GROUPS])
