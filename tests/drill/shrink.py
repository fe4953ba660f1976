"""A failing script, made shorter as long as it fails the same law: fewer faults, deeds, followers."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.drill.script import Move, Script

Fails = Callable[[Script], bool]
LIMIT = 600
"""Drills that one shrinking may cost."""


def shrunk(script: Script, fails: Fails) -> Script:
    """Return the shortest script found that still fails."""
    left = [LIMIT]

    def still(candidate: Script) -> bool:
        left[0] -= 1
        return left[0] > 0 and fails(candidate)

    size = -1
    while size != _size(script) and left[0] > 0:
        size = _size(script)
        script = _fewer_items(script, still)
        for smaller in _fewer_people(script):
            if still(smaller):
                script = smaller
    return script


def _size(script: Script) -> int:
    return len(script.items) + sum(len(group.followers) for group in script.people.groups)


def _fewer_items(script: Script, still: Fails) -> Script:
    """Take away ever smaller runs of items, price moves last: they are many and mean little."""
    run = max(1, len(script.items) // 2)
    while run:
        start = 0
        while start < len(script.items):
            shorter = script.without(frozenset(range(start, start + run)))
            if len(shorter.items) < len(script.items) and still(shorter):
                script = shorter
            else:
                start += run
        run //= 2
    return script


def _fewer_people(script: Script) -> Iterator[Script]:
    """Yield the script with one follower less, or one group less."""
    people = script.people
    for number, group in enumerate(people.groups):
        if len(people.groups) > 1:
            others = people.groups[:number] + people.groups[number + 1 :]
            yield replace(script, people=replace(people, groups=others))
        for follower in group.followers:
            if len(group.followers) > 1:
                kept = tuple(found for found in group.followers if found != follower)
                groups = tuple(replace(g, followers=kept) if g is group else g for g in people.groups)
                yield replace(script, people=replace(people, groups=groups))


def described(script: Script) -> Iterator[str]:
    """Yield what is left of a script, a line for each item that is no price move."""
    for item in script.items:
        if not isinstance(item.what, Move):
            yield f"{item.second:9.3f}  {item.what}"
