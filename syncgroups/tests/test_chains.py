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
