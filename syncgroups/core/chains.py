"""Who leads whom. Chains are allowed, a loop is not: it would copy its own copies for ever."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Node = TypeVar("Node", bound=int)


def find_loop(followers_of: Mapping[Node, Iterable[Node]]) -> tuple[Node, ...]:
    """Return the accounts of a loop in copying order, its first one repeated; () when there is none."""
    done: set[Node] = set()
    for start in followers_of:
        trail: list[Node] = []
        stack = [(start, iter(followers_of[start]))] if start not in done else []
        trail.extend(node for node, _ in stack)
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                done.add(node)
                stack.pop()
                trail.pop()
            elif following in trail:
                return (*trail[trail.index(following) :], following)
            elif following not in done:
                stack.append((following, iter(followers_of.get(following, ()))))
                trail.append(following)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One group as the drawing of chains takes it: who leads, who follows, each by its number."""

    leader: int
    followers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """An account's place in the drawing: a column for each step away from the first leader, and a row."""

    node: int
    column: int
    row: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainMap:
    """A drawing of who copies whom; `edges` are pairs of spots with the number of the link they are of."""

    spots: tuple[Spot, ...]
    edges: tuple[tuple[Spot, Spot, int], ...]
    columns: int
    rows: float


def is_chained(links: Sequence[Link]) -> bool:
    """Say whether somebody who follows leads as well, or follows in more than one group."""
    leaders = {link.leader for link in links}
    following = [node for link in links for node in link.followers]
    return bool(leaders & set(following)) or len(set(following)) < len(following)


def chain_map(links: Sequence[Link]) -> ChainMap:
    """Return where to draw each account: leaders left of whom they lead, nobody on top of another.

    There is no loop among links that were saved; one that is drawn all the same ends after as many columns
    as there are accounts.
    """
    nodes = list(dict.fromkeys(node for link in links for node in (link.leader, *link.followers)))
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for link in links:
            for node in link.followers:
                depth[node] = min(max(depth[node], depth[link.leader] + 1), len(nodes))
    rows = _rows(links, depth)
    spots = {node: Spot(node=node, column=depth[node], row=rows[node]) for node in nodes}
    edges = tuple(
        (spots[link.leader], spots[node], number)
        for number, link in enumerate(links)
        for node in link.followers
    )
    return ChainMap(
        spots=tuple(spots.values()),
        edges=edges,
        columns=max(depth.values(), default=-1) + 1,
        rows=max(rows.values(), default=-1) + 1,
    )


def _rows(links: Sequence[Link], depth: Mapping[int, int]) -> dict[int, float]:
    """Return a row for each node: beside the middle of its leaders, below whoever stands there already."""
    rows: dict[int, float] = {}
    free: dict[int, float] = defaultdict(float)
    for node in sorted(depth, key=lambda found: depth[found]):
        over = [rows[link.leader] for link in links if node in link.followers and link.leader in rows]
        wished = round(2 * sum(over) / len(over)) / 2 if over else 0.0  # halves add up exactly
        rows[node] = max(free[depth[node]], wished)
        free[depth[node]] = rows[node] + 1
    return rows
