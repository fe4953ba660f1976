"""How near a loss limit is, in four bands. On the path of every price: no division."""

from decimal import Decimal

from risk.core.standing import Band

_HALF, _THIRD, _TENTH = Decimal("0.5"), Decimal("0.3"), Decimal("0.1")
_RANK = {band: rank for rank, band in enumerate(Band)}


def band_of(amount: Decimal, left: Decimal) -> Band:
    """Return the band of a limit of `amount` USD with `left` to go: at exactly 90 percent it is danger."""
    if left > amount * _HALF:
        return Band.SAFE
    if left < amount * _TENTH:
        return Band.LOCKED
    return Band.DANGER if left <= amount * _THIRD else Band.WARNING


def worse(one: Band, other: Band) -> Band:
    """Return the band that is nearer to its limit."""
    return max(one, other, key=_RANK.__getitem__)
