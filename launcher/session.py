"""One run: the lock, the services, the environment that every process sees."""

import fcntl
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from launcher import services
from launcher.bootstrap import ROOT
from launcher.net import free_port
from launcher.state import State
from launcher.words import give_up, say

WEB_PORT = 8000
PAPER_PORT = 8090
KEPT = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "DATA_KEYS",
    "DATA_DIR",
    "DJANGO_SETTINGS_MODULE",
    "SITE_URL",
    "PORT",
    "PAPER_URL",
    "PAPER_PORT",
    "PAPER_CLIENT_SECRET",
    "PAPER_SECRET",
    "PAPER_OPERATOR_TOKEN",
    "DEMO_PASSWORD",
)
"""What a management command needs to find the running system."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock while the block runs; a killed run leaves no lock behind."""
    path = folder / "run.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            give_up(f"TradeHaven runs here already (process {holder}): stop that one first, with Ctrl-C")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def data_services(folder: Path, state: State) -> Iterator[dict[str, str]]:
    """Start what no address is set for, and give the addresses of both."""
    started: list[services.Service] = []
    try:
        found = {}
        for name, start in (("DATABASE_URL", services.postgres), ("REDIS_URL", services.valkey)):
            if os.environ.get(name):
                found[name] = os.environ[name]
            else:
                service = start(folder, state)
                started.append(service)
                found[name] = service.url
        yield found
    finally:
        for service in reversed(started):
            service.stop()


def environment(
    folder: Path, state: State, addresses: dict[str, str], *, usual_ports: bool = True
) -> dict[str, str]:
    """Return the environment of the processes: secrets of this installation, ports that are free now."""
    if usual_ports:
        web, paper = _port("PORT", WEB_PORT), _port("PAPER_PORT", PAPER_PORT)
    else:
        web, paper = free_port(), free_port()
    made = {
        "PORT": str(web),
        "PAPER_PORT": str(paper),
        "PAPER_URL": f"http://127.0.0.1:{paper}",
        "SITE_URL": f"http://127.0.0.1:{web}",
        "SECRET_KEY": state.text("secret_key"),
        "DATA_KEYS": state.key_ring(),
        "PAPER_CLIENT_SECRET": state.text("paper_client"),
        "PAPER_SECRET": state.text("paper_tokens"),
        "PAPER_OPERATOR_TOKEN": state.text("paper_operator"),
        "DEMO_PASSWORD": state.password(),
        "DJANGO_SETTINGS_MODULE": "tradehaven.settings.dev",
    }
    fixed = {
        "DATA_DIR": str(folder),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",  # deprecations of packages are for the checks, not for the demo's screen
        "C_FORCE_ROOT": "1",  # the worker's own warning about root; the launcher is for one machine's owner
        "HOME": os.environ.get("HOME", str(folder)),
    }
    return made | dict(os.environ) | addresses | fixed | {"PORT": str(web), "PAPER_PORT": str(paper)}


def _port(name: str, usual: int) -> int:
    """Return the wanted port, or the next free one."""
    wanted = os.environ.get(name, str(usual))
    if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
        give_up(f"{name} must be a port between 1 and 65535, not {wanted!r}")
    found = free_port(int(wanted))
    if found != int(wanted):
        say(f"port {wanted} is taken, so {name} is {found}")
    return found


def keep(folder: Path, surroundings: Mapping[str, str]) -> None:
    """Write `run.env`, which a shell can source to run management commands beside the processes."""
    path = folder / "run.env"
    path.unlink(missing_ok=True)  # an older file keeps its mode, so it is made anew
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"export {name}={shlex.quote(surroundings[name])}\n" for name in KEPT)


def manage(command: list[str], surroundings: dict[str, str]) -> None:
    """Run a management command; end with a sentence when it fails."""
    done = subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=surroundings)
    if done.returncode != 0:
        give_up(f"`manage.py {' '.join(command)}` failed: see the lines above")
