"""Shards among processes: every owner has one, loads even out, and what is even stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.core.shards import MAIN, FleetView, shard_names, shard_of, to_give, to_take
from brokers.core.stillness import Stillness
from tradehaven.domain.ids import OwnerId


def test_one_shard_is_main_and_more_are_numbered() -> None:
    assert shard_names(1) == (MAIN,)
    assert shard_names(3) == ("1-of-3", "2-of-3", "3-of-3")


@given(st.integers(1, 10**9), st.integers(1, 64))
def test_every_owner_belongs_to_one_shard(owner: int, count: int) -> None:
    assert shard_of(OwnerId(owner), count) in shard_names(count)


def test_owners_are_spread_evenly() -> None:
    found = [shard_of(OwnerId(owner), 4) for owner in range(1, 101)]
    assert {found.count(name) for name in shard_names(4)} == {25}


def view(me: str, live: str, *holders: str) -> FleetView:
    """Return a view in which the shards are held as listed; a dash is nobody."""
    held = dict(zip(shard_names(len(holders)), (h.replace("-", "") for h in holders), strict=True))
    return FleetView(me=me, live=frozenset(live), holders=held)


@pytest.mark.parametrize(
    ("seen", "takes", "gives"),
    [
        (view("a", "a", "-"), MAIN, None),
        (view("b", "ab", "a"), None, None),
        (view("a", "ab", "a"), None, None),
        (view("a", "ab", "a", "a"), None, "1-of-2"),
        (view("b", "ab", "a", "a"), None, None),
        (view("a", "ab", "a", "-"), None, None),  # the other one leads less: it is the other's
        (view("b", "ab", "a", "-"), "2-of-2", None),
        (view("a", "ab", "a", "a", "b"), None, None),
        (view("b", "abc", "a", "a", "b", "b"), None, "3-of-4"),
        (view("a", "abc", "a", "a", "b", "b"), None, None),
        (view("b", "b", "a", "b"), None, None),  # led by one whose row was not seen yet
        (view("b", "b", "-", "b"), "1-of-2", None),
    ],
)
def test_who_takes_and_who_gives(seen: FleetView, takes: str | None, gives: str | None) -> None:
    assert (to_take(seen), to_give(seen)) == (takes, gives)


class World:
    """Shards and processes that act one after the other, each on what is true."""

    def __init__(self, shards: int, live: set[str]) -> None:
        self.holders = dict.fromkeys(shard_names(shards), "")
        self.live = live
        self.moves = 0

    def act(self, me: str) -> None:
        """Let a process take or give as it should."""
        seen = FleetView(me=me, live=frozenset(self.live), holders=self.holders)
        given_back, wanted = to_give(seen), to_take(seen)
        assert given_back is None or wanted is None
        if wanted is not None:
            assert self.holders[wanted] == ""
            self.holders[wanted] = me
        elif given_back is not None:
            assert self.holders[given_back] == me
            self.holders[given_back] = ""
        self.moves += bool(wanted or given_back)

    def leave(self, process: str) -> None:
        """Kill a process."""
        self.live.discard(process)
        self.holders = {shard: "" if who == process else who for shard, who in self.holders.items()}

    def settle(self) -> None:
        """Let everybody act until nobody moves any more."""
        for _ in range(4 * len(self.holders) + 2):
            before = self.moves
            for process in sorted(self.live):
                self.act(process)
            if self.moves == before:
                return
        raise AssertionError("the fleet does not come to rest")


@given(
    st.integers(1, 9),
    st.lists(st.tuples(st.booleans(), st.sampled_from("abcde"), st.integers(0, 5)), min_size=1, max_size=12),
)
def test_whoever_comes_and_goes_all_is_led_evenly_and_then_nothing_moves(
    shards: int, story: list[tuple[bool, str, int]]
) -> None:
    world = World(shards, {"a"})
    for comes, process, steps in story:
        if comes:
            world.live.add(process)
        elif len(world.live) > 1:
            world.leave(process)
        for step in range(steps):  # cut short in the middle of evening out
            world.act(sorted(world.live)[step % len(world.live)])
    world.settle()
    loads = [list(world.holders.values()).count(process) for process in world.live]
    assert "" not in world.holders.values()
    assert max(loads) - min(loads) <= 1
    moves = world.moves
    world.settle()
    assert world.moves == moves


def test_what_moves_is_never_still() -> None:
    watch = Stillness()
    watch.see({"a": 1, "b": 1}, 10.0)
    watch.see({"a": 1, "b": 2}, 12.0)
    assert (watch.still_for("a", 13.0), watch.still_for("b", 13.0)) == (3.0, 1.0)
    assert watch.still_for("never seen", 13.0) == 0.0
    watch.see({"b": 2}, 14.0)
    watch.see({"a": 1, "b": 2}, 15.0)
    assert (watch.still_for("a", 16.0), watch.still_for("b", 16.0)) == (1.0, 4.0)
