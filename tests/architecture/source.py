"""What is tracked, and its modules parsed: what the rules look at."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("tradehaven", "accounts", "brokers", "risk", "syncgroups", "analytics", "launcher")


@cache
def tracked() -> tuple[Path, ...]:
    """Return every file that belongs to the project, relative to its root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


@cache
def text(path: Path) -> str:
    """Return a tracked file's text; what is no text reads as nothing."""
    return (ROOT / path).read_text(encoding="utf-8", errors="ignore")


def modules(*, tests: bool = False) -> tuple[Path, ...]:
    """Return the product's modules, without migrations; with `tests` the tests' too."""
    found = [path for path in tracked() if path.suffix == ".py" and "migrations" not in path.parts]
    if tests:
        return tuple(found)
    return tuple(path for path in found if path.parts[0] in APPS and "tests" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    """Return a module, parsed."""
    return ast.parse(text(path))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of a module, also nested ones and methods."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


def public(path: Path) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Yield what others may call: functions, classes and their methods without a leading underscore."""
    for node in tree(path).body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, Function) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


def code_lines(function: Function, path: Path) -> int:
    """Count a function's lines that are neither empty, comment nor docstring."""
    lines = text(path).splitlines()
    counted = set(range(function.lineno, (function.end_lineno or function.lineno) + 1))
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        counted -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return sum(1 for number in counted if (line := lines[number - 1].strip()) and not line.startswith("#"))
