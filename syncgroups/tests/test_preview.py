"""A preview says what would happen, and nothing happens."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.preview import Preview, preview
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, LEADER, connection_of, follower, gate_of
from tradehaven.domain.enums import OrderType, RefusalReason, Side, SizingMode, SyncMode
from tradehaven.domain.events import AccountLocked
from tradehaven.domain.ids import AccountId, Nanos, Symbol
from tradehaven.domain.orders import OrderSpec

BUY, SELL = Side.BUY, Side.SELL
FOLLOWERS = (
    follower(2),
    follower(3, ratio="1/2"),
    follower(4, reverse=True, max_position=3),
    follower(5, products={"ES": follower(5, product="MES")}),
    follower(6, sizing=SizingMode.FIXED, fixed_qty=2),
)


def _previewed(world: Desk, side: Side, qty: int, symbol: Symbol = ES) -> Preview:
    spec = OrderSpec(order_type=OrderType.MARKET, qty=qty)
    return preview(world.plan, world.book, world.plan.groups[0], symbol, side, spec, world.at())


def _sizes(found: Preview) -> dict[tuple[int, str, Side], int]:
    return {(share.follower, share.symbol, share.side): share.qty for share in found.shares if share.qty}


@given(
    st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 4)), max_size=4),
    st.sampled_from(list(Side)),
    st.integers(1, 4),
    st.sampled_from(list(SyncMode)),
)
def test_what_is_foretold_is_what_is_sent(
    before: list[tuple[Side, int]], side: Side, qty: int, mode: SyncMode
) -> None:
    world = desk(*FOLLOWERS, mode=mode)
    for earlier, contracts in before:
        world.market(earlier, contracts)
        world.settle()
    foretold = _previewed(world, side, qty)
    assert world.outbox == []
    count = len(world.placed)
    world.market(side, qty)
    world.settle()
    sent = {(order.account, order.symbol, order.side): order.spec.qty for order in world.placed[count:]}
    assert _sizes(foretold) == sent


def test_who_is_left_out_is_named_with_the_reason() -> None:
    world = desk(follower(2), follower(3), follower(4, ratio="1/4"), follower(5, product="NOSUCH"))
    world.shut(gate_of(AccountId(2)))
    world.lose(AccountId(3))
    reasons = [share.reason for share in _previewed(world, BUY, 2).shares]
    assert reasons == [
        RefusalReason.KILL_SWITCH,
        RefusalReason.FOLLOWER_OFFLINE,
        RefusalReason.ROUNDS_TO_ZERO,
        RefusalReason.UNKNOWN_INSTRUMENT,
    ]


def test_room_and_calls_are_counted() -> None:
    world = desk(follower(2, max_position=5), follower(3))
    world.market(BUY, 2)
    world.settle()
    found = _previewed(world, BUY, 1)
    assert [(share.room, share.enters) for share in found.shares] == [(3, 1), (None, 1)]
    assert found.calls == {connection_of(AccountId(2)): 1, connection_of(AccountId(3)): 1}
    assert _previewed(world, BUY, 4).shares[0].reason is RefusalReason.MAX_POSITION


def test_an_exit_that_would_wait_says_so() -> None:
    world = desk()
    world.market(BUY, 2)
    (share,) = _previewed(world, SELL, 2).shares
    assert (share.qty, share.waits) == (0, True)


def test_a_preview_by_balance_uses_the_days_figures() -> None:
    world = desk(follower(2, sizing=SizingMode.BALANCE))
    world.balance(LEADER, Decimal(100_000))
    world.balance(AccountId(2), Decimal(50_000))
    assert _sizes(_previewed(world, BUY, 3)) == {(2, ES, BUY): 1}


def test_a_share_says_what_it_opens_and_why_it_is_less() -> None:
    world = desk(follower(2, max_position=1), follower(3, ratio="2"), follower(4, reverse=True))
    capped, doubled, reversed_ = _previewed(world, BUY, 2).shares
    assert (capped.qty, capped.calls, capped.reason) == (0, 0, RefusalReason.MAX_POSITION)
    assert capped.detail != ""
    assert capped.room == 1
    assert (doubled.qty, doubled.enters, doubled.reason, doubled.detail) == (4, 4, None, "")
    assert (doubled.room, doubled.waits, doubled.calls) == (None, False, 1)
    assert (reversed_.symbol, reversed_.side) == (ES, SELL)


def test_an_exit_opens_nothing_and_a_flip_a_part() -> None:
    world = desk()
    world.market(BUY, 2)
    world.settle()
    (leaves,) = _previewed(world, SELL, 2).shares
    assert (leaves.qty, leaves.enters) == (2, 0)
    (flips,) = _previewed(world, SELL, 3).shares
    assert (flips.qty, flips.enters) == (3, 1)


def test_what_the_leader_has_on_its_way_counts_as_held() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.trade(BUY, 1)
    world.settle()
    (share,) = _previewed(world, SELL, 2).shares
    assert (share.qty, share.enters) == (2, 0)


def test_no_room_is_no_debt() -> None:
    world = desk(follower(2, max_position=1))
    world.market(BUY, 3, account=AccountId(2))
    (share,) = _previewed(world, BUY, 1).shares
    assert (share.room, share.reason) == (0, RefusalReason.MAX_POSITION)


def test_logins_that_are_asked_for_nothing_are_counted_with_nothing() -> None:
    world = desk(follower(2), follower(3, ratio="1/10"))
    found = _previewed(world, BUY, 1)
    assert found.calls == {connection_of(AccountId(2)): 1, connection_of(AccountId(3)): 0}
    twice = desk(follower(2), mode=SyncMode.CONFIRMED, entry_slack=2)
    twice.market(BUY, 1)
    twice.settle()
    for order in twice.resting(2):
        twice.fill(order.order_id)
    assert _previewed(twice, SELL, 2).calls == {connection_of(AccountId(2)): 1}


def test_an_account_that_is_locked_is_told_no_room() -> None:
    world = desk(follower(2, max_position=5))
    until = Nanos(world.now + 60_000_000_000)
    locked = AccountLocked(
        account=AccountId(2),
        reason=RefusalReason.DAILY_LOSS,
        detail="the day's loss",
        until=until,
        flatten=False,
        at=world.at(),
    )
    world.step(locked)
    (share,) = _previewed(world, BUY, 1).shares
    assert (share.qty, share.room, share.reason) == (0, None, RefusalReason.DAILY_LOSS)
