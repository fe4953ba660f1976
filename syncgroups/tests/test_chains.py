"""Who leads whom: a loop is found wherever it lies, and told as it runs."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncgroups.core.chains import Link, chain_map, find_loop, is_chained

Graph = Mapping[int, list[int]]


@pytest.mark.parametrize(
    "chains",
    [
        pytest.param({}, id="nobody"),
        pytest.param({1: []}, id="a leader alone"),
        pytest.param({1: [2, 3], 2: [4], 3: [4]}, id="two ways to one follower"),
        pytest.param({3: [4], 2: [3], 1: [2]}, id="a chain that is told from its end"),
        pytest.param({1: [2], 3: [2], 5: [1, 3, 2]}, id="seen before"),
    ],
)
def test_chains_without_a_loop_pass(chains: Graph) -> None:
    assert find_loop(chains) == ()


@pytest.mark.parametrize(
    ("chains", "loop"),
    [
        pytest.param({1: [1]}, (1, 1), id="itself"),
        pytest.param({1: [2], 2: [1]}, (1, 2, 1), id="two"),
        pytest.param({1: [2], 2: [3], 3: [4], 4: [2]}, (2, 3, 4, 2), id="behind a way in"),
        pytest.param({1: [5], 2: [6, 3], 3: [2]}, (2, 3, 2), id="in the second part"),
        pytest.param({1: [9, 2], 9: [8], 2: [1]}, (1, 2, 1), id="after a way that ends"),
    ],
)
def test_a_loop_is_told_as_it_runs(chains: Graph, loop: tuple[int, ...]) -> None:
    assert find_loop(chains) == loop


NODES = st.integers(1, 6)


@given(st.dictionaries(NODES, st.lists(NODES, max_size=4), max_size=6))
def test_what_is_told_is_a_loop_and_none_is_told_where_all_can_be_ordered(chains: dict[int, Any]) -> None:
    loop = find_loop(chains)
    if loop:
        assert loop[0] == loop[-1]
        assert all(after in chains[before] for before, after in pairwise(loop))
    else:
        left = {node: set(found) for node, found in chains.items()}
        while ends := [node for node, found in left.items() if not found & set(left)]:
            for node in ends:
                del left[node]
        assert not left


LINKS = st.lists(
    st.builds(
        lambda leader, followers: Link(leader=leader, followers=tuple(followers - {leader})),
        st.integers(1, 8),
        st.sets(st.integers(1, 8), max_size=4),
    ),
    max_size=5,
    unique_by=lambda link: link.leader,
)


@given(LINKS)
def test_nobody_is_drawn_on_top_of_another(links: list[Link]) -> None:
    found = chain_map(links)
    places = {(spot.column, spot.row) for spot in found.spots}
    assert len(places) == len(found.spots)
    for column in {spot.column for spot in found.spots}:
        rows = sorted(spot.row for spot in found.spots if spot.column == column)
        assert all(after - before >= 1 for before, after in pairwise(rows))
    assert all(0 <= spot.column < found.columns and 0 <= spot.row < found.rows for spot in found.spots)


@given(LINKS)
def test_leaders_stand_left_of_whom_they_lead(links: list[Link]) -> None:
    if find_loop({link.leader: link.followers for link in links}):
        return
    found = chain_map(links)
    assert len(found.edges) == sum(len(link.followers) for link in links)
    assert all(start.column < end.column for start, end, _ in found.edges)


def test_a_chain_and_a_shared_follower_are_told_from_plain_groups() -> None:
    plain = [Link(leader=1, followers=(2, 3)), Link(leader=4, followers=(5,))]
    assert not is_chained(plain)
    assert is_chained([*plain, Link(leader=2, followers=(6,))])
    assert is_chained([*plain, Link(leader=7, followers=(5,))])
    assert chain_map([]).columns == 0


def drawn(*links: Link) -> tuple[dict[int, tuple[int, float]], int, float]:
    """Return where each account is drawn (column, row), and how many columns and rows there are."""
    found = chain_map(links)
    return {spot.node: (spot.column, spot.row) for spot in found.spots}, found.columns, found.rows


def test_followers_stand_one_below_the_other_beside_their_leader() -> None:
    assert drawn(Link(leader=1, followers=(2, 3))) == ({1: (0, 0), 2: (1, 0), 3: (1, 1)}, 2, 2)


def test_who_follows_two_stands_between_them() -> None:
    spots, columns, rows = drawn(Link(leader=1, followers=(3,)), Link(leader=2, followers=(3,)))
    assert (spots, columns, rows) == ({1: (0, 0), 2: (0, 1), 3: (1, 0.5)}, 2, 2)


def test_each_follower_stands_beside_its_own_leader_whatever_their_numbers() -> None:
    spots, columns, rows = drawn(Link(leader=8, followers=(7,)), Link(leader=9, followers=(3,)))
    assert (spots, columns, rows) == ({8: (0, 0), 7: (1, 0), 9: (0, 1), 3: (1, 1)}, 2, 2)


def test_a_chain_goes_from_left_to_right_however_it_is_told() -> None:
    chain = (Link(leader=2, followers=(3,)), Link(leader=1, followers=(2, 4)))
    assert drawn(*chain) == ({1: (0, 0), 2: (1, 0), 4: (1, 1), 3: (2, 0)}, 3, 2)


def test_a_loop_that_is_drawn_all_the_same_ends() -> None:
    found = chain_map([Link(leader=1, followers=(2,)), Link(leader=2, followers=(1,))])
    assert max(spot.column for spot in found.spots) == 2


def test_edges_name_the_group_that_they_are_of() -> None:
    found = chain_map([Link(leader=1, followers=(2,)), Link(leader=2, followers=(3, 4))])
    assert [(start.node, end.node, number) for start, end, number in found.edges] == [
        (1, 2, 0),
        (2, 3, 1),
        (2, 4, 1),
    ]
    assert (chain_map([]).columns, chain_map([]).rows) == (0, 0)
