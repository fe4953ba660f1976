"""The small mistakes that are tried, one at a time, over a module's syntax tree.

Texts for people, annotations, decorators, defaults of parameters and what only raises are left alone.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

_COMPARED: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_REWORKED: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,  # a division would mean the same wherever the one side is a sign
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_DROPPED = frozenset({"sorted", "abs", "reversed"})
_LEFT_ALONE = (ast.Raise, ast.Assert, ast.JoinedStr)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
SHOWN = 160
"""So many characters of a changed piece are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mistake: where it stands, what the piece was, and what it is instead.

    `node` counts nodes as `ast.walk` meets them; `first` and `last` are the lines of the piece.
    """

    module: str
    function: str
    node: int
    first: int
    last: int
    before: str
    after: str
    instead: ast.AST

    def __str__(self) -> str:
        """Name the mutant in a line."""
        return f"{self.module}:{self.first} {self.function}: {self.before}  →  {self.after}"


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module's source, in the order of its tree."""
    tree = ast.parse(source)
    around = _surroundings(tree)
    for number, node in enumerate(ast.walk(tree)):
        scope = around.get(node)
        if scope is None:
            continue
        for instead in _variants(node, in_function=bool(scope)):
            yield Mutant(
                module=module,
                function=scope or "the module",
                node=number,
                first=node.lineno,  # type: ignore[attr-defined]  # `_surroundings` keeps what has a place
                last=node.end_lineno or 0,  # type: ignore[attr-defined]
                before=_shown(node),
                after=_shown(instead),
                instead=instead,
            )


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return a module's tree with one mistake in it."""
    tree = ast.parse(source)
    target = list(ast.walk(tree))[mutant.node]
    changed = _Swap(target, mutant.instead).visit(tree)
    ast.fix_missing_locations(changed)
    assert isinstance(changed, ast.Module)
    return changed


class _Swap(ast.NodeTransformer):
    def __init__(self, target: ast.AST, instead: ast.AST) -> None:
        self._target, self._instead = target, instead

    def visit(self, node: ast.AST) -> Any:
        if node is self._target:
            return ast.copy_location(deepcopy(self._instead), node)
        return self.generic_visit(node)


def _surroundings(tree: ast.Module) -> dict[ast.AST, str]:
    """Map each piece that may be changed to the name of its function, "" for a module's own constants."""
    found: dict[ast.AST, str] = {}

    def walk(node: ast.AST, scope: str, in_class: bool) -> None:
        if isinstance(node, _LEFT_ALONE):
            return
        if not in_class and hasattr(node, "lineno"):
            found[node] = scope
        for name, child in _parts(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                walk(child, f"{scope}.{child.name}".lstrip("."), False)
            elif isinstance(child, ast.ClassDef):
                walk(child, f"{scope}.{child.name}".lstrip("."), True)
            elif name not in ("annotation", "returns", "decorator_list", "bases", "args") or isinstance(
                node, ast.Call
            ):
                walk(child, scope, in_class and not isinstance(node, _SCOPES))

    walk(tree, "", False)
    return found


def _parts(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, ast.AST):
                yield name, child


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _variants(node: ast.AST, *, in_function: bool) -> Iterator[ast.AST]:
    yield from _of_logic(node)
    yield from _of_figures(node)
    yield from _of_calls(node)
    if in_function:
        yield from _of_statements(node)


def _of_logic(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for at, operator in enumerate(ops):
                for other in _COMPARED[type(operator)]:
                    yield _with(node, ops=[*ops[:at], other(), *ops[at + 1 :]])
        case ast.BoolOp(op=op, values=values):
            for at in range(len(values)):
                left = [*values[:at], *values[at + 1 :]]
                yield deepcopy(left[0]) if len(left) == 1 else _with(node, values=left)
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield deepcopy(operand)
        case ast.If() | ast.IfExp():
            yield _with(node, test=ast.Constant(value=True))
            yield _with(node, test=ast.Constant(value=False))
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            yield from _without_filters(node)
        case ast.Match(cases=cases):
            for at, one in enumerate(cases):
                if one.guard is not None:
                    unguarded = _with(one, guard=None)
                    yield _with(node, cases=[*cases[:at], unguarded, *cases[at + 1 :]])


def _without_filters(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Iterator[ast.AST]:
    for at, generator in enumerate(node.generators):
        for which in range(len(generator.ifs)):
            bare = _with(generator, ifs=[*generator.ifs[:which], *generator.ifs[which + 1 :]])
            yield _with(node, generators=[*node.generators[:at], bare, *node.generators[at + 1 :]])


def _of_figures(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _REWORKED:
            yield _with(node, op=_REWORKED[type(op)]())
        case ast.Constant(value=bool(value)):
            yield ast.Constant(value=not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value=value + 1)


def _of_calls(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Call):
        return
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _SWAPPED:
        yield _with(node, func=ast.Name(id=_SWAPPED[name], ctx=ast.Load()))
    if name in _DROPPED and node.args:
        yield deepcopy(node.args[0])
    for at, keyword in enumerate(node.keywords):
        if keyword.arg:
            yield _with(node, keywords=[*node.keywords[:at], *node.keywords[at + 1 :]])


def _of_statements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(value=ast.Constant(value=None))
        case ast.Expr(value=ast.Constant() | ast.Call(func=ast.Name(id="assert_never"))):
            return  # a docstring, or a word to the type checker
        case ast.Expr() | ast.AugAssign() | ast.Delete() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Assign(targets=targets) if _reaches_outside(targets):
            yield ast.Pass()


def _reaches_outside(targets: Iterable[ast.expr]) -> bool:
    return any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _with(node: ast.AST, **changes: Any) -> ast.AST:
    """Return a copy of a node with other parts."""
    copy = deepcopy(node)
    for name, value in changes.items():
        setattr(copy, name, deepcopy(value))
    return copy
