"""`make check`: one command is the truth. Every check runs; the first that fails decides the exit code."""

import os
import subprocess
import sys
import time
from pathlib import Path

from launcher.words import say

BIN = Path(sys.executable).parent
CHECKS: dict[str, list[str]] = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "types": ["mypy", "."],
    "imports": ["lint-imports"],
    "templates": ["djlint", "templates", "--check", "--lint", "--quiet"],
    "migrations": ["python", "manage.py", "makemigrations", "--check", "--dry-run"],
    "deploy": ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "tests": ["pytest", "-q", "-n", "2", "-m", "not journey and not browser and not slow and not django_db"],
}


def main() -> int:
    """Run all checks and say how each went."""
    failed = []
    for name, command in CHECKS.items():
        began = time.monotonic()
        surroundings = dict(os.environ)
        if name == "deploy":
            surroundings |= {
                "DJANGO_SETTINGS_MODULE": "tradehaven.settings.prod",
                "ALLOWED_HOSTS": "example.org",
            }
        code = subprocess.run([BIN / command[0], *command[1:]], env=surroundings).returncode
        say(f"{'ok    ' if code == 0 else 'FAILED'} {name} ({time.monotonic() - began:.1f} s)")
        if code != 0:
            failed.append(name)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
