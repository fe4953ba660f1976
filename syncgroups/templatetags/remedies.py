"""What a refusal means and where it is mended: the table of `core.remedies`, with addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.urls import reverse
from django.utils import timezone

from brokers.models import Fill
from syncgroups.core.remedies import Place, Remedy, remedy_for
from syncgroups.core.waterfall import Phase, Segment, Times, span_text
from syncgroups.models import Activity, SyncGroup
from tradehaven.domain.contracts import product_of
from tradehaven.domain.errors import UnknownInstrument

register = template.Library()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """A remedy with the address of the form that mends it; `href` is empty where there is none."""

    remedy: Remedy
    href: str


@register.simple_tag
def mend(line: Activity) -> Mend | None:
    """Return what to do about a line of the log, None where nothing is to be done."""
    remedy = remedy_for(line.reason)
    return Mend(remedy=remedy, href=address_of(remedy.place, line)) if remedy is not None else None


@register.filter
def in_words(code: str) -> str:
    """Write a refusal's code as words."""
    remedy = remedy_for(code)
    return remedy.words if remedy is not None else code.replace("_", " ")


@register.filter
def clock(moment: datetime | None) -> str:
    """Write the time of day to the millisecond, in the reader's zone."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


@register.filter
def precise(moment: datetime | None) -> str:
    """Write the time of day to the microsecond, in the reader's zone."""
    return f"{timezone.localtime(moment):%H:%M:%S.%f}" if moment is not None else "–"


@register.filter
def lasted(span: timedelta | None) -> str:
    """Write a span of time, from microseconds to hours."""
    return span_text(span) if span is not None else "–"


@register.filter
def after(times: Times, step: str) -> str:
    """Write how long after the leader's event a step was reached."""
    at = getattr(times, step)
    return span_text(at - times.received) if at is not None else "–"


@register.filter
def by_phase(segments: Sequence[Segment]) -> dict[str, timedelta | None]:
    """Return how long each phase took, and the whole, by name; None for what did not happen."""
    took: dict[str, timedelta | None] = {str(phase): None for phase in Phase}
    took |= {str(segment.phase): segment.took for segment in segments}
    return took | {"whole": max((segment.after for segment in segments), default=None)}


@register.filter
def fill_price(fill: Fill) -> str:
    """Write a fill's price as traders do."""
    try:
        return product_of(fill.symbol).display(fill.ticks)
    except UnknownInstrument:
        return str(fill.price.normalize())


@register.filter
def points(price: Decimal | None) -> str:
    """Write an average price: two to four digits behind the point."""
    if price is None:
        return "–"
    whole, _, rest = f"{price:.4f}".partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"


@register.filter
def slipped(ticks: Decimal | None) -> str:
    """Write slippage in ticks with its sign: above 0 the follower did worse."""
    if ticks is None:
        return "–"
    text = f"{abs(ticks):.2f}".rstrip("0").rstrip(".")
    return f"{'+' if ticks > 0 else '−' if ticks < 0 else ''}{text}"


@register.filter
def cost(amount: Decimal | None) -> Decimal | None:
    """Return a cost as what it does to the result: a price that was worse is a loss."""
    return -amount if amount is not None else None


def address_of(place: Place, line: Activity) -> str:
    """Return where a line's trouble is mended; the nearest page where its group or account is gone."""
    group, account = line.group, line.account_id
    match place:
        case Place.CONNECTIONS:
            return reverse("syncgroups:connections")
        case Place.ACCOUNT_RULES:
            return (
                reverse("syncgroups:risk-account", args=[account]) if account else reverse("syncgroups:risk")
            )
        case Place.FOLLOWER_RULES if group is not None:
            return reverse("syncgroups:risk-followers", args=[group.public_id])
        case Place.ORDER if line.key:
            return reverse("syncgroups:order", args=[line.key])
        case Place.NOWHERE | Place.ORDER:
            return ""
        case _:
            return _group_address(place, group, account)


def _group_address(place: Place, group: SyncGroup | None, account: int | None) -> str:
    if group is None:
        return reverse("analytics:live") if place is Place.DISARM else reverse("syncgroups:list")
    detail = reverse("syncgroups:detail", args=[group.public_id])
    edit = reverse("syncgroups:edit", args=[group.public_id])
    match place:
        case Place.GROUP_SETTINGS:
            return edit
        case Place.SIZING:
            return f"{edit}#member-{account}" if account else edit
        case Place.DIFFERENCES:
            return f"{detail}#drift-title"
        case _:
            return detail
