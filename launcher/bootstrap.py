"""Makes the virtual environment from the locked requirements. Standard library only.

A marker in the environment holds the locks' hashes, so that a later start costs a few milliseconds.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from launcher.words import give_up, say

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MARKER = VENV / "tradehaven-installed.json"
RUN = ("requirements.txt", "requirements/embedded.txt")
TEST = (*RUN, "requirements/dev.txt")


def ensure(locks: tuple[str, ...]) -> None:
    """Install the locked packages unless exactly these are there already."""
    if sys.version_info[:2] != (3, 11):
        found = ".".join(map(str, sys.version_info[:2]))
        give_up(f"Python 3.11 is needed, this is {found}: install it, then `make PYTHON=python3.11 run`")
    wanted = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in locks}
    installed = _installed()
    missing = [name for name in locks if installed.get(name) != wanted[name]]
    if not missing:
        return
    say(f"installing {', '.join(missing)} into .venv (once)")
    if not installed:
        _create()
    for name in missing:
        if not install(name):
            give_up(f"{name} could not be installed: see the lines above; is the package index reachable?")
        installed[name] = wanted[name]
        MARKER.write_text(json.dumps(installed))


def _installed() -> dict[str, str]:
    """Return the locks' hashes from the marker; nothing where the environment is half made or broken."""
    try:
        installed = dict(json.loads(MARKER.read_text()))
    except (OSError, ValueError):
        return {}
    # The interpreter is a link, and dangles once the Python that it points to was removed.
    return installed if os.access(PYTHON, os.X_OK) else {}


def _create() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    if importlib.util.find_spec("ensurepip") is not None:
        done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if done.returncode == 0:
            return
        shutil.rmtree(VENV, ignore_errors=True)
    # Debian keeps ensurepip in python3-venv; a pip or uv that is there already can do without it.
    if importlib.util.find_spec("pip") is None and shutil.which("uv") is None:
        give_up("neither python3-venv nor pip is installed: `apt install python3-venv`, then again")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)


def install(lock: str) -> bool:
    """Install what a lock names into the environment; say whether that worked."""
    uv = shutil.which("uv")
    if uv is not None:
        command = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    elif (VENV / "bin" / "pip").exists():
        command = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-compile", "--no-input"]
    else:
        command = [sys.executable, "-m", "pip", f"--python={PYTHON}", "install", "-qq", "--no-compile"]
    arguments = [*command, "--no-deps", "--require-hashes", "-r", str(ROOT / lock)]
    return subprocess.run(arguments, cwd=ROOT).returncode == 0
