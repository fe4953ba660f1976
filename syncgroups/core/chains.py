"""Who leads whom. Chains are allowed, a loop is not: it would copy its own copies for ever."""

from collections.abc import Iterable, Mapping
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
