"""The mutants that nothing can tell from the code, each with its reason.

A row names a module, a function, the piece before and after, and why. A row that no mutant answers to any
more is a mistake of its own: the code has changed since somebody looked.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants.mutations import Mutant

FILE = Path(__file__).with_name("equivalents.toml")
Row = tuple[str, str, str, str]


def rows(file: Path = FILE) -> dict[Row, str]:
    """Return the reasons by module, function, before and after."""
    found = tomllib.loads(file.read_text())
    listed: dict[Row, str] = {}
    for module, functions in found.items():
        for function, mutants in functions.items():
            for before, after, why in mutants:
                assert why.strip(), f"{module}.{function} gives no reason for {before}"
                listed[module, function, before, after] = why
    return listed


def row_of(mutant: Mutant) -> Row:
    """Return what a mutant is listed by; lines move, so they are no part of it."""
    return mutant.module, mutant.function, mutant.before, mutant.after


@dataclass
class Known:
    """The listed mutants, and which of them were met."""

    listed: dict[Row, str] = field(default_factory=rows)
    met: set[Row] = field(default_factory=set)

    def excuses(self, mutant: Mutant) -> bool:
        """Say whether a mutant that survived is a listed one."""
        row = row_of(mutant)
        self.met.add(row)
        return row in self.listed

    def unmet(self, modules: tuple[str, ...]) -> list[Row]:
        """Return listed rows of some modules that no survivor answers to."""
        return sorted(row for row in self.listed if row[0] in modules and row not in self.met)
