"""Puts a mutant into a process in which everything is imported already: functions get other code.

That is what makes a mutant cost milliseconds: nothing is imported or collected again.
"""

import ast
import gc
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

Place = tuple[str, int]
"""A function's qualified name and first line."""
Living = dict[Place, list[FunctionType]]
"""The functions of a module that other code may hold already."""


def functions_of(module: ModuleType) -> Living:
    """Return the living functions that a module's source made."""
    found: Living = {}
    for made in gc.get_objects():
        # Asking a lazy object for its class would wake it up: its type is asked instead.
        if type(made) is FunctionType and made.__code__.co_filename == module.__file__:
            place = made.__code__.co_qualname, made.__code__.co_firstlineno
            found.setdefault(place, []).append(made)
    return found


def graft(module: ModuleType, tree: ast.Module, living: Living, line: int) -> bool:
    """Let a module's functions, and the constant that stands at a line, be those of another tree.

    Says whether anything differs.
    """
    code = compile(tree, str(module.__file__), "exec", dont_inherit=True)
    new = dict(_codes(code))
    changed = False
    for place, functions in living.items():
        for function in functions:
            other = new.get(place)
            if other is not None and other != function.__code__ and _fits(function, other):
                function.__code__ = other
                changed = True
    return _constant(module, tree, line) or changed


def forget() -> None:
    """Empty what the heart's functions remember: the code as it was has worked that out."""
    for module in [loaded for name, loaded in sys.modules.items() if ".core." in name]:
        for made in vars(module).values():
            if hasattr(made, "cache_clear"):
                made.cache_clear()


def _fits(function: FunctionType, code: CodeType) -> bool:
    return len(code.co_freevars) == len(function.__code__.co_freevars)


def _codes(code: CodeType) -> Iterator[tuple[Place, CodeType]]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield (inner.co_qualname, inner.co_firstlineno), inner
            yield from _codes(inner)


def _constant(module: ModuleType, tree: ast.Module, line: int) -> bool:
    """Set the module's constant that stands at a line, here and wherever it was imported."""
    for node in tree.body:
        if not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return _set_everywhere(module, name, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                return _set_everywhere(module, name, value)
    return False


def _set_everywhere(module: ModuleType, name: str, value: ast.expr) -> bool:
    old = vars(module)[name]
    new = eval(compile(ast.Expression(value), str(module.__file__), "eval"), vars(module))
    for other in (module, *sys.modules.values()):
        if getattr(other, "__dict__", {}).get(name, other) is old:
            setattr(other, name, new)
    return bool(new != old)
