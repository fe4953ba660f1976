"""Sizes, names and docstrings: the budgets of the house style. Each rule names all who break it."""

import ast
from collections.abc import Callable
from pathlib import Path

from tests.architecture.source import code_lines, functions, modules, public, text, tree

MODULE_LINES = 400
FUNCTION_LINES = 50
GRAB_BAGS = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "tools"}
SPOKEN = {"services", "selectors", "core", "domain", "ports"}


def broken(found: tuple[Path, ...], rule: Callable[[Path], object]) -> list[str]:
    """Return which modules break a rule, and how."""
    assert len(found) > 50, "the rule sees too little"
    return [f"{path}: {fault}" for path in found if (fault := rule(path))]


def test_a_module_can_be_read_in_one_sitting() -> None:
    def fault(path: Path) -> int:
        lines = len(text(path).splitlines())
        return lines if lines > MODULE_LINES else 0

    assert not broken(modules(tests=True), fault)


def test_a_function_fits_a_screen() -> None:
    def fault(path: Path) -> dict[str, int]:
        sizes = {found.name: code_lines(found, path) for found in functions(path)}
        return {name: size for name, size in sizes.items() if size > FUNCTION_LINES}

    assert not broken(modules(), fault)


def test_a_module_is_named_for_its_job() -> None:
    assert not broken(modules(tests=True), lambda path: GRAB_BAGS & set(path.with_suffix("").parts))


def test_a_module_says_what_belongs_in_it() -> None:
    def fault(path: Path) -> bool:
        return bool(tree(path).body) and not ast.get_docstring(tree(path))

    assert not broken(modules(tests=True), fault)


def test_what_others_call_has_a_docstring() -> None:
    spoken = tuple(path for path in modules() if SPOKEN & set(path.with_suffix("").parts))
    assert not broken(
        spoken, lambda path: [name for name, node in public(path) if not ast.get_docstring(node)]
    )


def test_everything_is_typed() -> None:
    assert not broken(
        modules(), lambda path: [found.name for found in functions(path) if found.returns is None]
    )


def test_no_work_is_left_for_later() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
    assert not broken(modules(tests=True), lambda path: [word for word in words if word in text(path)])
