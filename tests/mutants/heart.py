"""Which modules are the heart, and which tests answer for them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("syncgroups/core", "risk/core")
ALONE = ("brokers.core.governor", "brokers.core.budget", "brokers.core.backoff")
PAGES = frozenset({"waterfall", "status", "remedies", "proposal", "lines", "words", "presets", "slippage"})
"""Core modules that only words and pages hang on."""
UNHURRIED = ("syncgroups/tests/test_laws.py",)
"""Laws over whole stories: they ask for minutes, and no mutant would ever wait for them."""


def _modules() -> tuple[str, ...]:
    found = [path for room in ROOMS for path in sorted((ROOT / room).glob("*.py"))]
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in found
        if path.stem != "__init__" and path.stem not in PAGES
    ]
    return (*names, *ALONE)


HEART = _modules()


def tests_of(modules: tuple[str, ...]) -> list[str]:
    """Return what pytest is to collect for some modules: the tests of their apps."""
    apps = sorted({module.partition(".")[0] for module in modules})
    return [*(f"{app}/tests" for app in apps), *(f"--ignore={path}" for path in UNHURRIED)]
