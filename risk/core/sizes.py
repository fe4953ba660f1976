"""How many contracts may be at stake: caps by contract month, product, account and in mini-equivalents.

The worst case counts: what is held, what works, what is under way and the order itself.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from risk.core.proposal import Objection, Proposal
from risk.core.rules import Caps, Scaling, Tier
from risk.core.standing import Standing
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.instruments import Product

_LEAST = Decimal("0.1")


def minis(traded: Product) -> Decimal:
    """Return what one contract counts in mini-equivalents: its size beside the full product's.

    Never less than a tenth, because firms count ten micros as one whatever a micro holds.
    """
    return max(_LEAST, traded.size)


def minis_at(tiers: Iterable[Tier], profit: Decimal) -> Decimal:
    """Return the mini-equivalents that a plan's tiers allow at a profit in USD."""
    ordered = sorted(tiers, key=lambda tier: tier.profit)
    allowed = ordered[0].minis
    for tier in ordered:
        if tier.profit <= profit:
            allowed = tier.minis
    return allowed


def scaled(plan: Scaling, standing: Standing) -> Decimal:
    """Return the mini-equivalents that a scaling plan allows at the profit that it looks at."""
    base = standing.money.equity if plan.live else standing.day.reference
    return minis_at(plan.tiers, base - plan.start)


def cut(caps: Caps, standing: Standing, proposal: Proposal, traded: Product) -> Objection | None:
    """Return what the tightest cap has against an entry, with the contracts it leaves; None if all fit."""
    found: list[Objection] = []
    held, qty = proposal.exposure, proposal.reduce + proposal.enter
    most = caps.instrument
    if most is not None and held.instrument + qty > most:
        found.append(_counted(proposal, RefusalReason.MAX_POSITION, most, held.instrument))
    most = caps.products.get(traded.symbol) if caps.products else None
    if most is not None and held.product + qty > most:
        found.append(_counted(proposal, RefusalReason.MAX_PRODUCT, most, held.product))
    most = caps.account
    if most is not None and held.account + qty > most:
        found.append(_counted(proposal, RefusalReason.MAX_ACCOUNT, most, held.account))
    if caps.minis is not None or caps.scaling is not None:
        found.extend(_outweighed(caps, standing, proposal, traded))
    return min(found, key=lambda objection: objection.room) if found else None


def _outweighed(caps: Caps, standing: Standing, proposal: Proposal, traded: Product) -> Iterator[Objection]:
    each, held = minis(traded), proposal.exposure.minis
    allowed = (
        (RefusalReason.MAX_MINIS, caps.minis),
        (RefusalReason.SCALING_PLAN, _tier(caps, standing)),
    )
    for reason, limit in allowed:
        if limit is not None and held + (proposal.reduce + proposal.enter) * each > limit:
            yield _objection(proposal, reason, limit, held, each)


def _tier(caps: Caps, standing: Standing) -> Decimal | None:
    return scaled(caps.scaling, standing) if caps.scaling is not None else None


def _counted(proposal: Proposal, reason: RefusalReason, most: int, before: int) -> Objection:
    return _objection(proposal, reason, Decimal(most), Decimal(before), Decimal(1))


def _objection(
    proposal: Proposal, reason: RefusalReason, limit: Decimal, before: Decimal, each: Decimal
) -> Objection:
    worst = before + (proposal.reduce + proposal.enter) * each
    unit = "contracts" if each == 1 else "mini-equivalents"
    fits = int((limit - before) // each) - proposal.reduce
    return Objection(
        reason=reason,
        detail=f"{proposal.enter} more could make {worst} {unit}, the limit is {limit}",
        limit=limit,
        value=worst,
        room=max(0, fits),
    )
