"""What the engine could not have known, or not have been quicker than: two exits of one position (I5)."""

from collections.abc import Mapping

from tests.drill.agenda import SECOND
from tests.drill.history import Traded
from tests.drill.reading import Reading
from tests.drill.weather import repeated
from tradehaven.domain.enums import OrderType
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos, OrderId

REACTION = 6.0
"""Seconds within which a cancel or a change can still be on its way in the worst weather."""


def is_race(
    reading: Reading,
    place: int,
    trade: Traded,
    told: Mapping[tuple[AccountId, FillId], tuple[int, Nanos]],
) -> bool:
    """Say whether another fill had just taken what this one was to close, too fresh to act upon."""
    fill = trade.fill
    for at, other in reversed(reading.trades):
        if at >= place or other.fill.account != fill.account or other.fill.symbol != fill.symbol:
            continue
        if other.fill.side is fill.side and _ended_untold(reading, other, place, told):
            return True
        if other.fill.order_id == fill.order_id or _was_known(reading, other.fill.order_id, fill.order_id):
            continue
        if other.fill.side is not fill.side:
            continue
        known = told.get((other.fill.account, other.fill.fill_id))
        if known is None or known[0] > place or _is_beyond_recall(reading, fill.order_id, known[0]):
            return True
        if _was_known(reading, fill.order_id, other.fill.order_id):  # whose turn it is, the broker says
            return True
        fresh = (trade.at - known[1]) / SECOND < REACTION
        name = reading.orders[fill.order_id].first.client_id or ClientOrderId("")
        starved = reading.found_no_room(name, 0, place)  # what was held back once is held until there is room
        # A cancel that was lost is said again once its answer is overdue, and may be lost again.
        lost = reading.commands_lost(name, known[0], place)
        silent = any((trade.at - at) / SECOND < 2 * REACTION for at in lost)
        troubles = {trouble.what for at, trouble in reading.troubles if known[0] <= at <= place}
        penalised = repeated(name) in troubles  # what waits for its ticket cannot be taken back
        return (
            fresh or starved or silent or penalised or reading.broken_between(known[0], place, fill.account)
        )
    return False


def _ended_untold(
    reading: Reading,
    other: Traded,
    place: int,
    told: Mapping[tuple[AccountId, FillId], tuple[int, Nanos]],
) -> bool:
    """Say whether an order was said to be over while the news of what it had traded was lost."""
    known = told.get((other.fill.account, other.fill.fill_id))
    ended = reading.ends_told.get((other.fill.account, other.fill.order_id))
    return ended is not None and ended < place and (known is None or known[0] > place)


def _was_known(reading: Reading, earlier: OrderId, later: OrderId) -> bool:
    """Say whether the engine wrote both at the market, one before the other: it had to count with it."""
    first, second = reading.orders[earlier].first, reading.orders[later].first
    if OrderType.MARKET is not first.spec.order_type or OrderType.MARKET is not second.spec.order_type:
        return False
    written = {command.client_order_id: place for place, _, command in reading.placed()}
    nobody = ClientOrderId("")
    one, two = written.get(first.client_id or nobody), written.get(second.client_id or nobody)
    if one is None or two is None or one > two:
        return False
    return not any(death.lost for at, death in reading.deaths if one < at < two)


def _is_beyond_recall(reading: Reading, order: OrderId, known: int) -> bool:
    """Say whether an order at the market had been written before the engine learned of the other fill."""
    first = reading.orders[order].first
    written = (place for place, _, command in reading.placed() if command.client_order_id == first.client_id)
    return first.spec.order_type is OrderType.MARKET and any(place < known for place in written)
