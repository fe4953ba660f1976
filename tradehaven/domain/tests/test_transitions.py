"""The life of an order at the broker."""

import pytest

from tradehaven.domain.enums import OrderStatus as S
from tradehaven.domain.transitions import is_final, may_follow

LIVE = (S.PENDING, S.WORKING, S.SUSPENDED, S.PENDING_REPLACE, S.PENDING_CANCEL)
FINAL = (S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.COMPLETED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (S.PENDING, S.WORKING),
        (S.PENDING, S.SUSPENDED),
        (S.PENDING, S.FILLED),
        (S.PENDING, S.REJECTED),
        (S.WORKING, S.FILLED),
        (S.WORKING, S.CANCELLED),
        (S.WORKING, S.EXPIRED),
        (S.WORKING, S.PENDING_REPLACE),
        (S.PENDING_REPLACE, S.WORKING),
        (S.WORKING, S.PENDING_CANCEL),
        (S.PENDING_CANCEL, S.CANCELLED),
        (S.PENDING_CANCEL, S.WORKING),
        (S.PENDING_CANCEL, S.FILLED),
        (S.WORKING, S.SUSPENDED),
        (S.SUSPENDED, S.WORKING),
        (S.SUSPENDED, S.CANCELLED),
        (S.SUSPENDED, S.REJECTED),
    ],
)
def test_moves_of_the_protocol_are_legal(before: S, after: S) -> None:
    assert may_follow(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (S.WORKING, S.PENDING),
        (S.WORKING, S.REJECTED),
        (S.SUSPENDED, S.PENDING),
        (S.PENDING_CANCEL, S.PENDING_REPLACE),
        (S.PENDING_REPLACE, S.PENDING),
    ],
)
def test_orders_never_walk_back(before: S, after: S) -> None:
    assert not may_follow(before, after)


@pytest.mark.parametrize("before", FINAL)
def test_nothing_follows_a_final_status(before: S) -> None:
    assert is_final(before)
    assert [after for after in S if may_follow(before, after)] == [before]


@pytest.mark.parametrize("status", LIVE)
def test_a_live_order_may_fill_end_or_be_lost_sight_of(status: S) -> None:
    assert not is_final(status)
    for after in (S.FILLED, S.CANCELLED, S.EXPIRED, S.UNKNOWN, status):
        assert may_follow(status, after)


def test_anything_may_follow_unknown_which_is_not_final() -> None:
    assert not is_final(S.UNKNOWN)
    assert all(may_follow(S.UNKNOWN, after) for after in S)


def test_every_status_is_live_final_or_unknown() -> None:
    assert {*LIVE, *FINAL, S.UNKNOWN} == set(S)
