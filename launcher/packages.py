"""Installs the locked npm packages that pages and their tests use. Nothing here may stop a start.

The machine's npm is taken, else the one of a wheel. Where neither is to be had the pages work without charts,
and the launcher says so. A marker holds the lock's hash, so that a later start costs nothing.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from launcher import bootstrap
from launcher.words import say

FOLDER = "node_modules"
LOCK = "package-lock.json"
WHEEL = "requirements/node.txt"
LIMIT = 180
"""Seconds that an installation may take before the pages go without."""


def ensure(*, for_tests: bool) -> bool:
    """Install the packages unless exactly these are there; say whether they are there now."""
    wanted = hashlib.sha256((bootstrap.ROOT / LOCK).read_bytes()).hexdigest()
    marker = bootstrap.ROOT / FOLDER / ".installed.json"
    installed = _read(marker)
    if installed.get("lock") == wanted and (installed.get("tests") or not for_tests):
        return True
    if not _install(for_tests=for_tests):
        say("the pages' packages could not be installed (is npm's index reachable?): charts show as tables")
        return False
    marker.write_text(json.dumps({"lock": wanted, "tests": for_tests}))
    return True


def _read(marker: Path) -> dict[str, object]:
    try:
        return dict(json.loads(marker.read_text()))
    except (OSError, ValueError):
        return {}


def _install(*, for_tests: bool) -> bool:
    npm = _npm()
    if npm is None:
        return False
    say(f"installing {LOCK} into {FOLDER} (once)")
    command = [npm, "ci", "--ignore-scripts", "--loglevel=error", *([] if for_tests else ["--omit=dev"])]
    # npm keeps its cache at home, which an account need not have.
    surroundings = os.environ | {"npm_config_cache": str(bootstrap.ROOT / ".cache" / "npm"), "NO_COLOR": "1"}
    surroundings["PATH"] = os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", os.defpath)])
    try:
        done = subprocess.run(
            command, cwd=bootstrap.ROOT, env=surroundings, stdout=subprocess.DEVNULL, timeout=LIMIT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"npm: {error}")
        return False
    return done.returncode == 0


def _npm() -> str | None:
    """Return the machine's npm, or that of the wheel, which is installed where it is needed; else None."""
    ours = bootstrap.VENV / "bin" / "npm"
    found = shutil.which("npm") or (str(ours) if ours.exists() else None)
    if found is not None:
        return found
    say(f"no npm here: installing {WHEEL} into .venv (once)")
    return str(ours) if bootstrap.install(WHEEL) and ours.exists() else None
