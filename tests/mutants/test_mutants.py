"""The tool itself: which mistakes it makes, that they take effect, and that its list is true."""

import ast
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutants.equivalents import row_of, rows
from tests.mutants.grafting import forget, functions_of, graft
from tests.mutants.heart import HEART, ROOT
from tests.mutants.mutations import Mutant, mutants_of, mutated

SOURCE = '''
"""A module."""

LIMIT: int = 3


def room(held: int, most: int = 7) -> int:
    """Return what is left."""
    if held < 0 or not most:
        raise ValueError(f"{held + 1} is wrong")
    found = sorted(left for left in (LIMIT - held, most) if left > 0)
    return min(found) if found else 0


def note(book: dict[str, int], kind: str) -> None:
    book["seen"] = 1
    book.update(more=2)
    match kind:
        case _:
            assert_never(kind)
'''


def made() -> list[Mutant]:
    return list(mutants_of("some.module", SOURCE))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("held < 0", "held <= 0"),
        ("held < 0", "held >= 0"),
        ("held < 0 or not most", "not most"),
        ("held < 0 or not most", "held < 0 and (not most)"),
        ("not most", "most"),
        ("LIMIT - held", "LIMIT + held"),
        ("3", "4"),
        ("left > 0", "left >= 0"),
        ("min(found)", "max(found)"),
        ("min(found) if found else 0", "min(found) if True else 0"),
        ("return min(found) if found else 0", "return None"),
        ("book['seen'] = 1", "pass"),
        ("book.update(more=2)", "pass"),
        ("book.update(more=2)", "book.update()"),
    ],
)
def test_a_small_mistake_is_made(before: str, after: str) -> None:
    assert (before, after) in {(mutant.before, mutant.after) for mutant in made()}


def test_filters_and_order_may_be_forgotten() -> None:
    forgotten = {mutant.after for mutant in made() if mutant.before.startswith(("(left for", "sorted("))}
    assert "(left for left in (LIMIT - held, most))" in forgotten
    assert "(left for left in (LIMIT - held, most) if left > 0)" in forgotten


def test_words_defaults_and_types_are_left_alone() -> None:
    pieces = {mutant.before for mutant in made()}
    assert not pieces & {"held + 1", "7", "int", "'A module.'", "assert_never(kind)"}


def test_each_differs_from_what_stands_there() -> None:
    whole = ast.unparse(ast.parse(SOURCE))
    for mutant in made():
        assert ast.unparse(mutated(SOURCE, mutant)) != whole, str(mutant)


def test_a_mutant_is_in_force_where_the_function_was_known_before() -> None:
    module = ModuleType("some_module")
    module.__file__ = "some_module.py"
    exec(compile(SOURCE, module.__file__, "exec"), vars(module))
    room = module.room
    assert (room(1), room(9)) == (2, 7)
    living = functions_of(module)
    chosen = next(mutant for mutant in made() if mutant.after == "max(found)")
    assert graft(module, mutated(SOURCE, chosen), living, chosen.first)
    assert room(1) == 7
    chosen = next(mutant for mutant in made() if (mutant.before, mutant.after) == ("3", "4"))
    assert graft(module, mutated(SOURCE, chosen), living, chosen.first)
    assert (module.LIMIT, room(1)) == (4, 3)


def test_what_was_worked_out_before_is_worked_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    module = ModuleType("some.core.module")
    module.room = cache(asked.append)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    module.room(1)
    forget()
    module.room(1)
    assert asked == [1, 1]


def test_what_is_listed_as_equivalent_can_still_be_made() -> None:
    listed = set(rows())
    modules = {row[0] for row in listed}
    assert modules <= set(HEART)
    possible = {row_of(mutant) for name in modules for mutant in mutants_of(name, _source(name))}
    assert not sorted(listed - possible)


def _source(name: str) -> str:
    return Path(ROOT / (name.replace(".", "/") + ".py")).read_text()
